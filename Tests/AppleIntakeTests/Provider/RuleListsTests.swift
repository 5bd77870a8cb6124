// SPDX-License-Identifier: Apache-2.0

// Rules that the system will take, and the same as the system's own.

import ContentInspection
import FlowPolicy
import NetworkExtension
import NetworkSimulation
import Testing

@testable import AppleIntake

@Suite("Lists of rules")
struct RuleListsTests {
    private let all = NetworkRule(address: nil, because: "inclusion")

    @Test("An exclusion that the system would refuse is dropped and named, and the others stay")
    func dropped() throws {
        let good = NetworkRule(address: "10.0.0.0", prefix: 8)
        let bad = [
            NetworkRule(address: "10.0.0.1", prefix: 32, port: 53), NetworkRule(address: "::", prefix: 0),
            NetworkRule(address: "no address"), NetworkRule(address: "10.0.0.0", prefix: 33),
            NetworkRule(address: nil, direction: .any), NetworkRule(address: nil, host: "*."),
        ]
        let lists = try RuleLists(included: [all], excluded: [good] + bad)
        #expect(lists.excluded == [good])
        #expect(lists.dropped == bad)
    }

    @Test("An inclusion that the system would refuse fails: without it traffic would pass unseen")
    func inclusion() {
        #expect(throws: ProviderFailure(.rules, "")) {
            try RuleLists(included: [all, NetworkRule(address: "0.0.0.0")], excluded: [])
        }
    }

    @Test("Where nothing is included nothing is excluded")
    func nothing() throws {
        let lists = try RuleLists(included: [], excluded: [all])
        #expect(lists.excluded.isEmpty)
        #expect(lists.takesNothing)
        #expect(RuleLists.everythingExcluded.takesNothing)
        #expect(!(try RuleLists(included: [all], excluded: [])).takesNothing)
    }

    @Test("What excludes everything keeps the system's constraints itself")
    func everythingExcluded() throws {
        let lists = RuleLists.everythingExcluded
        let checked = try RuleLists(included: lists.included, excluded: lists.excluded)
        #expect(checked == lists)
        #expect(
            lists.excluded.map { "\($0.address ?? "")/\($0.prefix)" } == [
                "0.0.0.1/1", "128.0.0.0/1", "::2/1", "8000::/1",
            ])
    }

    @Test("A policy that is off takes nothing")
    func off() throws {
        let text = "version: 1\nmode: off\nrules:\n  - {name: all, then: relay}\n"
        let policy = try Policy.read(yaml: text, file: "off", PolicyEnvironment(detectors: []))
        #expect(try RuleLists(policy) == .nothing)
    }

    @Test("The presets that ship make lists of which nothing is dropped", arguments: Policy.presetNames)
    func presets(_ name: String) throws {
        let text = try #require(Policy.presetText(name))
        let detectors = Detectors.all.map { DetectorName(id: $0.id, family: $0.family) }
        let policy = try Policy.read(yaml: text, file: name, PolicyEnvironment(detectors: detectors))
        let lists = try RuleLists(policy)
        #expect(!lists.included.isEmpty)
        #expect(!lists.excluded.isEmpty)
        #expect(lists.dropped.isEmpty)
    }

    @Test("A rule becomes the system's with its network, port, protocol and direction")
    func systemRules() throws {
        let network = NetworkRule(address: "192.0.2.0", prefix: 24, port: 443, transport: .tcp).systemRule
        #expect(network.matchRemoteHostOrNetworkEndpoint == .hostPort(host: "192.0.2.0", port: 443))
        #expect(network.matchRemotePrefix == 24)
        #expect(network.matchProtocol == .TCP)
        #expect(network.matchDirection == .outbound)
        let host = NetworkRule(address: nil, transport: .udp, host: "example.com").systemRule
        #expect(host.matchRemoteHostOrNetworkEndpoint == .hostPort(host: "example.com", port: 0))
        #expect(host.matchProtocol == .UDP)
        let everywhere = all.systemRule
        #expect(everywhere.matchRemoteHostOrNetworkEndpoint == nil)
        #expect(everywhere.matchProtocol == .any)
        #expect(everywhere.matchDirection == .outbound)
        #expect(everywhere.matchLocalNetworkEndpoint == nil)
    }

    @Test("The settings name no server but the machine itself, and carry both lists")
    func settings() throws {
        let lists = try RuleLists(included: [all], excluded: [NetworkRule(address: "10.0.0.0", prefix: 8)])
        #expect(lists.settings.tunnelRemoteAddress == "127.0.0.1")
        #expect(lists.settings.includedNetworkRules?.count == 1)
        #expect(lists.settings.excludedNetworkRules?.count == 1)
    }
}
