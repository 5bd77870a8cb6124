// SPDX-License-Identifier: Apache-2.0

import FlowModel
import Testing

@testable import FlowPolicy

@Suite struct ExclusionRowsTests {
    private static let never = Catalogues.shipped.exclusions(for: PolicySettings(), on: .both)

    private func rows(
        covering transport: Transport, _ destination: String, _ interface: InterfaceClass? = nil,
        in exclusions: [Exclusion] = never
    ) throws -> [String] {
        let endpoint = try #require(Endpoint(destination))
        return exclusions.filter { $0.covers(transport, endpoint, interface) }.map(\.row)
    }

    @Test func `The never set is exactly the rows of tier never that a kernel can be told`() {
        let rows = Catalogues.shipped.protocols.filter { $0.tier == .never && $0.scope != .code && $0.scope != .none }
        #expect(Self.never.map(\.row) == rows.map(\.row))
        #expect(Self.never.count > 25)
        #expect(rows.allSatisfy { $0.evidence.decides }, "a row of tier never without evidence is none")
    }

    @Test func `Each kernel rule of the never set has a local scope or prefixes, or says what could leave unseen`()
        throws
    {
        // Networks that are no place in the world, Apple's own, and the host of an Azure machine.
        let known = try [
            "127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7",
            "fe80::/10", "224.0.0.0/4", "240.0.0.0/4", "ff00::/8", "17.0.0.0/8", "2620:149:a44::/48",
            "2403:300:a42::/48", "2403:300:a51::/48", "2a01:b740:a42::/48", "168.63.129.16/32",
        ].map { try #require(IPPrefix($0)) }
        for exclusion in Self.never {
            switch exclusion.scope {
            case .open: #expect(exclusion.unseen.count > 40, "\(exclusion.row)")
            case .peerToPeer: break
            case .prefixes(let prefixes):
                #expect(!prefixes.isEmpty)
                for prefix in prefixes {
                    #expect(
                        known.contains { $0.contains(prefix.address) && $0.length <= prefix.length },
                        "\(exclusion.row): \(prefix)")
                }
            }
        }
    }

    @Test func `Two ports stay open to any address, and only by UDP`() {
        let open = Self.never.filter { $0.scope == .open }
        #expect(open.map(\.row) == ["core-protocols/ntp", "core-protocols/ipsec-ike"])
        #expect(open.allSatisfy { $0.transports == [.udp] })
        #expect(open.flatMap(\.ports) == [123...123, 500...500, 4500...4500])
    }

    @Test(arguments: [
        ("17.57.1.2:5223", ["core-protocols/apns"]), ("192.0.2.1:5223", []), ("17.57.1.2:443", []),
        ("17.249.3.4:443", ["core-protocols/apns-fallback"]), ("17.249.3.4:2197", ["core-protocols/apns-fallback"]),
        ("[2620:149:a44::7]:5223", ["core-protocols/apns"]), ("[2620:149:a45::7]:5223", []), ("17.57.1.2:80", []),
    ])
    func `Push is left alone within Apple's prefixes, never to port 5223 of the world`(
        _ destination: String, _ expected: [String]
    ) throws {
        #expect(try rows(covering: .tcp, destination) == expected)
    }

    @Test(arguments: [
        ("10.1.2.3:88", true), ("192.168.1.9:3260", true), ("[fd00::5]:2049", true), ("172.31.0.1:6443", true),
        ("203.0.113.7:88", false), ("203.0.113.7:2049", false), ("100.64.0.9:2049", false), ("[2001:db8::1]:88", false),
        ("10.1.2.3:443", false),
    ])
    func `Core services are left alone in the own network only`(_ destination: String, _ expected: Bool) throws {
        #expect(try rows(covering: .tcp, destination).isEmpty != expected)
    }

    @Test func `Radio links to neighbours are left alone on a Mac, whatever the address`() throws {
        #expect(try rows(covering: .tcp, "203.0.113.7:443", .peerToPeer) == ["core-protocols/awdl"])
        #expect(
            !Catalogues.shipped.exclusions(for: PolicySettings(), on: .linux).map(\.row).contains("core-protocols/awdl")
        )
    }

    @Test func `DNS is no exclusion: it has a setting of its own`() throws {
        for transport in [Transport.udp, .tcp] { #expect(try rows(covering: transport, "8.8.8.8:53") == []) }
    }

    @Test func `Nobody is let out for naming a host`() {
        let shipped = Catalogues.shipped
        let byName = shipped.protocols.filter { !$0.hosts.isEmpty }
        #expect(byName.map(\.id).contains("captive-macos"))
        #expect(byName.allSatisfy { $0.scope == .code })
    }

    @Test(arguments: ["ntp", "core-protocols/ntp"])
    func `A row leaves the never set when a policy names it`(_ name: String) {
        var settings = PolicySettings()
        settings.inspectedNeverRows = [name]
        let rows = Catalogues.shipped.exclusions(for: settings, on: .both).map(\.row)
        #expect(rows == Self.never.map(\.row).filter { $0 != "core-protocols/ntp" })
    }

    @Test func `A catalogue that is left alone adds its rows of tier default that have evidence`() throws {
        var settings = PolicySettings()
        settings.excludedCatalogues = ["core-protocols"]
        let exclusions = Catalogues.shipped.exclusions(for: settings, on: .macos)
        #expect(try rows(covering: .tcp, "10.0.0.5:445", in: exclusions) == ["core-protocols/smb"])
        #expect(try rows(covering: .tcp, "10.0.0.5:445", in: Self.never) == [])
        // Restated by others, so it decides nothing.
        #expect(!exclusions.map(\.row).contains("core-protocols/wireguard"))
        let never = exclusions.filter { $0.tier == .never }
        #expect(never == Array(exclusions.prefix(never.count)), "the never set comes first")
        #expect(exclusions.allSatisfy { $0.scope != .open || !$0.unseen.isEmpty })
    }

    @Test func `Apple's core ports free no web traffic`() throws {
        var settings = PolicySettings()
        settings.excludedCatalogues = ["apple-core-ports"]
        let rows = Catalogues.shipped.exclusions(for: settings, on: .macos).filter { $0.tier == .default }
        #expect(rows.map(\.row).contains("apple-core-ports/88-tcp"))
        for port in ["53", "80", "443", "445"] {
            #expect(try self.rows(covering: .tcp, "203.0.113.7:\(port)", in: rows) == [])
        }
        #expect(
            Catalogues.shipped.exclusions(for: settings, on: .linux)
                == Catalogues.shipped.exclusions(for: PolicySettings(), on: .linux))
    }
}
