// SPDX-License-Identifier: Apache-2.0

// Includes and overlays.

import FlowModel
import Testing

@testable import FlowPolicy

@Suite("Includes and overlays")
struct PolicyLayersTests {
    private static let rules = "rules: [{name: a, then: relay}]\n"

    private func environment(_ texts: [String: String]) -> PolicyEnvironment {
        PolicyEnvironment(detectors: Sample.detectors, catalogues: Sample.catalogues, files: MemoryFiles(texts: texts))
    }

    @Test("A chain of overlays is followed to the limit and no further")
    func chain() {
        func problems(_ count: Int) -> [PolicyProblem.Code] {
            var texts = ["\(count)": "version: 1\n" + Self.rules]
            for number in 1..<count { texts["\(number)"] = "version: 1\nextends: \"\(number + 1)\"\n" }
            return Sample.problems("version: 1\nextends: \"1\"\n", environment(texts)).map(\.code)
        }
        #expect(problems(PolicyLimits.chain.value - 1).isEmpty)
        #expect(problems(PolicyLimits.chain.value) == [.tooDeep])
    }

    @Test("Includes of includes are followed to the limit and no further")
    func includes() {
        func problems(_ count: Int) -> [PolicyProblem.Code] {
            var texts = ["\(count)": "lists: {l: a.example}\n"]
            for number in 1..<count { texts["\(number)"] = "include: \"\(number + 1)\"\n" }
            return Sample.problems("version: 1\ninclude: \"1\"\n" + Self.rules, environment(texts)).map(\.code)
        }
        #expect(problems(PolicyLimits.chain.value).isEmpty)
        #expect(problems(PolicyLimits.chain.value + 1) == [.tooDeep])
    }

    @Test("A file that two others include is taken once")
    func diamond() {
        let texts = [
            "a": "include: c\nlists: {a: a.example}\n", "b": "include: c\nlists: {b: b.example}\n",
            "c": "lists: {c: c.example}\n",
        ]
        let yaml =
            "version: 1\ninclude: [a, b]\nrules: [{name: r, when: {to: [list a, list b, list c]}, then: relay}]\n"
        #expect(Sample.problems(yaml, environment(texts)).isEmpty)
    }

    @Test("A document that includes or extends itself is refused", arguments: ["include", "extends"])
    func itself(key: String) {
        let yaml = "version: 1\n\(key): test.yaml\n" + Self.rules
        #expect(Sample.problems(yaml, environment(["test.yaml": yaml])).map(\.code) == [.cycle])
    }

    @Test("A chain that fans out at every step is bounded by the number of files")
    func fan() {
        var texts: [String: String] = [:]
        for level in 0..<8 {
            for side in 0..<8 {
                let next = (0..<8).map { "\"\(level + 1)/\($0)\"" }.joined(separator: ", ")
                texts["\(level)/\(side)"] = "include: [\(next)]\n"
            }
        }
        let problems = Sample.problems("version: 1\ninclude: 0/0\n" + Self.rules, environment(texts))
        #expect(problems.contains { $0.code == .tooMany })
    }

    @Test("Settings merge key by key, null takes one out, and definitions merge by name")
    func merge() throws {
        let base = """
            version: 1
            mode: enforce
            dns: {others: block}
            deferred: {within: 2s, then: block}
            privacy: {users: name, retain: 7d}
            unknown: {exited: block, no-token: hold}
            vendor: {teams: [AB12CD34EF], packages: [a]}
            lists: {one: a.example, two: b.example}
            profiles:
              p: {detect: [iban], outbound: {default: redact, iban: block}, on_failure: {before_takeover: block}}
            rules:
              - {name: r, when: {to: [list one, list two]}, then: block}
              - {name: rest, then: inspect}

            """
        let overlay = """
            version: 1
            extends: base
            dns: null
            deferred: {within: null}
            privacy: {retain: 9d}
            unknown: {exited: null}
            vendor: {packages: [b, c]}
            lists: {two: c.example}
            profiles: {p: {outbound: {iban: null}, on_failure: {after_takeover: relay}}}

            """
        let policy = try Policy.read(yaml: overlay, file: "top", environment(["base": base]))
        #expect(policy.mode == .enforce)
        #expect(policy.settings.dns == .pass)
        #expect(policy.settings.deadline == .init(milliseconds: nil, outcome: .block))
        #expect(policy.settings.privacy == .init(users: .name, retainDays: 9))
        #expect(policy.holds == [.noToken])
        #expect(policy.unknown.isEmpty)
        #expect(policy.settings.vendorTeams == ["AB12CD34EF"])
        #expect(policy.settings.vendorPackages == ["b", "c"])
        let profile = try #require(policy.profile("p"))
        #expect(profile.decision(on: "iban", .outbound).action == .redact)
        #expect(profile.onFailure == .init(beforeTakeover: .block, afterTakeover: .relay))
        for (host, lane) in [("a.example", Lane.block), ("b.example", .inspect), ("c.example", .block)] {
            #expect(try policy.admit(Sample.facts("\(host):443")).verdict.lane == lane)
        }
    }

