// SPDX-License-Identifier: Apache-2.0

// However a stream is cut, findings and output are the same.

import FlowModel
import Testing

@testable import ContentInspection

@Suite("Cuts")
struct CutInvarianceTests {
    static let short = [
        "pay 4111 1111 1111 1111 123 now", "x=4111111111111111&y=1", "{\"n\": 4111111111111111}",
        "3782-822463-10005.", "4111111111111111-4", "12 4111 1111 1111 1111 5555 5555",
        "IBAN GB82 WEST 1234 5698 7654 32 ok", "de89370400440532013000", "a@b.example, 'c.d@e.example.'",
        "to=joe%40example.com&c=%204111111111111111", "a\\n4111111111111111\\nDE89370400440532013000",
        "gh ghp_ 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!", "ghp_qhFWCEPyYngFb51yBMWXaSCrUZoL8g00LEt0 g",
        "4111111111111111@example.com x@4111111111111111", "----------BEGIN PRIVATE KEY-----  ",
        "joe-DE89370400440532013000-ghp@x.example", "0.4111111111111111 4111111111111111.5",
    ]

    static func plans() throws -> [InspectionPlan] {
        [try Plans.shipped(), try Plans.all(.redact), try Plans.all(.report), try Plans.all(.block)]
    }

    @Test("Every pair of cuts of a short text gives what no cut gives", arguments: short)
    func everyPair(_ text: String) throws {
        let bytes = Array(text.utf8)
        for plan in try Self.plans() {
            for restraint in [nil, Reason("hash", "")] {
                let whole = Driver.run(bytes, through: StreamInspector(plan: plan, restraint: restraint)).outcome
                for first in 0...bytes.count {
                    for second in first...bytes.count {
                        let inspector = StreamInspector(plan: plan, restraint: restraint)
                        #expect(Driver.run(bytes, cuts: [first, second], through: inspector).outcome == whole)
                    }
                }
            }
        }
    }

    @Test("A deadline, wherever it falls, gives the same for every cut", arguments: short)
    func deadlines(_ text: String) throws {
        let bytes = Array(text.utf8)
        for plan in [try Plans.shipped(), try Plans.all(.redact)] {
            for at in 0...bytes.count {
                let events = [TimedEvent(offset: at, event: .deadline)]
                let whole = Driver.run(bytes, events: events, through: StreamInspector(plan: plan)).outcome
                for cut in 0...bytes.count {
                    let driver = Driver.run(bytes, cuts: [cut], events: events, through: StreamInspector(plan: plan))
                    #expect(driver.outcome == whole)
                }
            }
        }
    }

    @Test("The end of a field, wherever it falls, gives the same for every cut", arguments: short)
    func fields(_ text: String) throws {
        let bytes = Array(text.utf8)
        let plan = try Plans.all(.redact)
        for at in 0...bytes.count {
            let events = [TimedEvent(offset: at, event: .endOfField)]
            let whole = Driver.run(bytes, events: events, through: StreamInspector(plan: plan)).outcome
            for cut in 0...bytes.count {
                let driver = Driver.run(bytes, cuts: [cut], events: events, through: StreamInspector(plan: plan))
                #expect(driver.outcome == whole)
            }
        }
    }

    @Test("Every cut of a private key gives the same, with and without a deadline in it")
    func privateKeys() throws {
        for lineEnd in ["\n", "\\n", "%0D%0A"] {
            let bytes = Array("a \"\(Samples.key(lineEnd: lineEnd))\" b 4111111111111111".utf8)
            for (plan, at) in [
                (try Plans.shipped(), 0), (try Plans.all(.block), 0), (try Plans.shipped(), 20),
                (try Plans.shipped(), 38), (try Plans.shipped(), 100),
            ] {
                let events = at > 0 ? [TimedEvent(offset: at, event: .deadline)] : []
                let whole = Driver.run(bytes, events: events, through: StreamInspector(plan: plan)).outcome
                for cut in bytes.indices {
                    for second in stride(from: cut, through: bytes.count, by: 7) {
                        let inspector = StreamInspector(plan: plan)
                        let driver = Driver.run(bytes, cuts: [cut, second], events: events, through: inspector)
                        #expect(driver.outcome == whole)
                    }
                }
            }
        }
    }

    /// Pieces from which long texts are made: data, near misses, and what stands between.
    static let pieces = [
        "4111111111111111", "4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005", "3782 822463 10005",
        "4111111111111112", "6222021000000000009", "GB82WEST12345698765432", "DE89 3704 0044 0532 0130 00",
        "gb82west12345698765432", "GB83WEST12345698765432", "joe.doe@example.com", "a+b@mail.example.org",
        "x%40y.example",
        Samples.token, Samples.fineGrained, "ghp_", "github_pat_11", "-----BEGIN PRIVATE KEY-----", "-----END", "-----",
        Samples.key(), Samples.key("EC PRIVATE KEY", lineEnd: "\\n"), " ", "\n", "-", ".", ",", ":", "\"", "{", "}",
        "[", "@", "%", "%20",
        "\\n", "_", "+", "/", "é", "the quick brown fox", "DE", "g", "gh", "4", "12", "2024-11-22", "0.", "card ",
        "XXXX",
        String(repeating: "a", count: 70), String(repeating: "-", count: 66), "550e8400-e29b-41d4-a716-446655440000",
    ]

    static func soup(_ chance: inout Chance, pieces count: Int) -> [UInt8] {
        (0..<count).flatMap { _ in Array(pieces[Int.random(in: 0..<pieces.count, using: &chance)].utf8) }
    }

    @Test("Random cuts and events of long texts give what one piece gives", arguments: 0..<60)
    func soups(_ seed: Int) throws {
        var chance = Chance(seed: UInt64(seed))
        let bytes = Self.soup(&chance, pieces: 40)
        let plan = try Self.plans()[seed % 3]
        let events = (0..<seed % 4).map { _ in
            TimedEvent(
                offset: Int.random(in: 0...bytes.count, using: &chance), event: seed % 5 == 0 ? .endOfField : .deadline)
        }
        let whole = Driver.run(bytes, events: events, through: StreamInspector(plan: plan)).outcome
        // One byte at a time, no position is left to the first stage: this checks it against the confirmers alone.
        let single = Driver.run(
            bytes, cuts: Array(0...bytes.count), events: events, through: StreamInspector(plan: plan))
        #expect(single.outcome == whole)
        // The longest that can stay undecided is an address: local part, `%40`, host name.
        #expect(single.mostHeld <= 64 + 3 + 254)
        for _ in 0..<12 {
            let cuts = (0..<Int.random(in: 1...9, using: &chance)).map { _ in
                Int.random(in: 0...bytes.count, using: &chance)
            }
            let driver = Driver.run(bytes, cuts: cuts, events: events, through: StreamInspector(plan: plan))
            #expect(driver.outcome == whole)
        }
    }

    @Test("What was masked is not found again", arguments: 0..<60)
    func masksAreFinal(_ seed: Int) throws {
        var chance = Chance(seed: UInt64(seed) + 1_000)
        let bytes = Self.soup(&chance, pieces: 30)
        for id in Detectors.all.map(\.id) {
            let plan = try Plans.only(id)
            let once = Driver.run(bytes, through: StreamInspector(plan: plan)).outcome
            #expect(once.output.count == bytes.count)
            let twice = Driver.run(once.output, through: StreamInspector(plan: plan)).outcome
            #expect(twice.text == once.text, "\(id)")
        }
    }
}
