// SPDX-License-Identifier: Apache-2.0

// The whole check: nothing grave about the policies that ship, order, bounds.

import FlowModel
import Testing

@testable import FlowPolicy

@Suite("Checking a policy")
struct PolicyCheckTests {
    private func read(_ yaml: String) throws -> Policy {
        try Policy.read(yaml: yaml, file: "test.yaml", PolicyEnvironment(detectors: Sample.detectors))
    }

    @Test("The presets have no error and no warning", arguments: Policy.presetNames)
    func presets(name: String) throws {
        let findings = try read(try #require(Policy.presetText(name))).check(now: CheckSample.now)
        #expect(findings.filter { $0.severity > .note }.map(\.description) == [])
    }

    @Test("The example of the guide has no error")
    func example() throws {
        let guide = try #require(PolicyVector.text("docs/policy.md"))
        let lines = guide.split(separator: "\n", omittingEmptySubsequences: false)
        let example = lines.drop { $0 != "```yaml" }.dropFirst().prefix { $0 != "```" }
        let findings = try read(example.joined(separator: "\n")).check(now: CheckSample.now)
        #expect(findings.filter { $0.severity == .error }.map(\.description) == [])
    }

    @Test("Findings stand in the order of the documents, one of a kind for each rule")
    func order() throws {
        let window = { () -> TimeWindow in
            var window = TimeWindow()
            window.notAfter = 0
            return window
        }()
        let policy = try CheckSample.policy([
            CheckSample.rule(1, [.codeClass([.os]), .time(window)], .relay),
            CheckSample.rule(2, [try CheckSample.to(["*.icloud.com"]), .time(window), .time(window)], .relay),
        ])
        #expect(
            CheckSample.found(policy) == [
                "warning expired r1", "warning inspects-nothing -", "warning os-relayed r1", "note claimed-name r2",
                "warning expired r2", "warning upload-domain r2",
            ])
    }

    @Test("A rule that is switched off is judged for nothing else")
    func switchedOff() throws {
        let policy = try CheckSample.policy([
            CheckSample.rule(1, [.codeClass([.os])], .block, mode: .off),
            CheckSample.rule(2, [.codeClass([.os])], .bypass),
            CheckSample.rule(3, [], .inspect),
        ])
        #expect(CheckSample.found(policy) == ["note rule-off r1"])
    }

    @Test("Too many findings are cut to the gravest, and that is said")
    func bounds() throws {
        let limit = PolicyLimits.findings.value
        var rules = (1...limit).map {
            CheckSample.rule($0, [.codeClass([.os]), .port([UInt16($0)...UInt16($0)])], .relay)
        }
        rules.append(CheckSample.rule(limit + 1, [.port([1...1]), .port([2...2])], .block))
        let findings = try CheckSample.policy(rules).check(now: CheckSample.now)
        #expect(findings.count == limit + 1)
        #expect(findings.contains { $0.code == .contradictory })
        #expect(findings.contains { $0.code == .incomplete })
    }

    @Test("Long lists in every rule end with the budget, and claims made by then are true")
    func budget() throws {
        let hosts = (0..<50).map { "h\($0).a.example" }
        let rules = try (1...200).map { number in
            CheckSample.rule(number, [try CheckSample.to(hosts + ["only\(number).example"])], .block)
        }
        let policy = try CheckSample.policy(rules)
        for (steps, codes) in [(0, [PolicyFinding.Code.incomplete]), (20_000, [.incomplete]), (2_000_000, [])] {
            var check = PolicyCheck(policy, now: 0, CheckBudget(steps))
            check.reach()
            #expect(check.outcome.map(\.code) == codes, "\(steps)")
        }
    }
}
