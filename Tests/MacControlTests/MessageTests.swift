// SPDX-License-Identifier: Apache-2.0

import FlowModel
import Foundation
import Testing

@testable import MacControl

@Suite struct MessageTests {
    static let requests: [ControlRequest] = [
        .state, .bypasses, .events(before: nil, limit: 200), .events(before: 17, limit: 3), .pause(until: 1 << 40),
        .resume, .off, .rearm, .reload, .unknown("dance"),
    ]

    static let replies: [ControlReply] = [
        .state(.sample()), .state(.sample(.paused, pausedUntil: 9)), .bypasses([]),
        .bypasses([BypassCount(code: "os", detail: "a program of the system", count: 2)]), .events([], isLast: true),
        .events([.sample(1, time: 5), .sample(2, time: 4, program: nil)], isLast: false), .done,
        .refused(ControlRefusal(.needsAdministrator, "no")), .unknown("sing"),
    ]

    @Test(arguments: requests) func `A request is read as it was written`(_ request: ControlRequest) throws {
        let message = RequestMessage(request, .current)
        #expect(try RequestMessage(message.bytes()) == message)
    }

    @Test(arguments: replies) func `An answer is read as it was written`(_ reply: ControlReply) throws {
        let message = ReplyMessage(reply, version: 1)
        #expect(try ReplyMessage(message.bytes()) == message)
    }

    @Test(arguments: requests) func `No beginning of a request and no single wrong byte traps`(
        _ request: ControlRequest
    ) throws {
        let bytes = try RequestMessage(request, .current).bytes()
        for end in bytes.indices {
            _ = try? RequestMessage(bytes[..<end])
            var wrong = bytes
            wrong[end] ^= 0x15
            _ = try? RequestMessage(wrong)
        }
    }

    @Test func `Fields of a later version are skipped`() throws {
        let text = #"{"oldest":1,"newest":9,"ask":"pause","until":5,"because":{"of":["rain"]}}"#
        let message = try RequestMessage(Data(text.utf8))
        #expect(message.request == .pause(until: 5))
        let reply = #"{"version":1,"say":"done","thanks":true}"#
        #expect(ReplyMessage(Data(reply.utf8))?.reply == .done)
    }

    @Test func `A condition and a code of a later version are unknown, and the rest is read`() throws {
        var text = String(decoding: try ReplyMessage(.state(.sample()), version: 1).bytes(), as: UTF8.self)
        text = text.replacingOccurrences(of: #""running""#, with: #""dreaming""#)
        guard case .state(let state) = ReplyMessage(Data(text.utf8))?.reply else {
            Issue.record("no state")
            return
        }
        #expect(state.condition == .unknown)
        #expect(state.build == "7")
        let refused = #"{"version":1,"say":"refused","code":"full-moon","detail":"wait"}"#
        #expect(ReplyMessage(Data(refused.utf8))?.reply == .refused(ControlRefusal(.unknown, "wait")))
    }

    @Test(arguments: [
        "", "{", "[]", "null", #"{"oldest":2,"newest":1,"ask":"state"}"#, #"{"ask":"state"}"#,
        #"{"oldest":1,"newest":1,"ask":"pause"}"#, #"{"oldest":1e99,"newest":1,"ask":"state"}"#,
    ])
    func `What is no request is refused as unreadable`(_ text: String) {
        #expect(throws: ControlRefusal(.unreadable)) { try RequestMessage(Data(text.utf8)) }
    }

    @Test func `A request that is too large is refused unread`() {
        let bytes = Data(repeating: 0x20, count: MacControlLimits.message.value + 1)
        #expect(throws: ControlRefusal(.tooLarge)) { try RequestMessage(bytes) }
    }

    @Test func `A page of events is never larger than asked, and never larger than the limit`() throws {
        for (limit, read) in [(-1, 0), (1 << 40, MacControlLimits.events.value), (7, 7)] {
            let text = #"{"oldest":1,"newest":1,"ask":"events","limit":\#(limit)}"#
            #expect(try RequestMessage(Data(text.utf8)).request == .events(before: nil, limit: read))
        }
    }

    @Test func `An answer that would be too large loses its oldest events, and says that there are more`() throws {
        let long = String(repeating: "é", count: 400)
        let events = (0..<900).map { ControlEvent.sample($0, time: Int64(900 - $0), program: long) }
        let bytes = try ReplyMessage(.events(events, isLast: true), version: 1).bytes()
        #expect(bytes.count <= MacControlLimits.message.value)
        guard case .events(let kept, let isLast) = ReplyMessage(bytes)?.reply else {
            Issue.record("no events")
            return
        }
        #expect(!isLast)
        #expect(!kept.isEmpty)
        #expect(kept.map(\.id) == events.prefix(kept.count).map(\.id))
        #expect(kept.allSatisfy { ($0.program ?? "").utf8.count <= MacControlLimits.text.value })
    }

    @Test func `Of many reasons those that count most are told`() throws {
        let counts = (0..<300).map { BypassCount(code: "r\($0)", detail: "", count: $0) }
        guard case .bypasses(let told) = ReplyMessage(try ReplyMessage(.bypasses(counts), version: 1).bytes())?.reply
        else {
            Issue.record("no counts")
            return
        }
        #expect(told.count == MacControlLimits.reasons.value)
        #expect(told.first?.count == 299)
    }

    @Test func `Two sides speak the newest version that both know`() throws {
        let cases: [(Int, Int, Int, Int, Int?)] = [
            (1, 1, 1, 1, 1), (1, 3, 2, 5, 3), (2, 5, 1, 3, 3), (1, 1, 2, 3, nil), (2, 3, 1, 1, nil), (1, 9, 4, 4, 4),
        ]
        for (a, b, c, d, common) in cases {
            let mine = try #require(ControlVersions(oldest: a, newest: b))
            let theirs = try #require(ControlVersions(oldest: c, newest: d))
            #expect(mine.common(with: theirs) == common)
            #expect(theirs.common(with: mine) == common)
        }
        #expect(ControlVersions(oldest: 2, newest: 1) == nil)
    }
}
