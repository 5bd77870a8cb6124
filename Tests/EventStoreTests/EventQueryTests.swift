// SPDX-License-Identifier: Apache-2.0

// Tests of the filters.

import EventStore
import FlowModel
import Testing

struct EventQueryTests {
    /// Four flows that differ.
    ///
    /// 1: inspected, a card and a token found. 2: relayed to an address. 3: one of its two messages, to another host,
    /// blocked. 4: still open.
    private func store(_ directory: TemporaryDirectory) async throws -> EventReader {
        try await reader(
            of: [
                .message(Samples.message(1, at: newYear + 10)),
                .finding(Samples.finding(1, at: newYear + 11, action: .redact)),
                .finding(Samples.finding(1, at: newYear + 12, message: 2, type: "secret/token")),
                .flow(try Samples.flow(1, at: newYear + 13, findings: 2)),
                .flow(try Samples.flow(2, at: newYear + 20, host: "203.0.113.7", lane: .relay, outcome: .reset)),
                .message(Samples.message(3, at: newYear + 30, host: "example.com")),
                .message(Samples.message(3, at: newYear + 31, message: 2, host: "other.test", lane: .block)),
                .flow(try Samples.flow(3, at: newYear + 32, host: "example.com")),
                .finding(Samples.finding(4, at: newYear + 40, message: 0, host: "live.test", type: "secrets")),
            ], in: directory)
    }

    @Test func withoutConditionsAllComeInTheOrderOfTime() async throws {
        let directory = try TemporaryDirectory()
        let reader = try await store(directory)
        let all = ["me1", "fi1", "fi1", "fl1", "fl2", "me3", "me3", "fl3", "fi4"]
        #expect(try await reader.found { _ in } == all)
    }

    @Test func timeHasAFirstMomentAndAnEnd() async throws {
        let directory = try TemporaryDirectory()
        let reader = try await store(directory)
        #expect(try await reader.found { $0.since = newYear + 31 } == ["me3", "fl3", "fi4"])
        #expect(try await reader.found { $0.until = newYear + 11 } == ["me1"])
        #expect(try await reader.found { ($0.since, $0.until) = (newYear + 13, newYear + 20) } == ["fl1"])
    }

    @Test func aHostIsMetByAFlowsNamesAndItsMessages() async throws {
        let directory = try TemporaryDirectory()
        let reader = try await store(directory)
        #expect(try await reader.found { $0.host = HostPattern("API.example.com.") } == ["me1", "fi1", "fi1", "fl1"])
        #expect(try await reader.found { $0.host = HostPattern("203.0.113.7") } == ["fl2"])
        #expect(try await reader.found { $0.host = HostPattern("other.test") } == ["me3", "fl3"])
        #expect(try await reader.found { $0.host = HostPattern("nowhere.test") } == [])
    }

    @Test func aWildcardMeansTheNamesBelowAndNotTheNameItself() async throws {
        let directory = try TemporaryDirectory()
        let reader = try await store(directory)
        #expect(try await reader.found { $0.host = HostPattern("*.example.com") } == ["me1", "fi1", "fi1", "fl1"])
        // Neither a part of a label nor the jokers of LIKE.
        #expect(try await reader.found { $0.host = HostPattern("*.ample.com") } == [])
        #expect(try await reader.found { $0.host = HostPattern("*.exampl_.com") } == [])
    }

    @Test(arguments: ["*", "*.", "a b", "*.10.0.0.1", "", "host:443", "a*.example.com"])
    func whatIsNoHostIsNoPattern(_ text: String) { #expect(HostPattern(text) == nil) }

    @Test func aTypeFindsTheFindingsAndWhatTheyBelongTo() async throws {
        let directory = try TemporaryDirectory()
        let reader = try await store(directory)
        #expect(try await reader.found { $0.findingType = "payment-card" } == ["me1", "fi1", "fl1"])
        #expect(try await reader.found { $0.findingType = "secret/token" } == ["fi1", "fl1"])
    }

    @Test func aFamilyOfTypesIsNoMereBeginning() async throws {
        let directory = try TemporaryDirectory()
        let reader = try await store(directory)
        #expect(try await reader.found { $0.findingType = "secret/*" } == ["fi1", "fl1"])
        #expect(try await reader.found { $0.findingType = "*" } == [])
    }

    @Test func typeAndActionMustHoldForTheSameFinding() async throws {
        let directory = try TemporaryDirectory()
        let reader = try await store(directory)
        #expect(try await reader.found { $0.action = .redact } == ["me1", "fi1", "fl1"])
        #expect(try await reader.found { ($0.findingType, $0.action) = ("secret/token", .redact) } == [])
        #expect(
            try await reader.found { ($0.findingType, $0.action) = ("payment-card", .redact) } == ["me1", "fi1", "fl1"])
    }

