// SPDX-License-Identifier: Apache-2.0

// Random policies and flows for the capture plan, and what the policy says of them.

import CodeIdentity
import FlowModel

@testable import FlowPolicy

enum PlanSample {
    static func prefix(_ text: String) -> IPPrefix { IPPrefix(text) ?? PlanCompiler.machine[0] }

    static let loopback = Exclusion(
        row: "core-protocols/loopback", tier: .never, transports: [.tcp, .udp], ports: [],
        scope: .prefixes([prefix("127.0.0.0/8"), prefix("::1"), prefix("0.0.0.0"), prefix("::")]),
        reason: "it never leaves the machine", consequence: "")
    static let ntp = Exclusion(
        row: "core-protocols/ntp", tier: .never, transports: [.udp], ports: [123...123], scope: .open,
        reason: "delay is measured", consequence: "", unseen: "up to 48 bytes a query")
    static let push = Exclusion(
        row: "core-protocols/apns", tier: .never, transports: [.tcp], ports: [443...443, 5223...5223],
        scope: .prefixes([prefix("17.0.0.0/8"), prefix("17.249.0.0/16"), prefix("2620:149:a44::/48")]),
        reason: "pinned", consequence: "")
    static let awdl = Exclusion(
        row: "core-protocols/awdl", tier: .never, transports: [.tcp, .udp], ports: [], scope: .peerToPeer,
        reason: "not routable", consequence: "")
    static let media = Exclusion(
        row: "core-protocols/facetime-media", tier: .default, transports: [.udp], ports: [3478...3497, 49152...65535],
        scope: .open, reason: "real time", consequence: "", unseen: "anything")

    static func policy(
        mode: Policy.Mode = .enforce, exclusions: [Exclusion] = [loopback, ntp, push, awdl],
        dns: PolicySettings.DNS = .pass,
        holds: Set<UnknownCause> = [], unknown: [UnknownCause: Lane] = [:], stamp: UInt64 = 1,
        catalogues: Catalogues = Catalogues(edition: "test"),
        _ rules: [(lane: Lane, conditions: [Condition])], ruleModes: [Policy.Mode?] = []
    ) -> Policy {
        var parts = PolicyParts(stamp: stamp)
        parts.mode = mode
        parts.digest = "0123456789abcdef"
        parts.exclusions = exclusions
        parts.settings.dns = dns
        parts.holds = holds
        parts.catalogues = catalogues
        parts.unknown = Dictionary(
            uniqueKeysWithValues: unknown.map { cause, lane in
                (cause, (lane, mode.verdict(lane, profile: nil, rule: nil, code: "unknown-identity", cause: "test")))
            })
        parts.rules = rules.enumerated().map { index, rule in
            let own = (index < ruleModes.count ? ruleModes[index] : nil) ?? mode
            let name = "r\(index + 1)"
            return Rule(
                number: index + 1, name: name, place: SourcePlace(file: "test.yaml", line: index + 1, column: 1),
                conditions: rule.conditions,
                consequence: .flow(
                    rule.lane, own.verdict(rule.lane, profile: nil, rule: name, code: "rule", cause: "rule \(name)")),
                mode: own)
        }
        return Policy(parts)
    }

    /// What the policy may say of a flow, in the order of decision; nothing but bypass may be missed by a plan.
    static func lanes(_ policy: Policy, _ facts: FlowFacts) -> Set<Lane> {
        if policy.mode == .off
            || policy.exclusions.contains(where: { row in
                row.covers(facts.transport, facts.destination, facts.interface)
            }) || facts.identity.neverRow != nil
        {
            return [.bypass]
        }
        if facts.destination.port == 53 {
            let isOwn: Bool
            switch facts.identity.codeClass {
            case .unknown, .known(.os): isOwn = true
            case .known: isOwn = false
            }
            switch isOwn ? .pass : policy.settings.dns {
            case .pass: return [.bypass]
            case .report: return [policy.mode.effective(.relay)]
            case .block: return [policy.mode.effective(.block)]
            }
        }
        guard case .deferred(let deferral) = policy.admit(facts) else { return [policy.admit(facts).verdict.lane] }
        // Whatever may still be learnt of the name and the protocol.
        var lanes: Set<Lane> = [deferral.otherwise.lane]
        for name in ["a.example", "b.example"].compactMap({ HostName($0) }) {
            for proof in [NameProof.claimed, .proved] {
                for protocols in [[], ["tls"], ["ssh"]] {
                    var late = facts
                    late.learn(name, proof)
                    if late.protocols.isEmpty { late.protocols = protocols }
                    lanes.insert(policy.refine(late).lane)
                }
            }
        }
        return lanes
    }
}

/// Random policies and flows from a small world, so that they meet.
struct PlanDice {
    var dice: Dice
    /// Rules ask only for what a kernel sees.
    var isNetworkOnly = false
    static let prefixes = [
        "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3", "192.0.2.0/24", "17.0.0.0/8", "0.0.0.0/0",
        "128.0.0.0/1",
        "0.0.0.0/8", "fd00::/8", "2001:db8::/32", "2001:db8::10", "::/0", "2620:149:a44::/48", "::/8",
    ]
    static let addresses = [
        "10.0.0.0", "10.255.255.255", "10.1.2.3", "10.1.2.4", "10.1.3.1", "11.0.0.0", "9.255.255.255", "192.0.2.1",
        "17.1.1.1", "127.0.0.1", "0.0.0.0", "0.0.0.1", "255.255.255.255", "198.51.100.7", "128.0.0.0", "fd00::1", "::1",
        "::", "2001:db8::10", "2001:db8::11", "2620:149:a44::5", "ff02::1", "fe80::1%3", "::2", "2a00::1",
    ]
    static let ports: [UInt16] = [1, 22, 53, 80, 122, 123, 124, 443, 5223, 8000, 8080, 49151, 49152, 65535]
    private static let ranges: [ClosedRange<UInt16>] = [
        22...22, 53...53, 80...80, 443...443, 1...1023, 8000...8080, 49152...65535, 123...443, 0...65535,
    ]

