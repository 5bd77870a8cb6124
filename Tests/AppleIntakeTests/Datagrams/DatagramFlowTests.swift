// SPDX-License-Identifier: Apache-2.0

// A UDP flow from its claim to its record.

import FlowModel
import Foundation
import NIOCore
import NIOEmbedded
import NetworkSimulation
import Testing

@testable import AppleIntake
@testable import NetworkExtension

@Suite("A claimed UDP flow")
struct DatagramFlowTests {
    @Test("A datagram goes to its own destination and its answer comes back from there")
    func roundTrip() throws {
        let rig = try DatagramRig()
        try rig.send(("question", "192.0.2.10:4000"))
        #expect(try rig.sent() == ["question to 192.0.2.10:4000"])
        try rig.answer(("answer", "192.0.2.10:4000"))
        #expect(rig.application.received == ["answer from 192.0.2.10:4000"])
        rig.application.close()
        rig.run()
        let record = try rig.record
        #expect(record.outcome == .completed)
        #expect(record.bytesOutbound == 8)
        #expect(record.bytesInbound == 6)
        #expect(record.verdict.lane == .relay)
        #expect(record.verdict.reason.code == "datagrams-not-read")
        #expect(record.endedAt == 7)
        #expect(try rig.note("datagrams") == "1 sent, 1 received")
        #expect(rig.endings == 1)
        #expect(rig.application.isClosed)
        #expect(rig.egress.channels.first?.isActive == false)
    }