    @Test func aLaneIsThatOfAFlowOrOfOneOfItsMessages() async throws {
        let directory = try TemporaryDirectory()
        let reader = try await store(directory)
        #expect(try await reader.found { $0.lane = .relay } == ["fl2"])
        #expect(try await reader.found { $0.lane = .block } == ["me3", "fl3"])
        #expect(try await reader.found { $0.lane = .inspect } == ["me1", "fi1", "fi1", "fl1", "me3", "fl3"])
    }

    @Test func anOutcomeIsThatOfTheFlow() async throws {
        let directory = try TemporaryDirectory()
        let reader = try await store(directory)
        #expect(try await reader.found { $0.outcome = .reset } == ["fl2"])
        #expect(try await reader.found { $0.outcome = .completed }.count == 7)
    }

    @Test func kindsAndFlowAreTakenAtTheirWord() async throws {
        let directory = try TemporaryDirectory()
        let reader = try await store(directory)
        #expect(try await reader.found { $0.flow = FlowID(3) } == ["me3", "me3", "fl3"])
        #expect(try await reader.found { $0.kinds = [.finding] } == ["fi1", "fi1", "fi4"])
        #expect(try await reader.found { $0.kinds = [] } == [])
    }

    @Test func findingsOfOpenFlowsCanBeToldApart() async throws {
        let directory = try TemporaryDirectory()
        let reader = try await store(directory)
        let found = try await reader.found { query in
            query.kinds = [.flow, .finding]
            query.onlyFindingsOfOpenFlows = true
        }
        #expect(found == ["fl1", "fl2", "fl3", "fi4"])
    }

    @Test func aLimitKeepsTheNewestThatMatch() async throws {
        let directory = try TemporaryDirectory()
        let reader = try await store(directory)
        #expect(try await reader.found { $0.limit = 3 } == ["me3", "fl3", "fi4"])
        #expect(try await reader.found { ($0.limit, $0.flow) = (2, FlowID(1)) } == ["fi1", "fl1"])
        #expect(try await reader.found { $0.limit = 100 }.count == 9)
        #expect(try await reader.found { $0.limit = 0 } == [])
        #expect(try await reader.found { $0.limit = -1 } == [])
    }

    @Test func aNoticeIsMetByTimeAloneAndComesFirstInItsMoment() async throws {
        let directory = try TemporaryDirectory()
        let reader = try await reader(
            of: [.flow(try Samples.flow(1)), .notice(Samples.notice()), .notice(Samples.notice(at: newYear + 9))],
            in: directory)
        #expect(try await reader.found { _ in } == ["no", "fl1", "no"])
        #expect(try await reader.found { $0.until = newYear + 1 } == ["no", "fl1"])
        #expect(try await reader.found { $0.limit = 1 } == ["no"])
        let others: [(inout EventQuery) -> Void] = [
            { $0.host = HostPattern("a.test") }, { $0.findingType = "iban" }, { $0.action = .report },
            { $0.lane = .relay }, { $0.outcome = .reset }, { $0.flow = FlowID(9) },
        ]
        for other in others { #expect(try await reader.found(other) == []) }
    }

    @Test func whatLooksLikeSQLIsJustText() async throws {
        let directory = try TemporaryDirectory()
        let reader = try await store(directory)
        #expect(try await reader.found { $0.findingType = "x' OR '1'='1" } == [])
    }
}
