// SPDX-License-Identifier: Apache-2.0

// Tunnels that cannot be read: left unread for the system only, refused for all.

import FlowModel
import Testing

@testable import FlowPolicy

@Suite("Private Relay")
struct PrivateRelayTests {
    private func policy(_ choice: String) throws -> Policy {
        try Policy.read(
            yaml: """
                version: 1
                mode: enforce
                rules: [{name: all, then: inspect}]
                profiles: {p: {detect: "*", private-relay: \(choice)}}
                """, file: "test.yaml", PolicyEnvironment(detectors: Sample.detectors))
    }

    @Test(
        "Only a program of the system passes unread by claiming a name of Private Relay",
        arguments: [
            ("class=os", "relay private-relay-blind"), ("class=platform-interactive", "relay private-relay-blind"),
            ("class=third-party", "inspect rule"), ("class=unsigned", "inspect rule"), ("class=vendor", "inspect rule"),
            ("cause=not-asked", "inspect rule"), ("cause=contradictory", "inspect rule"),
            ("class=third-party transport=udp", "block quic-refused"),
        ])
    func blind(who: String, expected: String) throws {
        let facts = try Sample.facts("203.0.113.7:443 \(who) claimed=mask.icloud.com")
        let verdict = try policy("allow-blind").refine(facts)
        #expect("\(verdict.lane.rawValue) \(verdict.reason.code)" == expected)
        #expect(try policy("allow-blind").admit(facts).verdict == verdict)
    }

    @Test("What refuses it refuses it to everybody", arguments: ["class=os", "class=third-party", "cause=not-asked"])
    func refused(who: String) throws {
        let facts = try Sample.facts("203.0.113.7:443 \(who) claimed=mask.icloud.com")
        #expect(try policy("refuse").refine(facts).reason.code == "private-relay-refused")
    }
}
