// SPDX-License-Identifier: Apache-2.0

// The constraints of macOS on rules, one by one.

import FlowPolicy
import Testing

@Suite("Rules of a transparent proxy on macOS")
struct NetworkRuleTests {
    private typealias Violation = NetworkRuleConstraints.Violation

    @Test(
        "Each constraint finds the rule that breaks it",
        arguments: [
            (NetworkRule(address: nil), []),
            (NetworkRule(address: "0.0.0.0", port: 443, transport: .tcp), []),
            (NetworkRule(address: "0.0.0.1", prefix: 1), []),
            (NetworkRule(address: "::/0"), [.address]),
            (NetworkRule(address: "10.0.0.0", prefix: 8), []),
            (NetworkRule(address: "0.0.0.0"), [.wildcardWithoutPort]),
            (NetworkRule(address: "::", prefix: 1), [.wildcardWithoutPort]),
            (NetworkRule(address: "::", port: 53), [.dnsPort]),
            (NetworkRule(address: "10.0.0.0", prefix: 33), [.prefix]),
            (NetworkRule(address: "fd00::", prefix: 128), []),
            (NetworkRule(address: "fd00::", prefix: 129), [.prefix]),
            (NetworkRule(address: "fd00::", prefix: -1), [.prefix]),
            (NetworkRule(address: nil, direction: .any), [.direction]),
            (NetworkRule(address: nil, direction: .inbound), [.direction]),
            (NetworkRule(address: nil, localAddress: "10.0.0.1"), [.localNetwork]),
            (NetworkRule(address: nil, port: 53, host: "a.example"), []),
            (NetworkRule(address: nil, host: "*."), [.host]),
        ] as [(NetworkRule, [NetworkRuleConstraints.Violation])])
    func violations(rule: NetworkRule, expected: [NetworkRuleConstraints.Violation]) {
        #expect(NetworkRuleConstraints().violations(rule, in: .included) == expected)
        #expect(NetworkRuleConstraints().violations(rule, in: .excluded) == expected)
    }

    @Test("Port 53 in the excluded list is refused by the header, and was seen to pass")
    func dnsPort() {
        let rule = NetworkRule(address: "10.0.0.0", prefix: 8, port: 53)
        #expect(NetworkRuleConstraints(dnsPort: .observed).violations(rule, in: .excluded) == [])
        #expect(NetworkRuleConstraints(dnsPort: .observed).violations(rule, in: .included) == [.dnsPort])
    }
}
