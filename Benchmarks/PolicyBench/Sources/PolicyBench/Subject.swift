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

    let yaml: String
    let environment: PolicyEnvironment

    init() {
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
            mode: enforce
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

    /// Flows that bypass: programs of the system, whatever they reach.
    func bypassed(_ policy: Policy, _ count: Int) -> [FlowFacts] {
        (0..<count).compactMap { facts(policy, $0.isMultiple(of: 2) ? Self.name($0) : "203.0.113.9", .os) }
    }

    private func facts(_ policy: Policy, _ host: String, _ known: CodeClass) -> FlowFacts? {
        guard let endpoint = Endpoint("\(host):443") else { return nil }
        let summary = IdentitySummary(.known(known), executable: "/usr/bin/program", processID: 1, userID: 1_000)
        let judged = policy.judge(CodeEvidence(summary: summary) { _ in false })
        return FlowFacts(id: FlowID(1), intake: .transparent, destination: endpoint, identity: judged, startedAt: 0)
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
