// SPDX-License-Identifier: Apache-2.0

// Policies and flows by lot, with everything that can stand in them.

import FlowModel

@testable import FlowPolicy

extension Rule {
    /// A rule called `r1`, `r2`, … in the mode `enforce` or another.
    static func sample(
        _ number: Int, _ conditions: [Condition], _ lane: Lane, profile: String? = nil, mode: Policy.Mode = .enforce
    ) -> Rule {
        Rule(
            number: number, name: "r\(number)", place: SourcePlace(file: "test.yaml", line: number, column: 1),
            conditions: conditions,
            consequence: .flow(
                lane, mode.verdict(lane, profile: profile, rule: "r\(number)", code: "rule", cause: "rule \(number)")),
            mode: mode)
    }
}

/// Draws policies and flows that have much in common.
struct PolicyDraw {
    static let hosts = ["a.example", "x.a.example", "c.test", "mask.d.c.test", "mask.test", "other.test"]
    static let addresses = ["10.1.1.1", "203.0.113.7", "198.51.100.1", "2001:db8::1"]

    private static let workdays: TimeWindow = {
        var window = TimeWindow()
        window.days = 0x1f
        return window
    }()

    var dice: Dice
    private var lists: [Destination] = []

    init(_ dice: Dice) {
        self.dice = dice
        lists = (0..<2).map { _ in Destination(names: names(), prefixes: prefixes()) }
    }

    mutating func parts() -> PolicyParts {
        var parts = PolicyParts(stamp: 99)
        parts.mode = dice.pick([.enforce, .enforce, .enforce, .observe, .observe, .decide, .off])
        let profiles = ["p", "q"].map { name in
            WrittenProfile(
                name: name, detect: [], outbound: [:], inbound: [:], uneditable: .report,
                onFailure: .init(beforeTakeover: .relay, afterTakeover: .relay), nonHTTP: .relay,
                quic: dice.pick([.refuse, .relay]), privateRelay: dice.pick([.refuse, .allowBlind]))
        }
        parts.profiles = profiles.map { $0.effective(parts.mode) }
        parts.settings.dns = dice.pick(PolicySettings.DNS.allCases)
        parts.settings.inspectedNeverRows = dice.pick([[], ["programs/inspected"]])
        parts.settings.deadline.outcome = dice.pick(PolicySettings.Deadline.Outcome.allCases)
        if dice.roll(2) == 0 { parts.exclusions = exclusions() }
        parts.catalogues = Catalogues(edition: "test", hosts: dice.roll(4) == 0 ? [] : relays)
        for cause in UnknownCause.allCases where dice.roll(3) == 0 {
            let lane = dice.pick(Lane.allCases)
            let verdict = parts.mode.verdict(
                lane, profile: lane == .inspect ? "p" : nil, rule: nil, code: "unknown-identity", cause: "unknown")
            parts.unknown[cause] = (lane, verdict)
        }
        for cause in UnknownCause.allCases where dice.roll(3) == 0 { parts.holds.insert(cause) }
        for number in 1...(1 + dice.roll(8)) {
            let conditions = (0..<(dice.roll(8) == 0 ? 0 : 1 + dice.roll(3))).map { _ in condition(depth: 0) }
            let lane = dice.pick([.inspect] + Lane.allCases)
            let weaker = Policy.Mode.allCases[...(Policy.Mode.allCases.firstIndex(of: parts.mode) ?? 0)]
            let mode = dice.roll(3) == 0 ? dice.pick(Array(weaker)) : parts.mode
            parts.rules.append(
                .sample(number, conditions, lane, profile: lane == .inspect ? dice.pick(["p", "q"]) : nil, mode: mode))
        }
        return parts
    }

