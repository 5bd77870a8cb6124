// SPDX-License-Identifier: Apache-2.0

// What happens while the origin is being dialled.

import FlowEngine
import FlowModel
import Testing

@Suite struct DiallingPlaybooks {
    /// A rule that wants a name, so that a connected flow is opened before its origin is dialled.
    private static let byName = """
        version: 1
        mode: enforce
        rules:
          - {name: not there, when: {to: elsewhere.example}, then: block}
          - {name: look, then: inspect, profile: p}
        profiles:
          p: {detect: [payment-card], outbound: redact}
        """

    /// A policy that asks for no name, so that the origin is dialled at once.
    private static let atOnce = """
        version: 1
        mode: enforce
        rules: [{name: look, then: inspect}]
        profiles: {p: {detect: [payment-card], outbound: redact}}
        """

    @Test("A half-close that comes while the origin is dialled does not lose the request")
    func halfCloseWhileDialling() throws {
        let play = try Playbook(policy: Self.byName, to: "192.0.2.7:80", isConnected: true, dialsWait: true)
        play.say("GET / HTTP/1.1\r\nHost: origin.example\r\n\r\n")
        play.application.finish()
        play.run()
        play.egress.connectAll()
        play.run()
        #expect(try play.origin.received == "GET / HTTP/1.1\r\nHost: origin.example\r\n\r\n")
        #expect(try play.origin.end == .halfClosed)
        try play.answer("HTTP/1.1 204 No Content\r\n\r\n")
        #expect(play.application.received == "HTTP/1.1 204 No Content\r\n\r\n")
    }

    @Test("An application that ends its side before its origin is connected still gets its answer")
    func endsWhileDialling() throws {
        let play = try Playbook(policy: Self.atOnce, to: "192.0.2.7:9", isConnected: true, dialsWait: true)
        // The end of a stream pours out what came before it, asked for or not.
        play.application.sendUnasked([0, 1, 2])
        play.application.finish()
        play.run()
        play.egress.connectAll()
        play.run()
        #expect(try play.origin.received == "\u{0}\u{1}\u{2}")
        #expect(try play.origin.end == .halfClosed)
        try play.answer("late")
        #expect(play.application.received == "late")
    }

    @Test("An application that breaks off before its origin is connected leaves no flow behind")
    func leavesWhileDialling() throws {
        let play = try Playbook(policy: Self.atOnce, to: "192.0.2.7:9", isConnected: true, dialsWait: true)
        play.application.breakDown()
        play.run()
        #expect(play.liveFlows == 0)
        play.egress.connectAll()
        play.run()
        #expect(try play.origin.end == .closed)
    }

    @Test("A request that comes while the origin is dialled in silence uses that connection")
    func requestWhileDialling() throws {
        let play = try Playbook(policy: Self.byName, to: "192.0.2.7:80", isConnected: true, dialsWait: true)
        play.wait(milliseconds: 300)
        #expect(play.egress.dialled.count == 1)
        play.say("GET / HTTP/1.1\r\nHost: origin.example\r\n\r\n")
        play.egress.connectAll()
        play.run()
        #expect(play.egress.dialled.count == 1)
        #expect(try play.origin.received == "GET / HTTP/1.1\r\nHost: origin.example\r\n\r\n")
    }

    @Test("A blocked application that waits for the origin to speak first is reset in time")
    func blockedAndSilent() throws {
        let play = try Playbook(policy: AdmissionPlaybooks.block)
        play.wait(milliseconds: 60_000)
        #expect(play.application.end == .reset)
        #expect(play.records.flows.first?.outcome == .blocked)
    }

    @Test("A flow that is aborted while its origin is dialled is refused, once", arguments: [false, true])
    func abortedWhileDialling(fails: Bool) throws {
        let play = try Playbook(dialsWait: true)
        play.abortAll()
        #expect(play.flow.answers == [.refused(.unavailable)])
        #expect(play.records.flows.map(\.outcome) == [.aborted])
        if fails { play.egress.failAll(.refused) } else { play.egress.connectAll() }
        play.run()
        #expect(play.flow.answers == [.refused(.unavailable)])
    }
}
