// SPDX-License-Identifier: Apache-2.0

// Refusals and limits as people and programs see them.

import FlowModel
import Testing

@testable import FlowEngine

@Suite("HTTP/1.1 refusal")
struct HTTP1RefusalTests {
    @Test("Every code is lower case with hyphens and has a sentence of its own", arguments: HTTP1Refusal.Code.allCases)
    func codes(code: HTTP1Refusal.Code) {
        #expect(
            code.rawValue.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d })
        let sentence = HTTP1Refusal(code, .request).sentence
        #expect(sentence.hasSuffix("."))
        #expect(HTTP1Refusal.Code.allCases.filter { HTTP1Refusal($0, .request).sentence == sentence } == [code])
    }

    @Test("The client's faults are answered in the 400s, or with what is missing; the server's with 502")
    func statuses() {
        for (code, status) in [
            (HTTP1Refusal.Code.bareLF, 400), (.headTooLarge, 431), (.tooManyFields, 431), (.lineTooLong, 431),
            (.requestLineTooLong, 414), (.unknownCoding, 501), (.badVersion, 505), (.badExpect, 417),
        ] {
            #expect(HTTP1Refusal(code, .request).status == status)
            #expect(HTTP1Refusal(code, .request).fault == .client)
            #expect(HTTP1Refusal(code, .response).status == 502)
            #expect(HTTP1Refusal(code, .response).fault == .server)
        }
        #expect(HTTP1Refusal(.badEdit, .request).fault == .us)
        #expect(HTTP1Refusal(.badEdit, .response).fault == .us)
    }

    @Test("The description says what and where")
    func description() {
        let text = HTTP1Refusal(.obsFold, .response, at: 17).description
        #expect(text.hasPrefix("obs-fold in the response at byte 17: A line starts"))
    }

    @Test("Places are counted from further back without overflow")
    func moved() {
        #expect(HTTP1Refusal(.obsFold, .request, at: 3).moved(by: 4).offset == 7)
        #expect(HTTP1Refusal(.obsFold, .request, at: 3).moved(by: .max).offset == UInt64(Int.max))
    }

    @Test("Limits have names, metrics and reasons of their own")
    func limits() {
        let limits = HTTP1Limits.all
        #expect(Set(limits.map(\.name)).count == limits.count)
        #expect(Set(limits.map { "\($0.metric)" }).count == limits.count)
        #expect(limits.allSatisfy { $0.name.hasPrefix("http1.") && $0.value > 0 && $0.reason.hasSuffix(".") })
    }
}