    @Test("A rule keeps the place where it stands, in whichever file, and so does a key that was changed")
    func places() throws {
        let base = "version: 1\nrules:\n  - {name: a, when: {port: 1}, then: block}\n  - {name: b, then: relay}\n"
        let overlay = """
            version: 1
            extends: base
            rules:
              - {change: a, set: {when: {port: 2}}}
              - {name: c, when: {port: 3}, then: block}
            """
        let policy = try Policy.read(yaml: overlay, file: "top", environment(["base": base]))
        #expect(policy.rules.map { "\($0.name) \($0.place)" } == ["a base:3:5", "c top:5:5", "b base:4:5"])
        let bad = Sample.problems(
            overlay.replacing("port: 2", with: "port: 0"), environment(["base": base]))
        #expect(bad.map { "\($0.file):\($0.line):\($0.column)" } == ["test.yaml:4:36"])
    }

    @Test("An overlay may turn a whole document down without asking its rules, and a rule may not ask for more")
    func modes() throws {
        let base = """
            version: 1
            mode: enforce
            rules: [{name: a, when: {port: 1}, then: block, mode: observe}, {name: b, then: relay}]
            """
        let files = environment(["base": base])
        for mode in ["decide", "observe", "off"] {
            let policy = try Policy.read(yaml: "version: 1\nextends: base\nmode: \(mode)\n", file: "top", files)
            #expect(policy.rules.map(\.mode.rawValue) == [mode, mode])
        }
        let more = "version: 1\nextends: base\nmode: observe\nrules: [{change: a, set: {mode: enforce}}]\n"
        #expect(Sample.problems(more, files).map(\.code) == [.contradiction])
    }

    @Test("A broken file is the one problem: what it would define is not missed", arguments: ["extends", "include"])
    func broken(key: String) {
        let yaml = """
            version: 1
            \(key): broken
            rules:
              - {name: a, when: {to: list l, code: c}, then: inspect, profile: p}
              - {name: b, then: inspect}
            """
        let problems = Sample.problems(yaml, environment(["broken": "version: 1\nrules: [\n"]))
        #expect(problems.map(\.code) == [.syntax])
        #expect(problems.first?.file == "broken")
        #expect(problems.first?.message.hasSuffix("(the rest of this file was not read)") == true)
    }

    @Test("An overlay with more changes than the limit is refused")
    func changes() {
        func problems(_ count: Int) -> [PolicyProblem.Code] {
            let items = (1...count).map { "  - {name: r\($0), when: {port: 1}, then: block}\n" }.joined()
            return Sample.problems(
                "version: 1\nextends: base\nrules:\n" + items, environment(["base": "version: 1\n" + Self.rules])
            ).map(\.code)
        }
        #expect(problems(PolicyLimits.changes.value).isEmpty)
        #expect(problems(PolicyLimits.changes.value + 1) == [.tooMany])
    }

    @Test("Changes made by an overlay give the rules that a plain list would have")
    func model() throws {
        var dice = Dice(11)
        for _ in 0..<60 {
            var names = (0..<6).map { "r\($0)" }
            let base =
                "version: 1\nrules:\n" + names.map { "  - {name: \($0), when: {port: 1}, then: block}\n" }.joined()
                + "  - {name: rest, then: relay}\n"
            names.append("rest")
            var items = ""
            for number in 0..<6 {
                let target = dice.pick(Array(names.dropLast()))
                let index = try #require(names.firstIndex(of: target))
                let rule = "{name: n\(number), when: {port: 2}, then: block}"
                switch dice.roll(6) {
                case 0 where names.count > 2:
                    items += "  - remove: \(target)\n"
                    names.remove(at: index)
                case 1:
                    items += "  - {add: \(rule), before: \(target)}\n"
                    names.insert("n\(number)", at: index)
                case 2:
                    items += "  - {add: \(rule), after: \(target)}\n"
                    names.insert("n\(number)", at: index + 1)
                case 3:
                    items += "  - {add: \(rule), first: true}\n"
                    names.insert("n\(number)", at: 0)
                case 4:
                    items += "  - {change: \(target), set: {name: c\(number)}}\n"
                    names[index] = "c\(number)"
                default:
                    items += "  - \(rule)\n"
                    names.insert("n\(number)", at: names.count - 1)
                }
            }
            let policy = try Policy.read(
                yaml: "version: 1\nextends: base\nrules:\n" + items, file: "top", environment(["base": base]))
            #expect(policy.rules.map(\.name) == names)
            #expect(policy.rules.map(\.number) == Array(1...names.count))
        }
    }
}
