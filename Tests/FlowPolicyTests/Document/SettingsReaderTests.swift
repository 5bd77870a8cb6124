// SPDX-License-Identifier: Apache-2.0

// What a policy says once for all rules, and what it changes in the catalogues.

import FlowModel
import Foundation
import Testing

@testable import FlowPolicy

@Suite("Settings of a document")
struct SettingsReaderTests {
    private static let rules = "\nrules: [{name: a, then: relay}]\n"

    @Test("Every setting is read")
    func all() throws {
        let yaml = try #require(PolicyVector.all("good").first { $0.name == "every-setting.yaml" }).yaml
        let policy = try Sample.policy(yaml)
        let settings = policy.settings
        #expect(settings.excludedCatalogues == ["core-protocols", "apple-core-ports"])
        #expect(settings.inspectedNeverRows == ["apns", "com.apple.trustd"])
        #expect(settings.vendorTeams == ["AB12CD34EF"])
        #expect(settings.vendorPackages == ["acme-agent"])
        #expect(settings.dns == .report)
        #expect(settings.deadline == .init(milliseconds: 5_000, outcome: .relay))
        #expect(settings.privacy == .init(users: .name, retainDays: 30))
        #expect(settings.bundleDemand?.key == Array(0..<32))
        #expect(policy.holds == [.thirdPartyPending])
        #expect(policy.unknown.count == UnknownCause.allCases.count - 1)
        let profile = try #require(policy.profile("lenient"))
        #expect(profile.learn == .exempt)
        #expect(profile.quic == .relay)
        #expect(profile.ech == .block)
        #expect(profile.privateRelay == .refuse)
    }

    @Test("What is left out is careful")
    func defaults() throws {
        #expect(try Sample.policy("version: 1" + Self.rules).settings == PolicySettings())
        #expect(
            try Sample.policy("version: 1\ndeferred: {within: 250ms}" + Self.rules).settings.deadline.milliseconds
                == 250)
    }

    @Test("Who claims nothing holds nothing", arguments: ["off", "decide", "observe", "enforce"])
    func holds(mode: String) throws {
        let policy = try Sample.policy("version: 1\nmode: \(mode)\nunknown: {exited: hold}" + Self.rules)
        #expect(policy.holds == (["off", "decide"].contains(mode) ? [] : [.exited]))
        #expect(policy.unknown.isEmpty)
    }

    @Test("Base64 is read as the system reads it, and only in its one form")
    func base64() {
        var dice = Dice(5)
        for count in 0..<70 {
            let bytes = (0..<count).map { _ in UInt8(dice.roll(256)) }
            let text = Data(bytes).base64EncodedString()
            #expect(SettingsReader.base64(text) == bytes)
            guard !text.isEmpty else { continue }
            #expect(SettingsReader.base64(String(text.dropLast())) == nil)
            #expect(SettingsReader.base64(text + "=") == nil)
        }
        for text in ["AA=A", "====", "A===", "AB==", "AAB=", "AA A", "AA-_", "ÄÄÄÄ"] {
            #expect(SettingsReader.base64(text) == nil, "\(text)")
        }
    }

    @Test("A catalogue loses and gains hosts in this policy alone")
    func catalogues() throws {
        let yaml = """
            version: 1
            catalogues: {private-life: {remove: [clinic.example], add: ["*.mybank.example", bank.example]}}
            """
        let policy = try Sample.policy(yaml + Self.rules)
        let rows = policy.catalogues.hosts.filter { $0.catalogue == "private-life" }
        #expect(rows.map(\.pattern.description) == ["bank.example", "*.bank.example", "*.mybank.example"])
        #expect(rows.last?.source == "test.yaml:2")
        #expect(policy.catalogues.hosts.count == Sample.catalogues.hosts.count)
        #expect(try Sample.policy("version: 1" + Self.rules).catalogues.hosts == Sample.catalogues.hosts)
    }
}
