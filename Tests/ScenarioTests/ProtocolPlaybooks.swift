// SPDX-License-Identifier: Apache-2.0

// Rules on the application protocol, which only the first bytes tell.

import FlowEngine
import FlowModel
import Testing

@Suite struct ProtocolPlaybooks {
    /// Blocks one protocol and relays the rest.
    private static func blocking(_ name: String) -> String {
        """
        version: 1
        mode: enforce
        rules:
          - {name: no \(name), when: {protocol: \(name)}, then: block}
          - {name: pass, then: relay}
        """
    }

    private static let request = "GET / HTTP/1.1\r\nHost: origin.example\r\n\r\n"
    private static let upgrade =
        "GET /ws HTTP/1.1\r\nHost: origin.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

    @Test("A rule on HTTP/1.1 refuses what turns out to be HTTP and lets the rest pass")
    func http() throws {
        let http = try Playbook(policy: Self.blocking("http/1.1"), to: "192.0.2.7:80")
        http.say(Self.request)
        #expect(http.application.received.hasPrefix("HTTP/1.1 403 "))
        let other = try Playbook(policy: Self.blocking("http/1.1"), to: "192.0.2.7:80")
        other.say("SSH-2.0-client\r\n")
        #expect(try other.origin.received == "SSH-2.0-client\r\n")
    }

    @Test("A rule on TLS decides by the ClientHello", arguments: ["tls", "http/1.1"])
    func tls(name: String) throws {
        let play = try Playbook(
            policy: """
                version: 1
                mode: enforce
                rules:
                  - {name: by protocol, when: {protocol: \(name)}, then: relay}
                  - {name: rest, then: block}
                """, to: "192.0.2.7:443")
        play.application.send(TakeoverPlaybooks.hello)
        play.run()
        let isRelayed = try play.origin.received.utf8.elementsEqual(TakeoverPlaybooks.hello)
        #expect(isRelayed == (name == "tls"))
        play.abortAll()
        #expect(play.records.flows.first?.protocols == ["tls"])
        #expect(play.records.flows.first?.verdict.rule == (name == "tls" ? "by protocol" : "rest"))
    }

    @Test("A rule on HTTP/2 decides by its connection preface")
    func http2() throws {
        let play = try Playbook(policy: Self.blocking("http/2"), to: "192.0.2.7:80")
        play.say("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        #expect(play.application.end == .reset)
        #expect(play.records.flows.first?.verdict.rule == "no http/2")
        #expect(play.records.flows.first?.protocols == ["http/2"])
    }

    @Test("A rule on WebSocket decides the request that asks for it, and no other of its connection")
    func webSocket() throws {
        let play = try Playbook(policy: Self.blocking("websocket"))
        play.say(Self.request)
        try play.answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        #expect(play.application.received.hasPrefix("HTTP/1.1 200 "))
        play.say(Self.upgrade)
        #expect(play.application.received.contains("HTTP/1.1 403 "))
        #expect(try play.origin.received == Self.request)
    }

    @Test("The flow's event names every protocol that was spoken")
    func recorded() throws {
        let play = try Playbook(policy: Self.blocking("tls"))
        play.say(Self.upgrade)
        try play.answer("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        play.abortAll()
        #expect(play.records.flows.first?.protocols == ["http/1.1", "websocket"])
    }

    @Test("The absolute form is HTTP before a byte of it is read")
    func absoluteForm() throws {
        let play = try Playbook(policy: Self.blocking("http/1.1"), intake: .absoluteForm, isConnected: true)
        play.say("GET http://origin.example/ HTTP/1.1\r\nHost: origin.example\r\n\r\n")
        #expect(play.application.received.hasPrefix("HTTP/1.1 403 "))
        #expect(play.egress.dialled.isEmpty)
    }
}
