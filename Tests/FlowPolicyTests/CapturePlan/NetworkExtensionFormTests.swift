// SPDX-License-Identifier: Apache-2.0

// The plan as rule lists for macOS: how wide things become, and what is said of it.

import FlowModel
import Foundation
import Testing

@testable import FlowPolicy

@Suite("The plan for Network Extension")
struct NetworkExtensionFormTests {
    private func form(
        exclusions: [Exclusion] = [], dns: PolicySettings.DNS = .pass, _ rules: [(lane: Lane, conditions: [Condition])]
    ) -> NetworkExtensionForm {
        PlanSample.policy(exclusions: exclusions, dns: dns, rules).capturePlan(for: .networkExtension).networkExtension
    }

    /// A rule in words: `tcp 10.0.0.0/8:443`.
    private func words(_ rules: [NetworkRule]) -> [String] {
        rules.map { rule in
            let network = rule.address.map { "\($0)/\(rule.prefix)" } ?? "all"
            return "\(rule.transport.rawValue) \(network)" + (rule.port == 0 ? "" : ":\(rule.port)")
        }
    }

    @Test("Everything is one rule without a network")
    func everything() { #expect(words(form([(.inspect, [])]).included) == ["any all"]) }

    @Test("A port is one rule for each family")
    func port() {
        let lists = form([(.inspect, [.transport([.tcp]), .port([443...443])])])
        #expect(words(lists.included) == ["tcp 0.0.0.0/0:443", "tcp ::/0:443"])
        #expect(words(lists.excluded) == [])
    }

    @Test("One whole family is two halves that are no wildcards and no loopback")
    func halves() {
        let lists = form([(.inspect, [.address([PlanSample.prefix("0.0.0.0/0")])])])
        #expect(words(lists.included) == ["any 0.0.0.1/1", "any 128.0.0.0/1"])
        let six = form([(.inspect, [.transport([.udp]), .address([PlanSample.prefix("::/0")])])])
        #expect(words(six.included) == ["udp ::2/1", "udp 8000::/1"])
    }

    @Test("Port 53 cannot be included by address, so every port is")
    func dns() {
        let lists = form(dns: .report, [(.bypass, [])])
        #expect(words(lists.included) == ["any all"])
        #expect(lists.losses.contains { $0.detail.contains("port 53") })
    }

    @Test("A long range of ports is widened when included, and decided in user space when excluded")
    func longRange() throws {
        let included = form([(.inspect, [.port([8000...9000])])])
        #expect(words(included.included) == ["any all"])
        let excluded = form(exclusions: [PlanSample.media, PlanSample.ntp], [(.inspect, [])])
        #expect(words(excluded.excluded) == ["udp 0.0.0.0/0:123", "udp ::/0:123"])
        #expect(excluded.losses.contains { $0.origin == .row("core-protocols/facetime-media", .default) })
        let constant = Condition.port([6000...6063])
        #expect(form([(.inspect, [constant, .address([PlanSample.prefix("10.0.0.0/8")])])]).included.count == 64)
    }

    @Test("An exclusion by network becomes a rule, with why it is there")
    func network() {
        let lists = form(exclusions: [PlanSample.push], [(.inspect, [])])
        #expect(
            words(lists.excluded) == [
                "tcp 17.0.0.0/8:443", "tcp 17.0.0.0/8:5223", "tcp 2620:149:a44::/48:443", "tcp 2620:149:a44::/48:5223",
            ])
        #expect(Set(lists.excluded.map(\.because)) == ["never core-protocols/apns"])
    }

    @Test("A network that begins with the unspecified address is named by another of its addresses")
    func unspecified() {
        let lists = form([
            (.bypass, [.address(PrefixSet(["0.0.0.0/8", "::/8"].map(PlanSample.prefix)))]), (.inspect, []),
        ])
        #expect(words(lists.excluded).filter { $0.contains("/8") } == ["any 0.0.0.1/8", "any ::2/8"])
    }

    @Test("Where the policy is off, both lists are empty")
    func off() {
        let lists = PlanSample.policy(mode: .off, [(.inspect, [])]).capturePlan(for: .networkExtension).networkExtension
        #expect(lists.included.isEmpty && lists.excluded.isEmpty)
    }

    @Test("More rules than the bound: what is included is everything, what is excluded is dropped and said")
    func tooMany() {
        let many = (0..<2_000).map { PlanSample.prefix("10.\($0 / 100).\($0 % 100 * 2).0/24") }
        let included = form([(.inspect, [.address(PrefixSet(many)), .port([443...443])])])
        #expect(words(included.included) == ["any all"])
        let excluded = form([(.bypass, [.address(PrefixSet(many))]), (.inspect, [])])
        #expect(excluded.excluded.isEmpty)
        #expect(excluded.losses.contains { $0.origin == .rule(number: 1, name: "r1") })
    }

    @Test("The JSON decodes to the same lists")
    func json() throws {
        let lists = form(exclusions: [PlanSample.push, PlanSample.media], [(.inspect, [])])
        let read = try NetworkRuleReading.lists(lists.json)
        #expect(read.included == lists.included)
        #expect(read.excluded == lists.excluded)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(lists.json.utf8)) as? [String: Any])
        #expect(
            Set(object.keys) == [
                "target", "policy", "mode", "included", "excluded", "losses", "sticky-releases",
            ])
        #expect((object["losses"] as? [Any])?.isEmpty == false)
    }
}
