// SPDX-License-Identifier: Apache-2.0

// Descriptions of flows: what they may say, and what is said of bad ones.

import FlowModel
import FlowPolicy
import Testing

@Suite struct FlowReaderTests {
    @Test("A description may give every fact that rules can ask")
    func everything() throws {
        let flow = try Described.flow(
            """
            to: "[2001:db8::1]:8443"
            transport: udp
            intake: network-extension
            names: {proved: b.example, resolved: c.example, claimed: A.example.}
            interface: wifi
            user: alice
            session: console
            protocol: [tls, http/1.1]
            time: 2026-11-24T15:00:00+01:00
            content: [private-key]
            identity: {class: vendor, executable: /opt/tool}
            """)
        let facts = flow.facts
        #expect(facts.destination.description == "[2001:db8::1]:8443")
        #expect(facts.transport == .udp && facts.intake == .networkExtension)
        #expect(
            facts.names.map { "\($0.name) \($0.proof)" } == [
                "c.example resolved", "a.example claimed", "b.example proved",
            ])
        #expect(facts.interface == .wifi && facts.session == .console && facts.protocols == ["tls", "http/1.1"])
        #expect(facts.startedAt == 1_795_528_800_000 && facts.utcOffset == 3600)
        #expect(facts.identity == IdentitySummary(.known(.vendor), executable: "/opt/tool", userID: 1001))
        #expect(flow.content == ["private-key"] && flow.evidence == nil && flow.notes == [])
    }

    @Test("A flow needs a destination alone: the port is 443, and nobody knows who made it")
    func least() throws {
        let facts = try Described.flow("to: a.example").facts
        #expect(facts.destination.description == "a.example:443")
        #expect(facts.names.map(\.proof) == [.claimed])
        #expect(facts.identity == IdentitySummary(.unknown(.notAsked)))
        #expect(facts.startedAt == 1_000 && facts.utcOffset == 3_600)
        #expect(try Described.flow("{to: a.example, identity: {}}").facts.identity.codeClass == .unknown(.notAsked))
    }

    @Test(
        "One, a list, JSON, and a JSON object a line are read alike",
        arguments: [
            ("to: a.example", 1), ("- to: a.example\n- to: b.example", 2),
            ("{\"to\": \"a.example\"}", 1), ("{\n  \"to\": \"a.example\"\n}", 1),
            ("[{\"to\": \"a.example\"},\n {\"to\": \"b.example\"}]", 2),
            ("{\"to\": \"a.example\"}\n\n{\"to\": \"b.example\"}\r\n  {\"to\": \"c.example:80\"}\n", 3),
        ])
    func forms(text: String, count: Int) throws {
        let flows = try Described.flows(text)
        #expect(flows.count == count)
        #expect(flows.first?.facts.destination.description == "a.example:443")
    }

    @Test("Problems have places, all of them in one run, also in JSON lines")
    func problems() {
        let text = """
            - {to: "a.example:443", bogus: 1}
            - {too: 3}
            - to: ":::"
              time: yesterday
              names: {claimed: "a b"}
              user: nobody-here
              identity: {class: wizard, intact: perhaps}
            - 7
            """
        #expect(
            Described.problems(text).map { "\($0.line):\($0.column) \($0.code.rawValue)" } == [
                "1:25 unknown-key", "2:3 missing-key", "2:4 unknown-key", "3:7 bad-value", "8:3 wrong-type",
            ])
        let more =
            "- {to: a.example, time: yesterday, names: {claimed: \"a b\"}, user: nobody-here,\n"
            + "   identity: {class: wizard, intact: perhaps}, transport: pigeon}\n"
        #expect(Described.problems(more).count == 6)
        let lines = "{\"to\": \"a.example\"}\n{\"to\": \"b.example\", \"tim\": 1}\n{\"to\": 5, \n{}"
        #expect(
            Described.problems(lines).map { "\($0.line) \($0.code.rawValue)" } == [
                "2 unknown-key", "3 syntax", "4 missing-key",
            ])
    }

    @Test(
        "Hostile texts are refused, never trapped on",
        arguments: [
            "", "\u{0}", "[", "- - - -", "&a [*a]", "- &a {to: x.example}\n- *a", "!!binary x", "to: [a]", "to: {}",
            "{to: a.example:0}", "{to: a.example:99999}", "{to: a.example, content: []}", "{to: a.example, names: [a]}",
            "to: a.example\nto: b.example", "{to: a.example, identity: 5}", "{to: a.example, user: -1}",
            "{to: a.example, user: 4294967296}", String(repeating: "[", count: 5_000), "{to: \"a\u{7}\"}",
        ])
    func hostile(text: String) { #expect(!Described.problems(text).isEmpty) }

    @Test("Random damage to a good description gives flows or problems with places inside the text")
    func damaged() throws {
        let good = Array(
            """
            - {to: "a.example:443", names: {claimed: b.example}, identity: {team: AB12CD34EF, identifier: c.d}}
            - to: 192.0.2.1:53
              transport: udp
              identity: {package: curl, path: /usr/bin/curl, intact: false, injection: [traced]}
            """.utf8)
        let policy = try Sample.policy("version: 1\nrules: [{name: all, then: relay}]")
        var dice = Dice(11)
        for _ in 0..<2_000 {
            var bytes = good
            for _ in 0...dice.roll(3) {
                let place = dice.roll(bytes.count)
                switch dice.roll(3) {
                case 0: bytes[place] = UInt8(dice.roll(256))
                case 1: bytes.remove(at: place)
                default: bytes.insert(dice.pick(Array("{}[]:,-&*\"'\n #".utf8)), at: place)
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            do throws(PolicyProblems) {
                for flow in try FlowDescription.read(text, file: "f", Described.context) {
                    #expect(!flow.explanation(policy).isEmpty)
                }
            } catch {
                #expect(error.problems.allSatisfy { $0.line >= 1 && $0.column >= 1 && $0.line < 20 })
            }
        }
    }

    @Test("An empty text is told what a flow needs, not what a policy needs")
    func empty() throws {
        for text in ["", "# nothing yet\n"] {
            #expect(Described.problems(text).map(\.message).allSatisfy { $0.hasPrefix("there is no flow in it") })
        }
    }

    @Test("More flows than the limit are refused")
    func limit() {
        let one = "{\"to\": \"a.example\"}\n"
        let text = String(repeating: one, count: PolicyLimits.describedFlows.value + 1)
        #expect(Described.problems(text).map(\.code) == [.tooMany])
    }
}
