// SPDX-License-Identifier: Apache-2.0

// Holding, thresholds, restraints, deadlines and blocks of a stream.

import FlowModel
import Testing

@testable import ContentInspection

@Suite("Streams")
struct StreamInspectorTests {
    static let prose = """
        In the year 2024 the committee met 14 times, and on page 37 of its report (see A4, fig. 2) it says: the right of \
        a user to know who holds what about her is not in doubt. It cost $4,100 and took from 9:30 to 12:45 - no more. \
        Though the mighty GHOST of DE-regulation, e.g. in GB 20 years ago, did go on, nothing came of it. "Agreed!" said \
        Ms. Doe; the gig was over by 5 p.m. Call 555-0100 or +44 20 7946 0000 before 2025-01-31.
        """

    @Test("Prose holds next to nothing, wherever it is cut")
    func proseHoldsNothing() throws {
        let bytes = Array(Self.prose.utf8)
        var held: [Int] = []
        for cut in bytes.indices {
            var inspector = StreamInspector(plan: try Plans.shipped())
            var step = InspectionStep()
            inspector.feed(bytes.span.extracting(0..<cut), into: &step)
            held.append(cut - Int(step.releasable))
            #expect(step.findings.isEmpty)
        }
        held.sort()
        #expect(held[held.count / 2] == 0)
        #expect(held[held.count * 99 / 100] <= 16)
        #expect(try #require(held.last) <= 64)
    }

    @Test("Where nothing can be edited, nothing is held and all is found")
    func nothingIsHeld() throws {
        let bytes = Array(
            "x 4111 1111 1111 1111 y \(Samples.key()) GB82WEST12345698765432 \(Samples.token) a@b.example".utf8)
        let restraint = Reason("uneditable", "a digest covers the body")
        for (plan, restraint) in [(try Plans.all(.report), nil), (try Plans.all(.redact), restraint)] {
            let inspector = StreamInspector(plan: plan, restraint: restraint)
            let driver = Driver.run(bytes, cuts: Array(0...bytes.count), through: inspector)
            #expect(driver.mostHeld == 0)
            #expect(driver.outcome.output == bytes)
            #expect(driver.outcome.types == ["payment-card", "private-key", "iban", "github-token", "email"])
            #expect(driver.outcome.findings.allSatisfy { $0.action == .report && $0.restraint == restraint })
        }
    }

    @Test("A deadline lets a candidate go; when it is complete it is reported and not edited")
    func deadline() throws {
        let text = Array("4111 1111 1111 1111, 4111 1111 1111 1111".utf8)
        let events = [TimedEvent(offset: 6, event: .deadline), TimedEvent(offset: 6, event: .deadline)]
        let driver = Driver.run(text, events: events, through: StreamInspector(plan: try Plans.shipped()))
        #expect(driver.outcome.text == "4111 1111 1111 1111, XXXX XXXX XXXX 1111")
        #expect(driver.outcome.findings.map(\.restraint?.code) == ["released-at-deadline", nil])
        #expect(driver.outcome.findings.map(\.action) == [.report, .redact])
        #expect(driver.outcome.deadlineReleases == 1)
    }

    @Test("Nothing goes out from the first byte of what blocks")
    func blocks() throws {
        let text = "abc \(Samples.key()) 4111111111111111"
        let plan = try InspectionPlan(actions: ["private-key": .block, "payment-card": .redact], key: Plans.key)
        let outcome = inspect(text, plan)
        #expect(outcome.text == "abc ")
        #expect(outcome.blocked?.type == "private-key")
        #expect(outcome.blocked?.action == .block)
        #expect(outcome.types == ["private-key", "payment-card"])
    }

    @Test("What is not sure enough does not block")
    func unsureDoesNotBlock() throws {
        let outcome = inspect("order-4111111111111111", try Plans.only("payment-card", .block))
        #expect(outcome.blocked == nil)
        #expect(outcome.findings.map(\.restraint?.code) == ["below-edit-threshold"])
        #expect(outcome.text == "order-4111111111111111")
    }

    @Test("A block stands under a restraint of edits, and nothing is held for it")
    func blockUnderRestraint() throws {
        let restraint = Reason("uneditable", "")
        let outcome = inspect("x 4111111111111111 y", try Plans.only("payment-card", .block), restraint: restraint)
        #expect(outcome.blocked?.restraint == restraint)
        #expect(outcome.text == "x 4111111111111111 y")
    }

    @Test("Values of two fields are not read together")
    func fields() throws {
        let text = Array("41111111111111114111111111111111".utf8)
        let plan = try Plans.shipped()
        #expect(Driver.run(text, through: StreamInspector(plan: plan)).outcome.findings.isEmpty)
        let events = [TimedEvent(offset: 16, event: .endOfField)]
        let driver = Driver.run(text, events: events, through: StreamInspector(plan: plan))
        #expect(driver.outcome.text == "XXXXXXXXXXXX1111XXXXXXXXXXXX1111")
    }

    @Test("Offsets are those of the stream, and excerpts show no more than masks do")
    func findings() throws {
        let text = "pay 4111 1111 1111 1111 to GB82 WEST 1234 5698 7654 32 at \(Samples.token) for joe@example.com"
        let outcome = inspect(text, try Plans.all(.redact))
        for finding in outcome.findings {
            let range = Int(finding.offset)..<Int(finding.offset) + finding.length
            #expect(finding.excerpt == String(decoding: outcome.output[range].prefix(40), as: UTF8.self))
        }
        #expect(outcome.findings.map(\.offset) == [4, 27, 58, 103])
    }

    @Test("Bytes without meaning pass untouched", arguments: 0..<20)
    func untouched(_ seed: Int) throws {
        var chance = Chance(seed: UInt64(seed))
        let bytes = (0..<2_000).map { _ in UInt8.random(in: .min ... .max, using: &chance) }
        let cuts = (0..<10).map { _ in Int.random(in: 0...bytes.count, using: &chance) }
        let outcome = Driver.run(bytes, cuts: cuts, through: StreamInspector(plan: try Plans.all(.redact))).outcome
        #expect(outcome.output.count == bytes.count)
        if outcome.findings.isEmpty { #expect(outcome.output == bytes) }
    }
}
