// SPDX-License-Identifier: Apache-2.0

// HTTP/1 through the whole engine: what is found, what is changed, what stays as it came.

import FlowEngine
import FlowModel
import Testing

@Suite struct HTTP1Playbooks {
    private static let card = "4111 1111 1111 1111"

    private static func post(_ body: String, _ fields: String = "") -> String {
        "POST /pay HTTP/1.1\r\nHost: origin.example\r\nContent-Type: application/json\r\n\(fields)"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    @Test("A card number is masked in place, and every other byte of the message stays")
    func masksCard() throws {
        let play = try Playbook()
        let message = Self.post(#"{"card":"\#(Self.card)","n":1}"#)
        play.say(message)
        let sent = try play.origin.received
        #expect(sent == message.replacing(Self.card, with: "XXXX XXXX XXXX 1111"))
        let finding = try #require(play.records.findings.first)
        #expect(finding.finding.type == "payment-card")
        #expect(finding.finding.action == .redact)
        #expect(finding.direction == .outbound)
    }

    @Test("The same message leaves the same, however it is cut")
    func everyCut() throws {
        let message = Self.post(#"{"card":"\#(Self.card)","mail":"a@b.example"}"#)
        let whole = try Playbook()
        whole.say(message)
        let expected = try whole.origin.received
        let bytes = Array(message.utf8)
        for cut in 1..<bytes.count {
            let play = try Playbook()
            play.application.send(Array(bytes[..<cut]))
            play.run()
            play.application.send(Array(bytes[cut...]))
            play.run()
            #expect(try play.origin.received == expected, "cut at \(cut)")
        }
        let slow = try Playbook()
        for byte in bytes {
            slow.application.send([byte])
            slow.run()
        }
        #expect(try slow.origin.received == expected)
    }

    @Test("A chunked body keeps its chunks, and a card split over two of them is still masked")
    func chunkedCard() throws {
        let play = try Playbook()
        play.say(
            "POST / HTTP/1.1\r\nHost: origin.example\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "c;x=1\r\nnow 4111 111\r\n")
        #expect(try play.origin.received.hasSuffix("c;x=1\r\nnow "))
        play.say("c\r\n1 1111 1111.\r\n0\r\nTrailer: t\r\n\r\n")
        let sent = try play.origin.received
        #expect(!sent.contains("4111"))
        #expect(sent.hasSuffix("1111.\r\n0\r\nTrailer: t\r\n\r\n"))
        #expect(sent.contains("\r\nc\r\n"))
    }

    @Test("Under the preset report every byte passes as it came, and the finding is recorded")
    func reportChangesNothing() throws {
        let play = try Playbook(policy: "report")
        let message = Self.post(#"{"card":"\#(Self.card)"}"#)
        play.say(message)
        #expect(try play.origin.received == message)
        #expect(play.records.findings.first?.finding.action == .report)
    }

    @Test("An answer passes as it came, odd case and order included")
    func answerUntouched() throws {
        let play = try Playbook()
        play.say("GET / HTTP/1.1\r\nHost: origin.example\r\n\r\n")
        let answer = "HTTP/1.1 200 Fine\r\nX-b: 1\r\nx-B:2\r\ncontent-LENGTH: 5\r\n\r\nhello"
        try play.answer(answer)
        #expect(play.application.received == answer)
        #expect(play.records.messages.first?.status == 200)
    }

    @Test("Two requests on one connection are two messages with their own answers")
    func keepAlive() throws {
        let play = try Playbook()
        for number in 1...2 {
            play.say("GET /\(number) HTTP/1.1\r\nHost: origin.example\r\n\r\n")
            try play.answer("HTTP/1.1 204 No Content\r\n\r\n")
        }
        #expect(play.records.messages.map(\.message) == [1, 2])
        #expect(play.egress.dialled.count == 1)
    }

    @Test("A request that came early waits for the answer before it")
    func pipelined() throws {
        let play = try Playbook()
        let one = "GET /1 HTTP/1.1\r\nHost: origin.example\r\n\r\n"
        let two = "GET /2 HTTP/1.1\r\nHost: origin.example\r\n\r\n"
        play.say(one + two)
        #expect(try play.origin.received == one)
        try play.answer("HTTP/1.1 204 No Content\r\n\r\n")
        #expect(try play.origin.received == one + two)
    }

    @Test("An interim answer goes on at once, before the body that waits for it")
    func expectContinue() throws {
        let play = try Playbook()
        play.say(
            "PUT / HTTP/1.1\r\nHost: origin.example\r\nExpect: 100-continue\r\nContent-Length: 4\r\n"
                + "Content-Type: text/plain\r\n\r\n")
        #expect(try play.origin.received.hasSuffix("\r\n\r\n"))
        try play.answer("HTTP/1.1 100 Continue\r\n\r\n")
        #expect(play.application.received == "HTTP/1.1 100 Continue\r\n\r\n")
        play.say("body")
        #expect(try play.origin.received.hasSuffix("body"))
        try play.answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        #expect(play.application.received.hasSuffix("Content-Length: 0\r\n\r\n"))
    }

    @Test("Events of a stream pass one by one while it lasts")
    func eventStream() throws {
        let play = try Playbook()
        play.say("GET /events HTTP/1.1\r\nHost: origin.example\r\n\r\n")
        try play.answer("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        try play.answer("data: one\n\n")
        #expect(play.application.received.hasSuffix("data: one\n\n"))
        try play.answer("data: two\n\n")
        #expect(play.application.received.hasSuffix("data: two\n\n"))
    }

    @Test("After 101 the bytes are relayed in both directions")
    func upgrade() throws {
        let play = try Playbook()
        play.say("GET /ws HTTP/1.1\r\nHost: origin.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        try play.answer("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly")
        #expect(play.application.received.hasSuffix("\r\n\r\nearly"))
        play.say("\u{1}\u{2}raw")
        #expect(try play.origin.received.hasSuffix("\u{1}\u{2}raw"))
    }

    @Test("A candidate at the end of the input is let go after 15 ms of silence")
    func deadline() throws {
        let play = try Playbook()
        play.say(
            "POST / HTTP/1.1\r\nHost: origin.example\r\nContent-Type: text/plain\r\nContent-Length: 40\r\n\r\nsee 4111 11"
        )
        #expect(try play.origin.received.hasSuffix("see "))
        play.wait(milliseconds: 16)
        #expect(try play.origin.received.hasSuffix("see 4111 11"))
    }

    @Test("A private key is blocked: 403, a reset for the origin, and not a byte of the key")
    func privateKeyBlocked() throws {
        let play = try Playbook()
        let key =
            "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n-----END PRIVATE KEY-----\n"
        play.say(
            "POST / HTTP/1.1\r\nHost: origin.example\r\nContent-Type: text/plain\r\nContent-Length: \(key.utf8.count)\r\n\r\n"
                + key)
        #expect(play.application.received.hasPrefix("HTTP/1.1 403 "))
        #expect(try play.origin.end == .reset)
        #expect(try !play.origin.received.contains("MIGHAgEAMBMG"))
    }

    @Test(
        "A body under a digest is reported and never altered",
        arguments: [
            "Content-Digest: sha-256=:AAAA:", "Content-MD5: AAAA", "x-amz-content-sha256: 00",
        ])
    func uneditable(field: String) throws {
        let play = try Playbook()
        let message = Self.post(#"{"card":"\#(Self.card)"}"#, field + "\r\n")
        play.say(message)
        #expect(try play.origin.received == message)
        let finding = try #require(play.records.findings.first?.finding)
        #expect(finding.action == .report)
        #expect(finding.restraint?.code == "uneditable")
    }

    @Test("Credentials stay, a card in the target or in another field does not")
    func heads() throws {
        let play = try Playbook()
        let token = "Authorization: Bearer 4111111111111111"
        play.say(
            "GET /?card=4111111111111111 HTTP/1.1\r\nHost: origin.example\r\n\(token)\r\nX-Note: 5555 5555 5555 4444\r\n\r\n"
        )
        let sent = try play.origin.received
        #expect(sent.contains(token))
        #expect(!sent.contains("card=4111111111111111"))
        #expect(!sent.contains("5555 5555 5555 4444"))
        #expect(Set(play.records.findings.map(\.part.description)) == ["target", "header:x-note"])
    }

    @Test(
        "HTTP that two servers could read differently gets 400 and never reaches the origin",
        arguments: [
            "POST / HTTP/1.1\r\nHost: origin.example\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "GET / HTTP/1.1\nHost: origin.example\n\n",
            "GET / HTTP/1.1\r\nHost: origin.example\r\nA : b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: origin.example\r\n folded\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: origin.example\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
            "GET / HTTP/1.1\r\n\r\n",
        ])
    func refused(request: String) throws {
        let play = try Playbook()
        play.say(request)
        #expect(play.application.received.hasPrefix("HTTP/1.1 400 "))
        #expect(try play.origin.received.isEmpty)
        play.application.finish()
        play.run()
        #expect(play.records.flows.first?.outcome == .refused)
    }

    @Test("A bad chunk inside a body resets the origin, so that half a request never looks whole")
    func badChunk() throws {
        let play = try Playbook()
        play.say("POST / HTTP/1.1\r\nHost: origin.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n")
        #expect(play.application.received.hasPrefix("HTTP/1.1 400 "))
        #expect(try play.origin.end == .reset)
    }

    @Test("An answer that breaks the rules becomes 502, or a reset once it has begun")
    func badAnswer() throws {
        let play = try Playbook()
        play.say("GET / HTTP/1.1\r\nHost: origin.example\r\n\r\n")
        try play.answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n")
        #expect(play.application.received.hasPrefix("HTTP/1.1 502 "))

        let begun = try Playbook()
        begun.say("GET / HTTP/1.1\r\nHost: origin.example\r\n\r\n")
        try begun.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        try begun.answer("oops\r\n")
        #expect(begun.application.end == .reset)
    }

    @Test("A reset inside an answer reaches the application as a reset, after what came before it")
    func resetInAnswer() throws {
        let play = try Playbook()
        play.say("GET / HTTP/1.1\r\nHost: origin.example\r\n\r\n")
        try play.answer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart")
        try play.origin.breakDown()
        play.run()
        #expect(play.application.received.hasSuffix("part"))
        #expect(play.application.end == .reset)
    }

    @Test("An early answer passes while the request is still under way")
    func earlyAnswer() throws {
        let play = try Playbook()
        play.say("POST / HTTP/1.1\r\nHost: origin.example\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nabc")
        try play.answer("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        #expect(play.application.received.hasPrefix("HTTP/1.1 413 "))
        #expect(play.application.end == .halfClosed)
    }

    @Test("In absolute form each request goes to its own origin, in origin form")
    func absoluteForm() throws {
        let play = try Playbook(to: "one.example:80", intake: .absoluteForm)
        play.say("GET http://one.example/a HTTP/1.1\r\nHost: one.example\r\nProxy-Connection: keep-alive\r\n\r\n")
        #expect(try play.origin.received == "GET /a HTTP/1.1\r\nHost: one.example\r\n\r\n")
        try play.answer("HTTP/1.1 204 No Content\r\n\r\n")
        play.say("GET http://two.example:81/b HTTP/1.1\r\nHost: two.example:81\r\n\r\n")
        #expect(play.egress.dialled.map(\.description) == ["one.example:80", "two.example:81"])
        #expect(try play.origin.received == "GET /b HTTP/1.1\r\nHost: two.example:81\r\n\r\n")
    }

    @Test(
        "In absolute form an origin that cannot be reached is 502 or 504",
        arguments: [
            (ConnectFailure.refused, "502"), (.timedOut, "504"),
        ])
    func absoluteUnreachable(failure: ConnectFailure, status: String) throws {
        let play = try Playbook(to: "one.example:80", intake: .absoluteForm, originFails: failure)
        play.say("GET http://one.example/a HTTP/1.1\r\nHost: one.example\r\n\r\n")
        #expect(play.application.received.hasPrefix("HTTP/1.1 \(status) "))
    }

    @Test("A half-close after a request is carried, and the answer still comes")
    func halfCloseAfterRequest() throws {
        let play = try Playbook()
        play.say("GET / HTTP/1.0\r\nHost: origin.example\r\n\r\n")
        play.application.finish()
        play.run()
        #expect(try play.origin.end == .halfClosed)
        try play.answer("HTTP/1.0 200 OK\r\n\r\nall of it")
        try play.origin.finish()
        play.run()
        #expect(play.application.received.hasSuffix("all of it"))
        #expect(play.records.flows.first?.outcome == .completed)
    }

    @Test("While the origin cannot be written, the application is not read")
    func backPressure() throws {
        let play = try Playbook()
        play.say("POST / HTTP/1.1\r\nHost: origin.example\r\nContent-Length: 1000\r\n\r\n")
        try play.origin.setWritable(false)
        play.say("abc")
        #expect(!play.application.wantsBytes)
        try play.origin.setWritable(true)
        play.run()
        #expect(play.application.wantsBytes)
    }
}