    @Test("A batch with many destinations leaves in order through one socket")
    func manyDestinations() throws {
        let rig = try DatagramRig()
        try rig.send(("a", "192.0.2.10:4000"), ("b", "[2001:db8::1]:5000"), ("c", "192.0.2.11:4000"))
        try rig.send(("d", "192.0.2.12:6000"))
        #expect(
            try rig.sent() == [
                "a to 192.0.2.10:4000", "b to [2001:db8::1]:5000", "c to 192.0.2.11:4000", "d to 192.0.2.12:6000",
            ])
        #expect(rig.egress.channels.count == 1)
        #expect(rig.application.overlappingReads == 0)
    }

    @Test("QUIC of an inspected program is refused at once, before a socket is opened")
    func quicIsRefused() throws {
        let rig = try DatagramRig(to: "192.0.2.10:443")
        try rig.send(("initial", "192.0.2.10:443"))
        #expect(rig.egress.channels.isEmpty)
        #expect(rig.application.isClosed)
        #expect(rig.endings == 1)
        let record = try rig.record
        #expect(record.outcome == .blocked)
        #expect(record.verdict.reason.code == "quic-refused")
    }

    @Test("QUIC of the system's own programs is relayed")
    func quicOfTheSystem() throws {
        let rig = try DatagramRig(.os, to: "192.0.2.10:443")
        try rig.send(("initial", "192.0.2.10:443"))
        #expect(try rig.sent() == ["initial to 192.0.2.10:443"])
        rig.end()
        #expect(try rig.note("bypass-relayed") != nil)
    }

    @Test("A first destination that policy forbids closes the flow, whatever the flow was claimed for")
    func forbiddenFirst() throws {
        let rig = try DatagramRig(to: "192.0.2.10:4000")
        try rig.send(("out", "203.0.113.5:4000"))
        #expect(rig.application.isClosed)
        let record = try rig.record
        #expect(record.outcome == .blocked)
        #expect(record.verdict.rule == "forbidden")
        #expect(record.facts.destination == Endpoint("203.0.113.5:4000"))
    }

    @Test("A forbidden destination of a shared socket is dropped and counted, and the rest goes on")
    func forbiddenLater() throws {
        let rig = try DatagramRig()
        try rig.send(("x", "203.0.113.5:9"), ("a", "192.0.2.10:4000"), ("y", "203.0.113.6:443"))
        try rig.send(("z", "192.0.2.20:443"))
        #expect(try rig.sent() == ["a to 192.0.2.10:4000"])
        #expect(!rig.application.isClosed)
        rig.end()
        let record = try rig.record
        #expect(record.verdict.lane == .relay)
        #expect(try rig.note("datagrams-lost") == "3 to or from where policy forbids")
        #expect(try rig.note("datagrams-blocked")?.hasPrefix("first to 203.0.113.5:9: rule") == true)
    }

    @Test("What a forbidden destination sends does not reach the application")
    func forbiddenAnswer() throws {
        let rig = try DatagramRig()
        try rig.send(("a", "192.0.2.10:4000"), ("x", "203.0.113.5:9"))
        try rig.answer(("no", "203.0.113.5:9"), ("yes", "192.0.2.99:1"))
        #expect(rig.application.received == ["yes from 192.0.2.99:1"])
    }

    @Test("The never set is relayed even where a rule forbids everything")
    func neverSet() throws {
        let policy = "version: 1\nmode: enforce\nrules: [{name: none, then: block}]\n"
        let rig = try DatagramRig(to: "224.0.0.251:5353", policy: policy)
        try rig.send(("query", "224.0.0.251:5353"))
        #expect(try rig.sent() == ["query to 224.0.0.251:5353"])
        rig.end()
        #expect(try rig.record.verdict.reason.code == "never")
    }

    @Test("A name that came with the first destination says nothing of another")
    func namesAreNotShared() throws {
        let policy = """
            version: 1
            mode: enforce
            rules:
              - {name: ours, when: {to: ours.example}, then: relay}
              - {name: none, then: block}
            """
        let rig = try DatagramRig(hostname: "ours.example", policy: policy)
        try rig.send(("a", "192.0.2.10:4000"), ("b", "192.0.2.11:4000"))
        #expect(try rig.sent() == ["a to 192.0.2.10:4000"])
    }

    @Test("The name that comes with a DNS query is the name that is asked for, not the server's")
    func queriedName() throws {
        let policy = """
            version: 1
            mode: enforce
            dns: {others: block}
            rules:
              - {name: ours, when: {to: ours.example}, then: relay}
            """
        let rig = try DatagramRig(to: "192.0.2.53:53", hostname: "ours.example", policy: policy)
        try rig.send(("query", "192.0.2.53:53"))
        #expect(rig.application.isClosed)
        #expect(try rig.record.outcome == .blocked)
    }

    @Test("A datagram to a name is dropped and the flow goes on")
    func byName() throws {
        let rig = try DatagramRig()
        try rig.send(("lost", "host.example:4000"))
        #expect(rig.application.isReading)
        try rig.send(("lost", "host.example:4000"), ("a", "192.0.2.10:4000"))
        #expect(try rig.sent() == ["a to 192.0.2.10:4000"])
        rig.end()
        #expect(try rig.note("datagrams-lost") == "2 to what is no address")
    }

    @Test("An empty datagram of the application is sent; one for it cannot be written and is counted")
    func emptyDatagrams() throws {
        let rig = try DatagramRig()
        try rig.send(("", "192.0.2.10:4000"))
        #expect(try rig.sent() == [" to 192.0.2.10:4000"])
        try rig.answer(("", "192.0.2.10:4000"), ("b", "192.0.2.10:4000"))
        #expect(rig.application.received == ["b from 192.0.2.10:4000"])
        rig.end()
        #expect(try rig.note("datagrams-lost")?.hasPrefix("1 empty") == true)
    }

    @Test("An answer bears the very endpoint that the application wrote to, its interface too")
    func scopeIsKept() throws {
        let rig = try DatagramRig()
        let interface = NWInterface(name: "en0", type: .wifi, index: 5)
        let host = try #require(
            IPv6Address(Data([0xfe, 0x80] + Array(repeating: 0, count: 13) + [1]), interface))
        let written = NWEndpoint.hostPort(host: .ipv6(host), port: 4000)
        rig.application.send([(Data("a".utf8), written)])
        rig.run()
        #expect(try rig.sent() == ["a to [fe80::1%5]:4000"])
        try rig.answer(("b", "[fe80::1%5]:4000"))
        #expect(rig.application.received == ["b from [fe80::1%5]:4000"])
    }
}
