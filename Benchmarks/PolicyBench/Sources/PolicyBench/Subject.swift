// SPDX-License-Identifier: Apache-2.0

// The policy that is measured, and the flows it decides.

import CodeIdentity
import FlowModel
import FlowPolicy

/// A list of hosts that is no file.
struct HostsFile: PolicyFiles {
    let text: String

    func text(of path: String, namedBy document: String) throws(PolicyFileProblem) -> PolicyFile {
        PolicyFile(name: path, text: text)
    }
}

/// A thousand rules of the kinds that sites write, and a hundred thousand hosts.
struct Subject {
    static let hosts = 100_000
    static let rules = 1_000

    /// What is peculiar to a policy.
    enum Shape: String {
        case plain
        case decide
        /// Every program meets the requirements, and each of those rules asks a host besides.
        case code
        /// Five hundred rules ask for the list of all hosts.
        case shared
    }

    let shape: Shape
    let yaml: String
    let environment: PolicyEnvironment

    init(_ shape: Shape = .plain) {
        self.shape = shape
        let hosts = (0..<Self.hosts).map { number in
            "\(number.isMultiple(of: 4) ? "*." : "")\(Self.name(number))"
        }
        var rules = [
            "{name: system, when: {class: os}, then: bypass}",
            "{name: blocked, when: {to: list blocked, class: [third-party, unsigned]}, then: block}",
        ]
        for number in 3..<Self.rules {
            // Every kind of condition, most of them on names, as in real policies.
            let when =
                switch number % 10 {
                case 2 where shape == .code, 6 where shape == .code:
                    "{code: 'package \"tool-\(number)\"', to: \"site-\(number).example\"}"
                case let kind where shape == .shared && kind.isMultiple(of: 2):
                    "{to: list blocked, port: \(2_000 + number), class: platform-interactive}"
                case 0: "{address: 10.\(number / 256).\(number % 256).0/24}"
                case 1: "{port: [\(1_024 + number), \(20_000 + number)-\(20_100 + number)]}"
                case 2: "{code: 'package \"tool-\(number)\"'}"
                case 3 where number < 80: "{to: list blocked, port: \(2_000 + number), class: platform-interactive}"
                case 4: "{executable: \"/opt/tool-\(number)/*\", port: 443, to: \"tool-\(number).example\"}"
                case 5: "{user: \(100_000 + number), transport: udp, to: \"*.udp-\(number).example\"}"
                default: "{to: [site-\(number).example, \"*.site-\(number).example\", 198.51.\(number % 256).0/24]}"
                }
            let then = ["relay", "inspect", "block"][number % 3]
            rules.append("{name: rule \(number), when: \(when), then: \(then)}")
        }
        rules.append("{name: rest, then: inspect}")
        yaml = """
            version: 1
            mode: \(shape == .decide ? "decide" : "enforce")
            unknown: {exited: relay, unresolved: block}
            lists:
              blocked: {file: hosts.txt}
            rules:
            \(rules.map { "  - \($0)" }.joined(separator: "\n"))
            profiles:
              strict: {detect: "*", outbound: redact}

            """
        environment = PolicyEnvironment(
            detectors: [DetectorName(id: "iban", family: "iban")],
            files: HostsFile(text: hosts.joined(separator: "\n")))
    }

    private static func name(_ number: Int) -> String {
        "h\(number &* 2_654_435_761 % 1_000_003).zone-\(number % 997).example"
    }

    func read() throws -> Policy { try Policy.read(yaml: yaml, file: "bench.yaml", environment) }

    /// Flows of programs that are known, each another one: what a machine makes.
    func mixed(_ policy: Policy, _ count: Int) -> [FlowFacts] {
        var sequence = Sequence32()
        return (0..<count).compactMap { _ -> FlowFacts? in
            let host: String
            switch sequence.next(below: 10) {
            case 0: host = "10.\(sequence.next(below: 4)).\(sequence.next(below: 256)).7"
            case 1: host = "203.0.113.\(sequence.next(below: 256))"
            case 2, 3: host = "www.\(Self.name(sequence.next(below: Self.hosts)))"
            case 4, 5: host = Self.name(sequence.next(below: Self.hosts))
            case 6, 7: host = "cdn.site-\(sequence.next(below: 1_000)).example"
            default: host = "a\(sequence.next(below: 1_000_000)).elsewhere.test"
            }
            let classes: [CodeClass] = [.os, .os, .platformInteractive, .thirdParty, .thirdParty, .vendor, .unsigned]
            return facts(policy, host, classes[sequence.next(below: classes.count)])
        }
    }

    /// What decides a flow that is left alone.
    enum Bypass: String, CaseIterable {
        /// A rule on the class of the program.
        case bypass
        /// A network of the never set: the first whose row names ports.
        case exclusion
        /// A never row of a program.
        case never
        /// `dns`, for a query of the system.
        case dns
        /// The mode `decide`, whatever the rules say.
        case decide
    }

    /// Flows that bypass, by one of the ways.
    func bypassed(_ way: Bypass, _ policy: Policy, _ count: Int) -> [FlowFacts] {
        (0..<count).compactMap { number in
            let name = number.isMultiple(of: 2) ? Self.name(number) : "203.0.113.9"
            switch way {
            case .bypass: return facts(policy, name, .os)
            case .exclusion: return excluded(policy)
            case .never:
                var facts = facts(policy, name, .os)
                facts?.identity.neverRow = Self.neverRow
                return facts
            case .dns: return facts(policy, "203.0.113.9", .os, port: 53)
            case .decide: return facts(policy, name, number.isMultiple(of: 3) ? .thirdParty : .vendor)
            }
        }
    }

    private func excluded(_ policy: Policy) -> FlowFacts? {
        for exclusion in policy.exclusions {
            guard case .prefixes(let prefixes) = exclusion.scope, let port = exclusion.ports.first?.lowerBound,
                let transport = exclusion.transports.first,
                let network = prefixes.first?.description.split(separator: "/").first
            else { continue }
            var flow = facts(
                policy, network.contains(":") ? "[\(network)]" : "\(network)", .thirdParty, port: Int(port))
            flow?.transport = transport
            return flow
        }
        return nil
    }

    static let neverRow =
        Catalogues.shipped.programs.first { $0.tier == .never }.map { "\($0.catalogue)/\($0.id)" } ?? "none"

    private func facts(_ policy: Policy, _ host: String, _ known: CodeClass, port: Int = 443) -> FlowFacts? {
        guard let endpoint = Endpoint("\(host):\(port)") else { return nil }
        let judged = policy.judge(evidence(known))
        return FlowFacts(id: FlowID(1), intake: .transparent, destination: endpoint, identity: judged, startedAt: 0)
    }

    /// A program that meets the requirements that rules ask, or none of them.
    func evidence(_ known: CodeClass) -> CodeEvidence {
        let isMet = shape == .code
        let summary = IdentitySummary(.known(known), executable: "/usr/bin/program", processID: 1, userID: 1_000)
        return CodeEvidence(summary: summary) { _ in isMet }
    }
}

/// A sequence that is the same in each run, and whose order no cache can guess.
struct Sequence32 {
    private var state: UInt64 = 0x9e37_79b9_7f4a_7c15

    mutating func next(below bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
    }
}
