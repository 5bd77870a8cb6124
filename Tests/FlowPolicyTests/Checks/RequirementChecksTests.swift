// SPDX-License-Identifier: Apache-2.0

// Requirements that prove nothing, by what the rules do with them.

import FlowModel
import Testing

@testable import FlowPolicy

@Suite("Requirements in rules")
struct RequirementChecksTests {
    private static let team = "anchor apple generic and certificate leaf[subject.OU] = \"AB12CD34EF\""
    private static let kinds: [PolicyFinding.Code] = [.weakRequirement, .allowsByNegation, .injectable]

    private func found(_ requirement: String, _ conditions: [Condition], _ lane: Lane) throws -> [String] {
        try CheckSample.found(
            CheckSample.policy([CheckSample.rule(1, conditions, lane)], requirements: [requirement]),
            of: [.weakRequirement])
    }

    @Test(
        "A requirement that anybody can meet is an error where it lets out, and a warning elsewhere",
        arguments: [
            "identifier \"com.example.sync\"", "info[CFBundleIdentifier] = \"com.example.sync\"",
            "certificate leaf[subject.CN] = \"Developer ID Application: Example*\"", "anchor apple generic",
            "anchor apple generic and identifier \"com.example.sync\"", "! anchor apple", "path \"/usr/bin/curl\"",
            "anchor apple or identifier \"com.example.sync\"",
        ])
    func weak(requirement: String) throws {
        let code = CheckSample.code(0)
        #expect(try found(requirement, [code], .bypass) == ["error weak-requirement r1"])
        #expect(try found(requirement, [code], .relay) == ["error weak-requirement r1"])
        #expect(try found(requirement, [code], .inspect) == ["warning weak-requirement r1"])
        // To block all but such code is to let such code out.
        #expect(try found(requirement, [.not(code)], .block) == ["error weak-requirement r1"])
        #expect(try found(requirement, [.not(.any([.not(code)]))], .relay) == ["error weak-requirement r1"])
        // To let out all but such code lets out less for every program that pretends to be it.
        #expect(try found(requirement, [.codeClass([.os]), .not(code)], .bypass) == ["warning weak-requirement r1"])
    }

    @Test(
        "A requirement that proves the code is none",
        arguments: [
            "anchor apple", "anchor apple and identifier \"com.apple.apsd\"", team, "package \"curl\"", "anchor os",
            "unit \"x.service\"", "\(team) and identifier \"com.example.sync\"",
            "cdhash H\"0123456789abcdef0123456789abcdef01234567\"",
        ])
    func strong(requirement: String) throws {
        #expect(try found(requirement, [CheckSample.code(0)], .bypass) == [])
    }

    @Test("The finding stands where the requirement does, names the way, and says what to add")
    func place() throws {
        let policy = try CheckSample.policy(
            [CheckSample.rule(1, [CheckSample.code(0)], .bypass)],
            requirements: ["anchor apple or identifier \"com.example.sync\""])
        let finding = try #require(policy.check(now: CheckSample.now).first { $0.code == .weakRequirement })
        #expect(finding.place == SourcePlace(file: "test.yaml", line: 100, column: 1))
        #expect(finding.message.contains("identifier \"com.example.sync\""))
        #expect(finding.message.contains("rule 1 \"r1\""))
        #expect(finding.mend.contains("subject.OU"))
    }

    @Test("A SHA-1 is a warning, and does not hide what is worse")
    func sha1() throws {
        let hash = "certificate leaf = H\"0123456789abcdef0123456789abcdef01234567\""
        #expect(try found(hash, [CheckSample.code(0)], .bypass) == ["warning weak-requirement r1"])
        #expect(try found("\(hash) or identifier a", [CheckSample.code(0)], .bypass) == ["error weak-requirement r1"])
    }

    @Test("Whatever is not some code is not let out without a word")
    func negation() throws {
        for (conditions, expected) in [
            ([Condition.not(CheckSample.code(0))], ["warning allows-by-negation r1"]),
            ([.not(.executable([ExecutablePattern(text: "/bin/a")]))], ["warning allows-by-negation r1"]),
            ([.not(CheckSample.code(0)), try CheckSample.to(["a.example"])], []),
            ([.not(CheckSample.code(0)), .codeClass([.os])], []), ([CheckSample.code(0), .port([443...443])], []),
        ] {
            let policy = try CheckSample.policy(
                [CheckSample.rule(1, conditions, .relay)], requirements: ["anchor apple"])
            #expect(CheckSample.found(policy, of: [.allowsByNegation]) == expected, "\(PolicyCheck.text(conditions))")
        }
        let blocked = try CheckSample.policy(
            [CheckSample.rule(1, [.not(CheckSample.code(0))], .block)], requirements: ["anchor apple"])
        #expect(CheckSample.found(blocked, of: [.allowsByNegation]) == [])
    }

    @Test("Programs that others' code runs inside are let out to a host and a port only")
    func injectable() throws {
        let host = try CheckSample.to(["*.a.example"])
        let address = Condition.address([try #require(IPPrefix("192.0.2.0/24"))])
        let port = Condition.port([443...443])
        let code = CheckSample.code(0)
        for (conditions, lacks) in [
            ([code], "`to` or `address` and `port`"), ([code, host], "`port`"), ([code, port], "`to` or `address`"),
            ([.codeClass([.vendor])], "`to` or `address` and `port`"),
            ([.codeClass([.os, .thirdParty]), address], "`port`"),
            ([code, host, .not(.port([22...22]))], "`port`"), ([code, .not(host), port], "`to` or `address`"),
            ([.any([.all([code, host, port]), code])], "`to` or `address` and `port`"),
        ] {
            let policy = try CheckSample.policy([CheckSample.rule(1, conditions, .bypass)], requirements: [Self.team])
            let findings = policy.check(now: CheckSample.now).filter { $0.code == .injectable }
            #expect(findings.count == 1, "\(PolicyCheck.text(conditions))")
            #expect(findings.first?.message.hasSuffix("it lacks \(lacks)") == true, "\(findings)")
        }
        for (conditions, lane) in [
            ([code, host, port], Lane.bypass), ([code, address, port], .relay), ([code], .inspect), ([code], .block),
            ([.codeClass([.os])], .bypass), ([host], .relay), ([code, .codeClass([.os])], .bypass),
        ] {
            let policy = try CheckSample.policy([CheckSample.rule(1, conditions, lane)], requirements: [Self.team])
            #expect(CheckSample.found(policy, of: [.injectable]) == [], "\(PolicyCheck.text(conditions))")
        }
    }

    @Test(
        "Unmodified programs of the system load nobody else's code",
        arguments: ["anchor apple", "anchor os and package curl"])
    func system(requirement: String) throws {
        let rule = CheckSample.rule(1, [CheckSample.code(0)], .bypass)
        #expect(try CheckSample.found(CheckSample.policy([rule], requirements: [requirement]), of: [.injectable]) == [])
        let either = try CheckSample.policy([rule], requirements: ["(\(requirement)) or \(Self.team)"])
        #expect(CheckSample.found(either, of: [.injectable]) == ["warning injectable r1"])
    }
}