    mutating func facts() -> FlowFacts {
        let host = dice.pick(Self.addresses + [dice.pick(Self.hosts)])
        let endpoint = Host(host).map { Endpoint(host: $0, port: dice.pick([443, 443, 80, 53, 123, 9])) }
        var facts = FlowFacts(
            id: FlowID(1), transport: dice.pick([.tcp, .tcp, .udp]),
            intake: dice.pick([.transparent, .networkExtension]),
            destination: endpoint ?? Endpoint(host: .address(.v4(0)), port: 0), startedAt: Int64(dice.roll(1 << 30)))
        for proof in [NameProof.resolved, .claimed] where dice.roll(4) == 0 {
            if let name = HostName(dice.pick(Self.hosts)) { facts.learn(name, proof) }
        }
        if let claimed = facts.names.last, claimed.proof == .claimed, dice.roll(3) == 0 {
            facts.learn(claimed.name, .proved)
        }
        facts.identity.codeClass =
            dice.roll(3) == 0 ? .unknown(dice.pick(UnknownCause.allCases)) : .known(dice.pick(CodeClass.allCases))
        if dice.roll(4) > 0 {
            let isStale = dice.roll(6) == 0
            facts.identity.requirements = RequirementResults(
                policy: isStale ? 98 : 99, [dice.roll(2) == 0, dice.roll(2) == 0])
        }
        facts.identity.provedName = dice.pick([nil, nil, "package curl"])
        facts.identity.neverRow = dice.pick([nil, nil, nil, nil, nil, "programs/inspected", "programs/never"])
        facts.identity.executable = dice.pick([nil, "/usr/bin/curl", "/opt/x\n"])
        facts.identity.userID = dice.pick([nil, 0, 1_000])
        facts.interface = dice.pick([nil, .wired, .peerToPeer])
        facts.session = dice.pick([nil, .console, .background])
        facts.utcOffset = dice.pick([nil, 0, 3_600])
        facts.protocols = dice.pick([[], [], ["tls"]])
        return facts
    }

    private mutating func condition(depth: Int) -> Condition {
        switch dice.roll(depth > 1 ? 14 : 18) {
        case 0: return .codeClass(dice.pick([[.os], [.vendor, .unsigned], [.thirdParty]]))
        case 1, 2:
            return .code([RequirementReference(policy: 99, number: dice.roll(2), title: "a requirement")])
        case 3: return .transport([dice.pick([.tcp, .udp])])
        case 4: return .port(dice.pick([[443...443], [1...100, 90...200], [0...65_535]]))
        case 5: return .address(prefixes())
        case 6: return .interface([dice.pick([.wired, .wifi, .peerToPeer])])
        case 7: return .user([dice.pick([0...0, 500...2_000])])
        case 8: return .applicationProtocol([dice.pick(["tls", "http/1.1"])])
        case 9: return dice.pick([.session([.console]), .intake([.transparent]), .time(Self.workdays)])
        case 10...13:
            var destination = Destination()
            if dice.roll(3) > 0 { destination.names = names() }
            if dice.roll(3) == 0 { destination.prefixes = prefixes() }
            if dice.roll(3) == 0 { destination.formUnion(dice.pick(lists), "list") }
            return .to(destination, dice.pick([.resolved, .claimed, .claimed, .proved]))
        case 14: return .not(condition(depth: depth + 1))
        case 15: return .any([condition(depth: depth + 1), condition(depth: depth + 1)])
        default: return .all([condition(depth: depth + 1), condition(depth: depth + 1)])
        }
    }

    private mutating func names() -> HostSet {
        var set = HostSet()
        for _ in 0...dice.roll(3) {
            guard let name = HostName(dice.pick(Self.hosts + ["test"])) else { continue }
            set.insert(HostPattern(name, isBelow: dice.roll(3) == 0))
        }
        return set
    }

    private mutating func prefixes() -> PrefixSet {
        PrefixSet(
            ["10.0.0.0/8", "203.0.113.0/24", "203.0.113.7/32", "2001:db8::/32"].compactMap { text in
                dice.roll(2) == 0 ? nil : IPPrefix(text)
            })
    }

    private mutating func exclusions() -> [Exclusion] {
        [
            Exclusion(
                row: "core-protocols/ntp", tier: .never, transports: [.udp], ports: [123...123], scope: .open,
                reason: "time", consequence: ""),
            Exclusion(
                row: "core-protocols/local", tier: dice.pick([.never, .default]), transports: [.tcp, .udp], ports: [],
                scope: dice.pick([.prefixes(["10.0.0.0/8"].compactMap { IPPrefix($0) }), .peerToPeer]), reason: "local",
                consequence: ""),
        ]
    }

    private var relays: [HostRow] {
        ["mask.test", "mask.d.c.test"].compactMap { HostPattern($0) }.map {
            HostRow(
                catalogue: "private-relay", pattern: $0, category: "relay", reason: "", evidence: .seen, source: "")
        }
    }
}
