// SPDX-License-Identifier: Apache-2.0

// S2: which rules are taken, and which destinations they match.

import Foundation
import NetworkSimulation
import Testing

@testable import NetworkExtension

@Suite("S2: rules", .timeLimit(.minutes(1)))
struct S2RulesTests {
    private func verdict(
        _ settings: NETransparentProxyNetworkSettings, _ host: String, _ port: UInt16 = 443, name: String? = nil,
        _ transport: NENetworkRule.`Protocol` = .TCP
    ) throws -> RuleSet.Verdict {
        try RuleSet(settings, knobs: Knobs()).verdict(on: .at(host, port), name: name, transport: transport)
    }

    private static func rule(
        remote: NWEndpoint? = nil, _ prefix: Int = 0, local: NWEndpoint? = nil,
        direction: NETrafficDirection = .outbound
    ) -> NENetworkRule {
        NENetworkRule(
            remoteNetworkEndpoint: remote, remotePrefix: prefix, localNetworkEndpoint: local, localPrefix: 0,
            protocol: .any, direction: direction)
    }

    struct Refused: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let make: @Sendable () -> NENetworkRule
        init(_ description: String, _ make: @escaping @Sendable () -> NENetworkRule) {
            testDescription = description
            self.make = make
        }
    }

    @Test(
        "Settings are refused for one bad rule in either list",
        arguments: [
            Refused("a local network") { rule(local: .at("10.0.0.1", 0)) },
            Refused("inbound") { rule(direction: .inbound) },
            Refused("any direction") { rule(direction: .any) },
            Refused("a wildcard without a port") { NENetworkRule("0.0.0.0", 0) },
            Refused("an IPv6 wildcard without a port") { NENetworkRule("::", 0) },
            Refused("port 53 by address") { NENetworkRule("10.0.0.0", 8, port: 53) },
            Refused("an IPv4 prefix beyond 32") { NENetworkRule("10.0.0.0", 33) },
            Refused("an IPv6 prefix beyond 128") { NENetworkRule("2001:db8::", 129) },
            Refused("a negative prefix") { NENetworkRule("10.0.0.0", -1) },
            Refused("a host of stars and dots") { NENetworkRule(host: "*.") },
            Refused("a network by name") { NENetworkRule("example.com", 0, port: 443) },
            Refused("a path") { rule(remote: .unix(path: "/var/run/x")) },
        ])
    func refused(_ bad: Refused) {
        let knobs = Knobs()
        #expect(throws: NETunnelProviderError.self) { try RuleSet(.rules([bad.make()]), knobs: knobs) }
        #expect(throws: NETunnelProviderError.self) {
            try RuleSet(.rules([NENetworkRule(anywhere: .any)], excluded: [bad.make()]), knobs: knobs)
        }
    }

    @Test("Rules that are allowed are taken")
    func allowed() throws {
        let rules = [
            NENetworkRule(anywhere: .any), NENetworkRule("0.0.0.0", 0, port: 443), NENetworkRule("1.0.0.0", 1),
            NENetworkRule("2001:db8::1", 128), NENetworkRule(host: "*.example.com"), NENetworkRule("127.0.0.1", 32),
            NENetworkRule(host: "dns.example", port: 53),
        ]
        _ = try RuleSet(.rules(rules, excluded: rules), knobs: Knobs())
    }

    @Test("Port 53 by address is allowed in excluded rules where the knob says so, never in included ones")
    func dnsPort() throws {
        let knobs = Knobs { $0.dnsPortInExcluded = true }
        let rule = NENetworkRule("10.0.0.0", 8, port: 53)
        _ = try RuleSet(.rules([], excluded: [rule]), knobs: knobs)
        #expect(throws: NETunnelProviderError.self) { try RuleSet(.rules([rule]), knobs: knobs) }
    }

    @Test("Empty included rules are refused where the knob says so")
    func emptyRules() throws {
        _ = try RuleSet(.rules([]), knobs: Knobs())
        #expect(throws: NETunnelProviderError.self) {
            try RuleSet(.rules([]), knobs: Knobs { $0.emptyRulesRefused = true })
        }
    }

    @Test("The address of the settings has to be one")
    func remoteAddress() {
        let settings = NETransparentProxyNetworkSettings(tunnelRemoteAddress: "proxy.example")
        #expect(throws: NETunnelProviderError.self) { try RuleSet(settings, knobs: Knobs()) }
    }

    @Test("Excluded wins over included, whatever is narrower")
    func excludedWins() throws {
        let settings = NETunnelNetworkSettings.rules(
            [NENetworkRule("10.1.2.3", 32), NENetworkRule(anywhere: .any)], excluded: [NENetworkRule("10.0.0.0", 8)])
        #expect(try verdict(settings, "10.1.2.3") == .excluded)
        #expect(try verdict(settings, "11.1.2.3") == .included)
    }

    @Test("Everything leaves out loopback, which has to be named")
    func loopback() throws {
        #expect(try verdict(.everything, "127.0.0.1") == .unmatched)
        #expect(try verdict(.everything, "::1") == .unmatched)
        #expect(try verdict(.rules([NENetworkRule("1.0.0.0", 1)]), "127.0.0.1") == .unmatched)
        #expect(try verdict(.rules([NENetworkRule("0.0.0.0", 0, port: 443)]), "127.0.0.1") == .unmatched)
        #expect(try verdict(.rules([NENetworkRule("127.0.0.1", 8)]), "127.9.9.9") == .included)
        #expect(try verdict(.rules([NENetworkRule("::1", 128)]), "::1") == .included)
    }

    @Test("A network matches by prefix, port, protocol and family; IPv4 inside IPv6 counts as IPv4")
    func networks() throws {
        let settings = NETunnelNetworkSettings.rules([NENetworkRule("192.0.2.129", 25, port: 443, .TCP)])
        #expect(try verdict(settings, "192.0.2.200") == .included)
        #expect(try verdict(settings, "::ffff:192.0.2.200") == .included)
        #expect(try verdict(settings, "192.0.2.100") == .unmatched)
        #expect(try verdict(settings, "192.0.2.200", 80) == .unmatched)
        #expect(try verdict(settings, "192.0.2.200", 443, .UDP) == .unmatched)
        let everyIPv4 = NETunnelNetworkSettings.rules([NENetworkRule("0.0.0.0", 0, port: 443)])
        #expect(try verdict(everyIPv4, "203.0.113.1") == .included)
        #expect(try verdict(everyIPv4, "2001:db8::1") == .unmatched)
    }

    @Test("A host of two labels matches what is below it, a host of one label only itself; lookups match too")
    func hosts() throws {
        let two = NETunnelNetworkSettings.rules([NENetworkRule(host: "Example.com", port: 443)])
        #expect(try verdict(two, "203.0.113.1", name: "example.com") == .included)
        #expect(try verdict(two, "203.0.113.1", name: "a.b.EXAMPLE.com") == .included)
        #expect(try verdict(two, "203.0.113.1", name: "notexample.com") == .unmatched)
        #expect(try verdict(two, "203.0.113.1", name: nil) == .unmatched)
        #expect(try verdict(two, "203.0.113.1", 80, name: "example.com") == .unmatched)
        #expect(try verdict(two, "203.0.113.1", 53, name: "www.example.com", .UDP) == .included)
        let one = NETunnelNetworkSettings.rules([NENetworkRule(host: "printer")])
        #expect(try verdict(one, "printer", 631) == .included)
        #expect(try verdict(one, "203.0.113.1", name: "old.printer") == .unmatched)
    }

    @Test("Settings that are refused leave the old rules in place")
    func oldRulesStay() async throws {
        let mac = SimulatedMac()
        let provider = TestProvider { _ in false }
        let proxy = mac.install("weir") { provider }
        try await proxy.start()
        let refused = Gate<Bool?>(nil)
        provider.setTunnelNetworkSettings(.rules([NENetworkRule("0.0.0.0", 0)])) { error in
            refused.change { $0 = error is NETunnelProviderError }
        }
        #expect(await refused.wait { $0 } == true)
        #expect(try await mac.launch("curl").connect(to: .echo).way == .declined)
        provider.setTunnelNetworkSettings(.rules([])) { error in refused.change { $0 = error == nil ? false : nil } }
        #expect(await refused.wait { $0 == false ? true : nil } == true)
        #expect(try await mac.launch("curl").connect(to: .echo).way == .direct)
    }

    @Test("An open socket keeps its verdict when the rules change")
    func sticky() async throws {
        let mac = SimulatedMac()
        let provider = TestProvider()
        provider.settings = .rules([])
        let proxy = mac.install("weir") { provider }
        try await proxy.start()
        let socket = try await mac.launch("curl").connect(to: .echo)
        let isSet = Gate(false)
        provider.setTunnelNetworkSettings(.everything) { _ in isSet.change { $0 = true } }
        _ = await isSet.wait { $0 ? true : nil }
        try await socket.send(Data("ping".utf8))
        #expect(try await socket.receive(exactly: 4) == Data("ping".utf8))
        #expect(socket.way == .direct)
        #expect(provider.record.read { $0.offered } == 0)
    }

    @Test("A matching socket to IPv4 multicast is refused before any provider is asked")
    func multicast() async throws {
        let mac = SimulatedMac()
        let provider = TestProvider()
        try await mac.install("weir") { provider }.start()
        let app = mac.launch("app")
        #expect(
            await errno { _ = try await app.connect(to: .at("224.0.0.251", 5353)) }
                == EAFNOSUPPORT)
        #expect(provider.record.read { $0.offered } == 0)
    }
}
