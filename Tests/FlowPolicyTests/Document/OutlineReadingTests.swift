// SPDX-License-Identifier: Apache-2.0

// What checks learn of a document beside its rules.

import FlowModel
import Testing

@testable import FlowPolicy

@Suite("The outline of a document")
struct OutlineReadingTests {
    private static let yaml = """
        version: 1
        mode: enforce
        include: [shared.yaml]
        requirements:
          agent: 'anchor apple generic and certificate leaf[subject.OU] = "AB12CD34EF"'
          forgotten: 'anchor apple'
        lists:
          partners: [a.example]
          nobody: [b.example]
        capture:
          exclude: core-protocols
          inspect-never:
            - apns
            - macos-daemons/com.apple.trustd
        dns: {others: block}
        unknown: {exited: block}
        privacy: {users: name}
        rules:
          - {name: a, when: {code: agent, to: list partners}, then: relay}
          - {name: rest, then: inspect, profile: strict}
        profiles:
          strict: {detect: "*"}

        """

    private func policy() throws -> Policy {
        let shared = "profiles: {spare: {detect: \"*\"}}\nlists: {common: [c.example]}\n"
        return try Policy.read(
            yaml: Self.yaml, file: "test.yaml",
            PolicyEnvironment(
                detectors: Sample.detectors, catalogues: Sample.catalogues,
                files: MemoryFiles(texts: ["shared.yaml": shared])))
    }

    @Test("What no rule refers to is told, in the file that declares it")
    func declarations() throws {
        let outline = try policy().outline
        let unused = outline.declarations.filter { !$0.isUsed }.map { "\($0.kind) \($0.name) \($0.place)" }
        #expect(
            Set(unused) == [
                "requirement forgotten test.yaml:6:3", "list nobody test.yaml:9:3", "list common shared.yaml:2:9",
                "profile spare shared.yaml:1:12",
            ])
        #expect(Set(outline.declarations.filter(\.isUsed).map(\.name)) == ["agent", "partners", "strict"])
    }

    @Test("A profile that `unknown` or the only rule needs is used without being named")
    func implied() throws {
        for rules in ["[{name: a, when: {port: 1}, then: inspect}]", "[{name: a, then: block}]"] {
            let policy = try Sample.policy(
                "version: 1\nunknown: {exited: inspect}\nrules: \(rules)\nprofiles: {p: {detect: \"*\"}}\n")
            #expect(policy.outline.declarations.allSatisfy { $0.isUsed })
        }
    }

    @Test("Findings about settings stand where the settings do")
    func places() throws {
        let findings = try policy().check(now: CheckSample.now).filter { $0.rule == nil }
        let places = Dictionary(grouping: findings) { $0.code }.mapValues { $0.map { "\($0.place)" } }
        #expect(places[.neverRowTaken] == ["test.yaml:13:7", "test.yaml:14:7"])
        #expect(places[.dnsBlocked] == ["test.yaml:15:1"])
        #expect(places[.usersNamed] == ["test.yaml:17:1"])
        let policy = try policy()
        #expect(policy.outline.keys["unknown.exited"]?.description == "test.yaml:16:11")
        #expect(policy.outline.keys["mode"]?.line == 2)
        #expect(policy.outline.keys["rules"]?.line == 19)
    }

    @Test("A row of the never set is taken out by its id or its name in full, and what breaks is said")
    func neverRows() throws {
        let findings = try policy().check(now: CheckSample.now).filter { $0.code == .neverRowTaken }
        #expect(findings.map { $0.message.contains("no push") } == [true, false])
        #expect(findings.last?.message.contains("trust") == true)
        #expect(findings.allSatisfy { !$0.message.contains("no row says") })
        var facts = try Sample.facts("a.example:443 class=os")
        facts.identity.neverRow = "macos-daemons/com.apple.trustd"
        #expect(try policy().refine(facts).reason.code != "never")
        #expect(
            Sample.problems(
                Self.yaml.replacing("- apns", with: "- core-protocols/apms").replacing(
                    "include: [shared.yaml]\n", with: "")
            ).map(\.code) == [.unknownName])
    }

    @Test("By its name in full a row leaves the kernel's exclusions too", arguments: ["id", "row"])
    func kernel(by name: String) throws {
        let rows = Catalogues.shipped.exclusions(for: PolicySettings()).filter { $0.tier == .never }.map(\.row)
        #expect(!rows.isEmpty)
        for row in rows {
            let word = name == "row" ? row : String(row.split(separator: "/").last ?? "")
            let policy = try Policy.read(
                yaml: "version: 1\ncapture: {inspect-never: [\(word)]}\nrules: [{name: a, then: block}]\n",
                file: "test.yaml", PolicyEnvironment(detectors: Sample.detectors))
            #expect(!policy.exclusions.map(\.row).contains(row))
            #expect(policy.exclusions.count < Catalogues.shipped.exclusions(for: PolicySettings()).count)
        }
    }
}
