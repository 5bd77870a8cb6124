// SPDX-License-Identifier: Apache-2.0

import FlowModel
import Testing

@testable import FlowPolicy

@Suite struct RowReadingTests {
    private static let heading =
        "id,os,protocol,transports,ports,prefixes,hosts,tier,scope,reason,consequence,unseen,evidence,source\n"

    private func problems(_ row: String) -> [String] {
        Catalogues.read([("core-protocols", Array((Self.heading + row).utf8))]).problems.map(\.description)
    }

    @Test func `A row says transports, ports, prefixes and hosts without guessing`() throws {
        let row = "a,both,A,tcp;udp,53;60-70,,a.example;*.b.example,never,code,r,c,,seen,s"
        let (catalogues, problems) = Catalogues.read([("core-protocols", Array((Self.heading + row).utf8))])
        #expect(problems == [])
        let read = try #require(catalogues.protocols.first)
        #expect(read.transports == [.tcp, .udp] && read.ports == [53...53, 60...70])
        #expect(read.hosts.map(\.description) == ["a.example", "*.b.example"])
    }

    @Test(arguments: [
        ("a,both,A,tcp,0,,,never,local,r,c,,seen,s", "no port or range of ports"),
        ("a,both,A,tcp,70-60,,,never,local,r,c,,seen,s", "no port or range of ports"),
        ("a,both,A,tcp,70-,,,never,local,r,c,,seen,s", "no port or range of ports"),
        ("a,both,A,sctp,7,,,never,local,r,c,,seen,s", "no transport"),
        ("a,both,A,tcp,7,10.0.0.1/8,,never,prefixes,r,c,,seen,s", "no network"),
        ("a,both,A,tcp,7,,,never,prefixes,r,c,,seen,s", "the scope is prefixes"),
        ("a,both,A,udp,,,,never,open,r,c,u,seen,s", "needs ports and no prefixes"),
        ("a,both,A,udp,7,,,never,open,r,c,,seen,s", "the scope is open; say in 'unseen'"),
        ("a,both,A,,7,,,never,local,r,c,,seen,s", "'transports' is empty"),
        ("a,both,A,udp,7,,*.,never,local,r,c,,seen,s", "no host"),
        ("a,plan9,A,udp,7,,,never,local,r,c,,seen,s", "none of macos, linux, both"),
        ("a,both,A,udp,7,,,often,local,r,c,,seen,s", "none of never, default, policy, inspect"),
        ("a,both,A,udp,7,,,never,local,r,c,,heard,s", "none of seen, label, restated, recalled"),
        (",both,A,udp,7,,,never,local,r,c,,seen,s", "'id' is empty"), ("a,both", "it has 2 fields"),
    ])
    func `A row that cannot mean what it says is dropped and told`(_ row: String, _ expected: String) throws {
        let problem = try #require(problems(row).first)
        #expect(problem.hasPrefix("core-protocols.csv:2: ") && problem.contains(expected), "\(problem)")
    }

    @Test func `A file without a column that is needed gives no rows`() {
        let (catalogues, problems) = Catalogues.read([("pinned-hosts", Array("host,ports\na.example,443\n".utf8))])
        #expect(catalogues.hosts.isEmpty)
        #expect(problems.map(\.message) == ["there is no column 'why'; add it"])
    }
}
