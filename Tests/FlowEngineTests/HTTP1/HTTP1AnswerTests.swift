// SPDX-License-Identifier: Apache-2.0

// Weir's own responses.

import FlowModel
import Foundation
import NIOCore
import Testing

@testable import FlowEngine

@Suite("HTTP/1.1 answer")
struct HTTP1AnswerTests {
    private let flow = FlowID(0xabc)

    /// The answer read back: head and body.
    private func read(_ answer: HTTP1Answer, _ request: HTTP1Head?) throws -> (HTTP1Head, String) {
        let bytes = Array(buffer: answer.bytes(answering: request))
        let transcript = HTTP1Transcript(
            .response, bytes, answering: request?.method ?? "GET", pieceLength: bytes.count)
        #expect(transcript.outcome == .complete)
        #expect(transcript.rest.isEmpty)
        return (try #require(transcript.head), String(decoding: transcript.content, as: UTF8.self))
    }

    @Test("Programs get JSON with status, code, sentence and event")
    func json() throws {
        let answer = HTTP1Answer(HTTP1Refusal(.bothLengths, .request), flow: flow)
        let (head, body) = try read(answer, http1Request("POST", "Accept: */*"))
        #expect(head.status == 400)
        #expect(head.text(of: "content-type") == "application/json")
        #expect(head.text(of: "cache-control") == "no-store")
        #expect(head.text(of: "weir-event") == "0000000000000abc")
        #expect(head.keepsAlive == false)
        struct Reply: Decodable, Equatable {
            struct Fault: Decodable, Equatable {
                let status: Int
                let code, message, event: String
            }
            let error: Fault
        }
        let reply = try JSONDecoder().decode(Reply.self, from: Data(body.utf8))
        let sentence = HTTP1Refusal(.bothLengths, .request).sentence
        #expect(
            reply.error == .init(status: 400, code: "both-lengths", message: sentence, event: "0000000000000abc"))
    }

    @Test("People get a page")
    func page() throws {
        let answer = HTTP1Answer(status: 403, reason: Reason("rule", "Rule no keys stopped it."), flow: flow)
        let request = http1Request("GET", "Accept: Text/HTML,application/xml;q=0.9")
        let (head, body) = try read(answer, request)
        #expect(head.status == 403)
        #expect(head.text(of: "content-type") == "text/html; charset=utf-8")
        #expect(body.contains("Rule no keys stopped it."))
        #expect(body.contains("0000000000000abc"))
    }

    @Test("Nothing in a reason can become markup or end a string")
    func escaping() throws {
        let evil = "<script>'\"&\\\u{0}\n\u{7f}ä</script>"
        let answer = HTTP1Answer(status: 403, reason: Reason(evil, evil), flow: flow)
        let (_, page) = try read(answer, http1Request("GET", "Accept: text/html"))
        #expect(page.contains("&lt;script&gt;&#39;&quot;&amp;\\"))
        #expect(page.contains("<script") == false)
        let (_, json) = try read(answer, nil)
        #expect(json.contains("<") == false)
        let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: [String: Any]]
        #expect(object?["error"]?["message"] as? String == evil)
        #expect(object?["error"]?["code"] as? String == evil)
    }

    @Test("HEAD gets the head alone")
    func head() throws {
        let answer = HTTP1Answer(status: 502, reason: Reason("unreachable", "No route."), flow: flow)
        let (head, body) = try read(answer, http1Request("HEAD"))
        #expect(head.status == 502)
        #expect(body.isEmpty)
        #expect(head.text(of: "content-length") != "0")
    }

    @Test("Every refusal can be answered with its own status")
    func refusals() throws {
        for code in HTTP1Refusal.Code.allCases {
            for side in [HTTP1Side.request, .response] {
                let refusal = HTTP1Refusal(code, side)
                let (head, _) = try read(HTTP1Answer(refusal, flow: flow), nil)
                #expect(head.status == refusal.status)
            }
        }
    }

    @Test("A status without a phrase becomes 502")
    func unknownStatus() throws {
        for status in [0, 200, 999] {
            let answer = HTTP1Answer(status: status, reason: Reason("a", "b"), flow: flow)
            #expect(try read(answer, nil).0.status == 502)
        }
    }
}
