// SPDX-License-Identifier: Apache-2.0

// What a leaf says, and that real clients take it.

import Crypto
import FlowModel
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import SwiftASN1
import Testing
import X509

@testable import FlowEngine

@Suite struct LeafMinterTests {
    private let clock = TestClock()
    private let loop = MultiThreadedEventLoopGroup.singleton.next()

    private func minter(_ authority: CertificateAuthority) throws -> LeafMinter {
        try LeafMinter(authority: authority) { [clock] in clock.now }
    }

    private func leaf(_ host: String) throws -> (Certificate, CertificateAuthority) {
        let authority = try CertificateAuthority.make(now: clock.now).authority
        return (try minter(authority).mint(for: #require(Host(host)), now: clock.now), authority)
    }

    @Test func `A leaf names the requested host only and may only serve`() throws {
        let (leaf, authority) = try leaf("api.example.com")
        #expect(try leaf.extensions.subjectAlternativeNames.map(Array.init) == [.dnsName("api.example.com")])
        #expect(leaf.extensions[oid: [2, 5, 29, 17]]?.critical == false)
        #expect("\(leaf.subject)" == "CN=api.example.com")
        #expect(try leaf.extensions.extendedKeyUsage == ExtendedKeyUsage([.serverAuth]))
        #expect(try leaf.extensions.keyUsage == KeyUsage(digitalSignature: true))
        #expect(try leaf.extensions.basicConstraints == .notCertificateAuthority)
        #expect(P256.Signing.PublicKey(leaf.publicKey) != nil)
        let (aki, ski) = (
            try leaf.extensions.authorityKeyIdentifier, try authority.certificate.extensions.subjectKeyIdentifier
        )
        #expect(aki?.keyIdentifier == ski?.keyIdentifier)
        #expect(authority.certificate.publicKey.isValidSignature(leaf.signature, for: leaf))
    }

    @Test(arguments: [
        ("192.0.2.7", [192, 0, 2, 7]), ("2001:db8::1", [0x20, 1, 0xd, 0xb8] + [UInt8](repeating: 0, count: 11) + [1]),
    ])
    func `A leaf for an address has an address entry`(_ host: String, _ bytes: [UInt8]) throws {
        let names = try leaf(host).0.extensions.subjectAlternativeNames.map(Array.init)
        #expect(names == [.ipAddress(ASN1OctetString(contentBytes: bytes[...]))])
    }

    @Test func `A name longer than a common name may be leaves the subject empty and its entry critical`() throws {
        let host = String(repeating: "a", count: 63) + ".example.com"
        let leaf = try leaf(host).0
        #expect(leaf.subject.isEmpty)
        #expect(leaf.extensions[oid: [2, 5, 29, 17]]?.critical == true)
    }

    @Test func `Serial numbers are positive, sixteen bytes long and differ`() throws {
        let serials = (0..<200).map { _ in Certificate.SerialNumber.random127() }
        #expect(Set(serials).count == 200)
        for serial in serials { #expect(serial.bytes.count == 16 && (0x40...0x7f).contains(serial.bytes.first ?? 0)) }
    }

    @Test func `A leaf begins before today and ends within ninety days, and never after its authority`() throws {
        let leaf = try leaf("a.example").0
        #expect(leaf.notValidBefore <= clock.now.addingTimeInterval(-86_400))
        #expect(leaf.notValidAfter <= clock.now.addingTimeInterval(86_400 * 90))
        let short = TestCertificate.authority("Short").with { $0.until = clock.now.addingTimeInterval(3_600) }
        let identity = try short.make()
        let authority = try CertificateAuthority(
            certificatePEM: identity.certificatePEM, keyPEM: identity.keyPEM, certificatePath: "c", keyPath: "k",
            now: clock.now)
        let minter = try minter(authority)
        let host = try #require(Host("a.example"))
        #expect(try minter.mint(for: host, now: clock.now).notValidAfter == short.until)
        clock.advance(seconds: 3_600)
        #expect(throws: CertificateAuthorityError.self) { try minter.mint(for: host, now: clock.now) }
    }

    @Test func `A context is made once for a name and protocol, and anew before its leaf ends`() async throws {
        let minter = try minter(CertificateAuthority.make(now: clock.now).authority)
        let (a, b) = (try #require(Host("a.example")), try #require(Host("b.example")))
        let first = try await minter.context(for: a, alpn: "http/1.1", on: loop).get()
        #expect(try await minter.context(for: a, alpn: "http/1.1", on: loop).get() === first)
        #expect(try await minter.context(for: a, alpn: nil, on: loop).get() !== first)
        #expect(try await minter.context(for: b, alpn: "http/1.1", on: loop).get() !== first)
        clock.advance(days: 16)
        #expect(try await minter.context(for: a, alpn: "http/1.1", on: loop).get() !== first)
    }

    @Test(arguments: ["a.example", "127.0.0.1", "xn--bcher-kva.example", "under_score.example"], [nil, "http/1.1"])
    func `openssl s_client verifies the leaf and agrees on the protocol`(_ name: String, _ alpn: String?) async throws {
        let directory = try TemporaryDirectory()
        let authority = try CertificateAuthority.loadOrCreate(in: directory.path, now: Date())
        let host = try #require(Host(name))
        let context = try await LeafMinter(authority: authority) { Date() }.context(for: host, alpn: alpn, on: loop)
            .get()
        let server = try await TestServer.start(context)
        var arguments = [
            "openssl", "s_client", "-connect", "127.0.0.1:\(server.port)", "-CAfile", "ca.pem", "-verify_return_error",
            "-x509_strict", "-purpose", "sslserver", "-alpn", "h2,http/1.1",
        ]
        if case .name = host {
            arguments += ["-servername", name, "-verify_hostname", name]
        } else {
            arguments += ["-verify_ip", name]
        }
        let (status, output) = try directory.attempt(arguments, input: "Q\n")
        #expect(status == 0 && output.contains("Verification: OK"), "\(output)")
        #expect(output.contains("ALPN protocol: http/1.1") == (alpn != nil), "\(output)")
        try await server.stop()
    }

    @Test func `Below an intermediate the chain reaches the client, and openssl verifies it with the root alone`()
        async throws
    {
        let directory = try TemporaryDirectory()
        let root = try TestCertificate.authority("Root").valid(at: Date()).make()
        let device = try TestCertificate.authority("Device", issuer: root).valid(at: Date()).make()
        try directory.write(root.certificatePEM, "root.pem")
        let authority = try CertificateAuthority(
            certificatePEM: device.certificatePEM, keyPEM: device.keyPEM, certificatePath: "c", keyPath: "k",
            now: Date())
        let host = try #require(Host("a.example"))
        let context = try await LeafMinter(authority: authority) { Date() }.context(for: host, alpn: nil, on: loop)
            .get()
        let server = try await TestServer.start(context)
        let (status, output) = try directory.attempt(
            [
                "openssl", "s_client", "-connect", "127.0.0.1:\(server.port)", "-CAfile", "root.pem",
                "-verify_return_error",
                "-servername", "a.example", "-verify_hostname", "a.example", "-brief",
            ], input: "Q\n")
        #expect(status == 0 && output.contains("Verification: OK"), "\(output)")
        try await server.stop()
    }
}
