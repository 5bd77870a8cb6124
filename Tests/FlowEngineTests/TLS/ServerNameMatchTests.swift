// SPDX-License-Identifier: Apache-2.0

// Which names a certificate proves.

import FlowModel
import SwiftASN1
import Testing
import X509

@testable import FlowEngine

@Suite struct ServerNameMatchTests {
    @Test(arguments: [
        ("example.com", "example.com", true), ("EXAMPLE.com", "example.COM", true),
        ("*.example.com", "a.example.com", true), ("*.EXAMPLE.com", "a.example.com", true),
        ("*.example.com", "xn--bcher-kva.example.com", true), ("xn--bcher-kva.example", "xn--bcher-kva.example", true),
        ("*.example.com", "example.com", false), ("*.example.com", "b.a.example.com", false),
        ("*.com", "example.com", false), ("*", "example", false), ("*.*.com", "a.b.com", false),
        ("a*.example.com", "ab.example.com", false), ("*a.example.com", "ba.example.com", false),
        ("xn--*.example.com", "xn--a.example.com", false), ("w.*.com", "w.example.com", false),
        ("example.com.", "example.com", false), ("example.com", "example.org", false),
        (" example.com", "example.com", false), ("example.com\u{0}.evil.org", "example.com", false),
        ("", "example.com", false), ("*.", "example.com", false), (".example.com", "a.example.com", false),
    ]) func `Names match whole, and wildcards for one left-most label`(_ pattern: String, _ host: String, _ match: Bool)
        throws
    {
        #expect(ServerNameMatch.matches(pattern, try #require(HostName(host))) == match)
    }

    private func problem(_ names: [GeneralName]?, _ host: String, commonName: String = "x") throws -> TrustProblem.Code?
    {
        let certificate = try TestCertificate(name: commonName, names: names).make().certificate
        return ServerNameMatch.problem(of: certificate, for: try #require(Host(host)))?.code
    }

    private func address(_ bytes: [UInt8]) -> GeneralName { .ipAddress(ASN1OctetString(contentBytes: bytes[...])) }

    @Test func `An address matches only an address entry`() throws {
        #expect(try problem([address([192, 0, 2, 1])], "192.0.2.1") == nil)
        #expect(try problem([address([192, 0, 2, 1])], "192.0.2.2") == .wrongName)
        #expect(try problem([.dnsName("192.0.2.1")], "192.0.2.1") == .wrongName)
        #expect(
            try problem([address([0x20, 1, 13, 0xb8] + [UInt8](repeating: 0, count: 11) + [1])], "2001:db8::1") == nil)
        #expect(try problem([address([1, 2, 3])], "192.0.2.1") == .wrongName)
    }

    @Test func `The common name proves nothing`() throws {
        #expect(try problem(nil, "example.com", commonName: "example.com") == .noAlternativeName)
        #expect(try problem([], "example.com", commonName: "example.com") == .wrongName)
        #expect(try problem([.rfc822Name("a@example.com")], "example.com", commonName: "example.com") == .wrongName)
    }

    @Test func `The sentence names a few hosts and nothing unprintable`() throws {
        let names: [GeneralName] = [
            .dnsName("a\u{1b}[31m"), .dnsName("*.a.example"), .dnsName("b.example"), .dnsName("c.example"),
            .dnsName("d.example"),
        ]
        let certificate = try TestCertificate(names: names).make().certificate
        let problem = ServerNameMatch.problem(of: certificate, for: try #require(Host("e.example")))
        #expect(
            problem?.sentence
                == "the certificate is for *.a.example, b.example, c.example and others, not for e.example")
    }
}
