// SPDX-License-Identifier: Apache-2.0

import FlowModel
import Foundation
import Testing

@testable import FlowPolicy

@Suite struct CatalogueListingTests {
    private let shipped = Catalogues.shipped

    private func rows(_ name: String) throws -> [String] {
        try #require(shipped.listing(of: name)).sections.flatMap(\.rows).map(\.name)
    }

    @Test func `The never set as printed is exactly the rows of tier never, each once`() throws {
        let expected =
            shipped.protocols.filter { $0.tier == .never }.map(\.row)
            + shipped.programs.filter { $0.tier == .never }.map(\.row)
        #expect(try rows("never").sorted() == expected.sorted())
    }

    @Test func `What the kernel is told stands with each row that it is told`() throws {
        let listing = try #require(shipped.listing(of: "never"))
        let told = listing.sections.prefix(2).flatMap(\.rows)
        #expect(told.map(\.name).sorted() == shipped.exclusions(for: PolicySettings(), on: .both).map(\.row).sorted())
        #expect(told.allSatisfy { row in row.fields.contains { $0.name == "kernel" } })
        #expect(listing.text.contains("    kernel: udp port 123 to any address\n    why:"))
        #expect(listing.text.contains("    kernel: tcp port 5223 to 17.0.0.0/8, 2620:149:a44::/48,"))
        let silent = listing.sections.dropFirst(2).flatMap(\.rows)
        #expect(silent.allSatisfy { row in row.name.hasPrefix("core-") || row.fields.contains { $0.name == "proof" } })
    }

    @Test func `Each open port says what could leave unseen`() throws {
        let listing = try #require(shipped.listing(of: "open-ports"))
        #expect(listing.sections.first?.rows.map(\.name) == ["core-protocols/ntp", "core-protocols/ipsec-ike"])
        #expect(listing.sections.flatMap(\.rows).allSatisfy { row in row.fields.contains { $0.name == "unseen" } })
    }

    @Test func `Every name that can be listed is, as text and as JSON, and no other`() throws {
        #expect(
            Set([
                "never", "open-ports", "core-protocols", "apple-core-ports", "macos-daemons", "linux-daemons",
                "platform-interactive", "pinned-apps", "pinned-hosts", "apple-hosts", "private-relay", "private-life",
                "home", "home/github-token",
            ]).isSubset(of: shipped.listingNames))
        for name in shipped.listingNames {
            let listing = try #require(shipped.listing(of: name), "\(name)")
            #expect(listing.title.hasPrefix(name + ": ") && listing.title.hasSuffix("(edition 2026-11-24)"))
            for line in listing.jsonLines {
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                #expect(object?["row"] is String && object?["section"] is String && object?["source"] is String)
            }
            #expect(listing.jsonLines.count == listing.sections.flatMap(\.rows).count)
        }
        #expect(shipped.listing(of: "nothing") == nil && shipped.listing(of: "") == nil)
    }

    @Test func `A text that came from outside stays on its line`() {
        let row = CatalogueListing.Row("a\nb", [("found", "c\u{1b}[31m\nd")])
        let listing = CatalogueListing(title: "t", sections: [.init(title: "s", rows: [row])])
        #expect(listing.text == "t\n\ns (1)\n  a\u{fffd}b\n    found: c\u{fffd}[31m\u{fffd}d\n")
    }
}
