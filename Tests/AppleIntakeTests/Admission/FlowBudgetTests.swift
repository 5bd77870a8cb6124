// SPDX-License-Identifier: Apache-2.0

// Places, records and judged identities: what admission keeps.

import CodeIdentity
import FlowModel
import FlowPolicy
import NIOCore
import NIOEmbedded
import Testing

@testable import AppleIntake

@Suite("FlowBudget") struct FlowBudgetTests {
    @Test("A place is given back when its seat is let go of, and a refused one takes none")
    func seats() {
        let budget = FlowBudget(flows: 2, ofProcess: 2)
        let (one, other) = (budget.process(), budget.process())
        var seats = [budget.seats(for: one), budget.seats(for: one)]
        #expect(budget.flows.taken == 2 && one.taken == 2)
        for (process, shortage) in [(one, FlowBudget.Shortage.process), (other, .flows)] {
            guard case .failure(shortage) = budget.seats(for: process) else {
                Issue.record("there was room")
                continue
            }
        }
        #expect(budget.flows.taken == 2 && one.taken == 2 && other.taken == 0)
        seats.removeLast()
        #expect(budget.flows.taken == 1 && one.taken == 1)
        seats = []
        #expect(budget.flows.taken == 0)
    }

    @Test("Fewer descriptors mean fewer flows, and never none", arguments: [(0, 1), (256, 64), (1 << 20, 4_096)])
    func descriptors(of process: Int, flows: Int) {
        #expect(FlowBudget(descriptors: process).flows.most == flows)
        #expect(Descriptors.raise() >= 256)
    }
}

@Suite("AdmissionLog") struct AdmissionLogTests {
    private let world = DeadEnd()
    private let loop = EmbeddedEventLoop()

    private func decline(_ log: AdmissionLog, _ number: UInt64) throws {
        let facts = FlowFacts(
            id: FlowID(number), intake: .networkExtension, destination: try #require(Endpoint("192.0.2.1:443")),
            startedAt: 0)
        log.count(.declined, facts, Verdict(.bypass, reason: Reason("rule", "")), .declined)
    }

    @Test("Records reach the sink later, from the loop, in order, and counts with them")
    func records() throws {
        let log = AdmissionLog(sink: world, metrics: world, on: loop)
        for round in 0..<2 as Range<UInt64> {
            for number in 0..<3 { try decline(log, round * 3 + UInt64(number)) }
            #expect(world.records.count == Int(round) * 3)
            loop.advanceTime(by: .milliseconds(250))
        }
        #expect(world.records.map(\.facts.id.value) == [0, 1, 2, 3, 4, 5])
        #expect(world.records.allSatisfy { $0.outcome == .declined })
        #expect(world.count("apple_declined_total") == 6)
    }

    @Test("What there is no room for is counted, and nothing else is lost")
    func full() throws {
        let log = AdmissionLog(sink: world, metrics: world, on: loop)
        let most = UInt64(AppleIntakeLimits.recordsWaiting.value)
        for number in 0..<most + 10 { try decline(log, number) }
        log.drain()
        #expect(world.records.count == Int(most))
        #expect(log.count(of: .declined) == Int(most) + 10 && log.count(of: .recordLost) == 10)
        #expect(world.count("limit_apple_records_total") == 10)
    }
}

@Suite("KnownMakers") struct KnownMakersTests {
    private let token = ScriptedProgram.app.process()

    private func facts() throws -> FlowFacts {
        FlowFacts(intake: .networkExtension, destination: try #require(Endpoint("192.0.2.1:443")), startedAt: 0)
    }

    private func answer(_ codeClass: IdentitySummary.Class) -> MakerAnswer {
        MakerAnswer(summary: IdentitySummary(codeClass))
    }

    @Test("A judged identity counts for its own answer and its own policy only")
    func stale() throws {
        var makers = KnownMakers(capacity: 8)
        let (budget, policies) = (FlowBudget(flows: 8), [try admissionPolicy(), try admissionPolicy()])
        var facts = try facts()
        let first = makers.judge(&facts, token, answer(.known(.os)), policies[0], budget)
        #expect(policies[0].hasJudged(facts.identity))
        let second = makers.judge(&facts, token, answer(.known(.unsigned)), policies[1], budget)
        #expect(facts.identity.codeClass == .known(.unsigned) && policies[1].hasJudged(facts.identity))
        // The process is the same, and so are its places.
        #expect(first.room === second.room)
    }

    @Test("A process in use keeps its places however many others come")
    func bounded() throws {
        var makers = KnownMakers(capacity: 8)
        let (budget, policy) = (FlowBudget(flows: 8), try admissionPolicy())
        var facts = try facts()
        let first = makers.judge(&facts, token, answer(.known(.os)), policy, budget)
        for number in 1..<100 as Range<UInt32> {
            let other = ScriptedProgram.app.process(number)
            _ = makers.judge(&facts, other, answer(.known(.os)), policy, budget)
            let again = makers.judge(&facts, token, answer(.known(.os)), policy, budget)
            #expect(again.room === first.room)
        }
        for number in 200..<220 as Range<UInt32> {
            _ = makers.judge(&facts, ScriptedProgram.app.process(number), answer(.known(.os)), policy, budget)
        }
        #expect(makers.judge(&facts, token, answer(.known(.os)), policy, budget).room !== first.room)
    }
}
