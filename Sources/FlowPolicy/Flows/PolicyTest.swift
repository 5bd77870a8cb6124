// SPDX-License-Identifier: Apache-2.0

// A test of a policy: flows, and what is to become of each.

internal import FlowModel

/// A table of flows with the verdicts that a policy is expected to give.
public struct PolicyTest: Sendable {
    /// What is expected of one flow; what is nil is not asked.
    struct Expectation: Sendable {
        var lane: Lane?
        /// The name of the rule that decides, or `none`.
        var rule: String?
        /// The code of the reason.
        var reason: String?
        /// The name of the profile, or `none`.
        var profile: String?
        /// The class of the program, or why none is known.
        var codeClass: String?
        /// Whether admission waits for a name.
        var deferred: Bool?
        /// What is done with what a detector finds, by its id: an action, or `none` where nobody looks for it.
        var content: [(detector: String, action: String)] = []
    }

    struct Case: Sendable {
        let name: String
        let place: SourcePlace
        let flow: FlowDescription
        let expectation: Expectation
    }

    public let file: String
    /// The policy that the document asks for: `preset report`, or a file; nil when it leaves that to the caller.
    public let policy: String?
    let cases: [Case]

    /// Runs every flow through a policy.
    public func run(_ policy: Policy) -> PolicyTestReport {
        var coverage = PolicyCoverage(policy)
        var failures: [PolicyTestReport.Failure] = []
        for test in cases {
            let facts = test.flow.facts(for: policy)
            let admission = policy.admit(facts)
            let verdict = policy.settle(facts)
            coverage.add(facts, verdict, content: test.flow.content, policy)
            var differences: [PolicyTestReport.Difference] = []
            func compare(_ what: String, _ expected: String?, _ got: String) {
                guard let expected, expected != got else { return }
                differences.append(.init(what: what, expected: expected, got: got))
            }
            let expectation = test.expectation
            compare("lane", expectation.lane?.rawValue, verdict.lane.rawValue)
            compare("rule", expectation.rule, verdict.rule ?? Self.none)
            compare("reason", expectation.reason, verdict.reason.code)
            compare("profile", expectation.profile, verdict.profile ?? Self.none)
            compare("class", expectation.codeClass, facts.identity.className)
            if let expected = expectation.deferred {
                var isDeferred = false
                if case .deferred = admission { isDeferred = true }
                compare("deferred", "\(expected)", "\(isDeferred)")
            }
            for (detector, action) in expectation.content {
                let found = policy.decision(on: detector, in: facts, verdict)
                compare("content \(detector)", action, found?.0.action.rawValue ?? Self.none)
            }
            guard !differences.isEmpty else { continue }
            failures.append(
                .init(name: test.name, place: test.place, differences: differences, flow: test.flow))
        }
        return PolicyTestReport(
            file: file, flows: cases.count, failures: failures, coverage: coverage, policy: policy)
    }

    /// The word for the absence of a rule, a profile or an action.
    static let none = "none"
}

/// What a test of a policy found.
public struct PolicyTestReport: Sendable {
    public struct Difference: Sendable, Hashable {
        /// `lane`, `rule`, `reason`, `profile`, `class`, `deferred`, or `content` with a detector.
        public let what: String
        public let expected: String
        public let got: String
    }

    public struct Failure: Sendable {
        public let name: String
        public let place: SourcePlace
        public let differences: [Difference]
        let flow: FlowDescription
    }

    public let file: String
    public let flows: Int
    public let failures: [Failure]
    public let coverage: PolicyCoverage
    let policy: Policy

    public var passed: Bool { failures.isEmpty }
}

extension PolicyTestReport {
    /// The report for people: each failure with its trace, then what the flows covered.
    public var text: String {
        var lines: [String] = []
        for failure in failures {
            lines.append("\(failure.place): \"\(failure.name)\" is decided otherwise than expected")
            lines += failure.differences.map { "  \($0.what): expected \($0.expected), got \($0.got)" }
            lines += failure.flow.explanation(policy).split(separator: "\n").map { "  | \($0)" }
        }
        let good = flows - failures.count
        lines.append("\(file): \(good) of \(flows) flows are decided as expected (policy \(policy.digest))")
        return (lines + coverage.lines).joined(separator: "\n")
    }

    /// The same for programs: a JSON object a line, of the kind `failure`, `difference`, `never-hit`, `hit` or `test`.
    public var jsonLines: String {
        var lines: [JSONLine] = []
        for failure in failures {
            lines.append(
                JSONLine([
                    ("kind", .text("failure")), ("name", .text(failure.name)), ("file", .text(failure.place.file)),
                    ("line", .number(failure.place.line)), ("column", .number(failure.place.column)),
                    ("trace", .texts(failure.flow.explanation(policy).split(separator: "\n").map(String.init))),
                ]))
            lines += failure.differences.map { difference in
                JSONLine([
                    ("kind", .text("difference")), ("name", .text(failure.name)), ("what", .text(difference.what)),
                    ("expected", .text(difference.expected)), ("got", .text(difference.got)),
                ])
            }
        }
        lines += coverage.jsonLines
        lines.append(
            JSONLine([
                ("kind", .text("test")), ("file", .text(file)), ("flows", .number(flows)),
                ("failures", .number(failures.count)), ("policy", .text(policy.digest)),
            ]))
        return lines.map(\.text).joined(separator: "\n")
    }
}

extension IdentitySummary {
    /// The class, or why none is known, in one word.
    var className: String {
        switch codeClass {
        case .known(let known): return known.rawValue
        case .unknown(let cause): return cause.rawValue
        }
    }
}