    init(_ seed: UInt64) { dice = Dice(seed) }

    private mutating func many<Element>(_ elements: [Element]) -> [Element] {
        (0...dice.roll(3)).map { _ in dice.pick(elements) }
    }

    mutating func condition(_ depth: Int = 0) -> Condition {
        switch isNetworkOnly
            ? dice.pick(depth > 2 ? [0, 1, 3] : [0, 1, 3, 1, 3, 10, 12, 14]) : dice.roll(depth > 2 ? 10 : 17)
        {
        case 0: return .transport([dice.pick([.tcp, .udp])])
        case 1, 2: return .port(many(Self.ranges))
        case 3, 4: return .address(PrefixSet(many(Self.prefixes).map(PlanSample.prefix)))
        case 5:
            var destination = Destination()
            if dice.roll(2) == 0, let name = HostName("a.example") { destination.names.insert(name) }
            if dice.roll(2) == 0 { destination.prefixes = PrefixSet(many(Self.prefixes).map(PlanSample.prefix)) }
            return .to(destination, dice.pick([.resolved, .claimed, .proved]))
        case 6: return .codeClass([dice.pick(CodeClass.allCases)])
        case 7: return .interface([dice.pick(InterfaceClass.allCases)])
        case 8: return .user([0...999])
        case 9:
            return dice.pick([
                .session([.console]), .applicationProtocol(["tls"]), .executable([ExecutablePattern(text: "/usr/*")]),
                .code([RequirementReference(policy: 1, number: 0, title: "r")]), .intake([.networkExtension]),
                .intake([.transparent, .exec]), .time(TimeWindow()),
            ])
        case 10, 11: return .not(condition(depth + 1))
        case 12, 13: return .any((0...dice.roll(3)).map { _ in condition(depth + 1) })
        default: return .all((0...dice.roll(3)).map { _ in condition(depth + 1) })
        }
    }

    mutating func policy() -> Policy {
        let mode = dice.pick([Policy.Mode.enforce, .enforce, .observe, .decide, .off])
        // Rules that depend on the network alone come often: only they make a plan that leaves something alone.
        var rules = (0...dice.roll(6)).map { _ in
            (
                lane: dice.pick(Lane.allCases + [.bypass, .bypass]),
                conditions: (0...dice.roll(2)).map { _ in condition() }
            )
        }
        if dice.roll(3) > 0 { rules.append((dice.pick(Lane.allCases), [])) }
        let modes = rules.map { _ in dice.roll(6) == 0 ? Policy.Mode.decide : nil }
        let rows = [PlanSample.ntp, PlanSample.push, PlanSample.awdl, PlanSample.media].filter { _ in dice.roll(2) == 0
        }
        return PlanSample.policy(
            mode: mode, exclusions: [PlanSample.loopback] + rows, dns: dice.pick(PolicySettings.DNS.allCases),
            unknown: dice.roll(4) == 0 ? [dice.pick(UnknownCause.allCases): dice.pick(Lane.allCases)] : [:], rules,
            ruleModes: modes)
    }

    mutating func destination() -> Endpoint {
        let text = dice.pick(Self.addresses)
        let address = IPAddress(text) ?? .v4(0)
        return Endpoint(host: .address(address), port: dice.pick(Self.ports))
    }

    /// A flow to a destination by anybody, with anything else that may be known of it.
    mutating func facts(_ destination: Endpoint, _ transport: Transport, _ intake: IntakeKind) -> FlowFacts {
        let known = dice.roll(4) > 0
        var identity = IdentitySummary(
            known ? .known(dice.pick(CodeClass.allCases)) : .unknown(dice.pick(UnknownCause.allCases)))
        if dice.roll(2) == 0 { identity.executable = dice.pick(["/usr/bin/a", "/opt/a"]) }
        if dice.roll(2) == 0 { identity.userID = dice.pick([0, 1000]) }
        if dice.roll(2) == 0 { identity.requirements = RequirementResults(policy: 1, [dice.roll(2) == 0]) }
        if dice.roll(20) == 0 { identity.neverRow = "macos-daemons/a" }
        var facts = FlowFacts(
            id: FlowID(1), transport: transport, intake: intake, destination: destination, identity: identity,
            startedAt: 0)
        if dice.roll(3) == 0 { facts.interface = dice.pick(InterfaceClass.allCases) }
        if dice.roll(3) == 0 { facts.session = .console }
        if dice.roll(3) == 0, let name = HostName(dice.pick(["a.example", "b.example"])) {
            facts.learn(name, dice.pick([.resolved, .claimed, .proved]))
        }
        if dice.roll(5) == 0 { facts.protocols = ["tls"] }
        return facts
    }
}
