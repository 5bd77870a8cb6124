// SPDX-License-Identifier: Apache-2.0

import FlowModel
import Testing

@testable import FlowPolicy

@Suite struct HostRowsTests {
    private func contains(_ catalogue: String, _ host: String) throws -> Bool {
        let name = try #require(HostName(host))
        return try #require(Catalogues.shipped.hosts(in: catalogue)).contains(name)
    }

    @Test(arguments: [
        ("www.chase.com", true), ("chase.com", true), ("www.sparkasse.de", true), ("www.nhs.uk", true),
        ("mychart.org", true), ("www.vatican.va", true), ("www.igmetall.de", true), ("www.impots.gouv.fr", true),
        ("www.elster.de", true), ("988lifeline.org", true), ("www.brak.de", true), ("www.securedrop.org", true),
        ("example.com", false), ("notchase.com", false), ("chase.com.example", false), ("dropbox.com", false),
    ])
    func `What people do with their bank, doctor, church, union, state or lawyer is their own`(
        _ host: String, _ expected: Bool
    ) throws {
        #expect(try contains("private-life", host) == expected)
    }

    @Test func `No row of private life frees a whole top-level domain or a place for anybody's files`() {
        for row in Catalogues.shipped.hosts where row.catalogue == "private-life" {
            #expect(row.pattern.name.description.contains("."), "\(row.pattern)")
        }
        let categories = Set(Catalogues.shipped.hosts.filter { $0.catalogue == "private-life" }.map(\.category))
        #expect(categories.isSuperset(of: ["bank", "health", "faith", "union", "government", "counsel"]))
    }

    @Test(arguments: [
        ("github-token", "api.github.com"), ("payment-card", "api.stripe.com"), ("iban", "api.gocardless.com"),
        ("stripe-key", "api.stripe.com"), ("aws-access-key-id", "s3.eu-central-1.amazonaws.com"),
        ("slack-token", "slack.com"), ("gitlab-pat", "gitlab.com"), ("openai-key", "api.openai.com"),
        ("anthropic-key", "api.anthropic.com"),
    ])
    func `A secret is at home with its own issuer and nowhere else`(_ detector: String, _ host: String) throws {
        #expect(try contains("home/" + detector, host))
        #expect(try !contains("home/" + detector, "example.com"))
        #expect(try !contains("home/" + detector, detector == "github-token" ? "gitlab.com" : "github.com"))
    }

    @Test func `Private Relay has its hosts, and no host of a whole vendor counts as one that cannot be intercepted`()
        throws
    {
        #expect(try contains("private-relay", "mask.icloud.com"))
        for host in ["icloud.com", "www.icloud.com", "apple.com", "www.dropbox.com", "onedrive.live.com"] {
            #expect(try !contains("pinned-hosts", host))
        }
    }

    @Test func `A catalogue is as its rows are, and one without rows is none`() throws {
        var own = Catalogues.shipped
        let name = try #require(HostName("login.mybank.example"))
        own.hosts.append(
            HostRow(
                catalogue: "private-life", pattern: HostPattern(name), category: "bank", reason: "own",
                evidence: .seen, source: "test"))
        #expect(own.hosts(in: "private-life")?.contains(name) == true)
        own.hosts.removeAll { $0.catalogue == "private-life" }
        #expect(own.hosts(in: "private-life") == nil && !own.hostCatalogues.contains("private-life"))
        #expect(Catalogues.shipped.hostCatalogues.contains("home/github-token"))
    }
}
