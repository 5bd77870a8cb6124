// SPDX-License-Identifier: Apache-2.0

// Revocation by lists and by OCSP, with openssl as the authority.

import Crypto
import FlowModel
import Foundation
import SwiftASN1
import Synchronization
import Testing
import X509

@testable import FlowEngine

@Suite struct RevocationCheckTests {
    private let now = Date()
    private let authority: OpenSSLAuthority
    private let host: Host

    init() throws {
        authority = try OpenSSLAuthority()
        host = try #require(Host("a.example"))
    }

    private func verdict(
        _ leaf: TestIdentity, fetch: @escaping @Sendable (RevocationRequest) throws -> [UInt8]
    ) async throws -> TrustVerdict {
        let now = now
        let trust = X509UpstreamTrust(
            roots: TrustRoots([authority.identity.certificate]), revocation: TestFetcher(answer: fetch)
        ) { now }
        return await trust.verdict(on: [try leaf.der], host: host, now: now)
    }

    private func leaf(lists: [String] = [], responder: Bool = false) throws -> TestIdentity {
        try TestCertificate.leaf("a.example", issuer: authority.identity).valid(at: now).with {
            if let url = lists.first { $0.extra.append(listPoint(url)) }
            if responder {
                let access = AuthorityInformationAccess([
                    .init(method: .ocspServer, location: .uniformResourceIdentifier("http://ocsp.test/"))
                ])
                $0.extra.append(try Certificate.Extension(access, critical: false))
            }
        }.make()
    }

    private func outcome(_ verdict: TrustVerdict) -> String {
        switch verdict {
        case .good(_, let notes): notes.isEmpty ? "good" : notes.map(\.code).joined()
        case .bad(let problem): problem.code.rawValue
        }
    }

    @Test func `A certificate on its issuer's list is revoked, another is not`() async throws {
        let (bad, fine) = (try leaf(lists: ["http://crl.test/a"]), try leaf(lists: ["http://crl.test/a"]))
        let list = try authority.list(revoked: [bad])
        #expect(try await outcome(verdict(bad) { _ in list }) == "certificate-revoked")
        #expect(try await outcome(verdict(fine) { _ in list }) == "good")
    }

    @Test func `A list is fetched once for many certificates`() async throws {
        let list = try authority.list(revoked: [])
        let fetches = Shared(0)
        let now = now
        let fetcher = TestFetcher { request in
            fetches.change { $0 += 1 }
            #expect(request.url == "http://crl.test/a" && request.body == nil)
            return list
        }
        let trust = X509UpstreamTrust(roots: TrustRoots([authority.identity.certificate]), revocation: fetcher) { now }
        for _ in 0..<5 {
            let verdict = await trust.verdict(on: [try leaf(lists: ["http://crl.test/a"]).der], host: host, now: now)
            #expect(outcome(verdict) == "good")
        }
        #expect(fetches.value == 1)
    }

    @Test func `No answer, a broken answer and one of another issuer leave it good with a note`() async throws {
        let leaf = try leaf(lists: ["http://crl.test/a"])
        let other = try OpenSSLAuthority().list(revoked: [leaf])
        let mine = try authority.list(revoked: [leaf])
        let cut = Array(mine.dropLast())
        let forged = mine.enumerated().map { $0.offset == mine.count - 100 ? $0.element ^ 1 : $0.element }
        let tooLong = [UInt8](repeating: 0, count: TLSLimits.revocationList.value + 1)
        for answer in [other, cut, forged, [], tooLong] {
            #expect(try await outcome(verdict(leaf) { _ in answer }) == "revocation-unknown")
        }
        #expect(try await outcome(verdict(leaf) { _ in throw Unexpected("down") }) == "revocation-unknown")
    }

    @Test func `A list that has run out counts for nothing`() async throws {
        let leaf = try leaf(lists: ["http://crl.test/a"])
        let list = try authority.list(
            revoked: [leaf], options: ["-crl_lastupdate", "20200101000000Z", "-crl_nextupdate", "20200201000000Z"])
        #expect(try await outcome(verdict(leaf) { _ in list }) == "revocation-unknown")
    }

    @Test func `A list for one place and kind counts for that place and kind only`() async throws {
        let leaf = try leaf(lists: ["http://crl.test/a"])
        func outcome(_ scope: String) async throws -> String {
            let list = try authority.list(revoked: [leaf], scope: scope)
            return try await self.outcome(verdict(leaf) { _ in list })
        }
        #expect(try await outcome("fullname=URI:http://crl.test/a\nonlyuser=TRUE") == "certificate-revoked")
        #expect(try await outcome("fullname=URI:http://crl.test/b") == "revocation-unknown")
        #expect(try await outcome("fullname=URI:http://crl.test/a\nonlyCA=TRUE") == "revocation-unknown")
        #expect(try await outcome("fullname=URI:http://crl.test/a\nindirectCRL=TRUE") == "revocation-unknown")
    }

    @Test func `A certificate that names no source is good without a question`() async throws {
        #expect(try await outcome(verdict(leaf()) { throw Unexpected($0) }) == "good")
    }

    @Test func `Only lists over plain HTTP are asked for`() async throws {
        for url in ["ldap://crl.test/a", "https://crl.test/a", "file:///etc/passwd"] {
            #expect(try await outcome(verdict(leaf(lists: [url])) { throw Unexpected($0) }) == "good")
        }
    }

    @Test func `OCSP is asked where there is no list, and its word on revocation counts`() async throws {
        let (bad, fine) = (try leaf(responder: true), try leaf(responder: true))
        let authority = authority
        try authority.index(valid: [fine], revoked: [bad])
        let answer: @Sendable (RevocationRequest) throws -> [UInt8] = { try authority.respond(to: $0.body ?? []) }
        #expect(try await outcome(verdict(bad, fetch: answer)) == "certificate-revoked")
        #expect(try await outcome(verdict(fine, fetch: answer)) == "good")
        #expect(try await outcome(verdict(bad) { _ in [0x30, 3, 0x0a, 1, 6] }) == "revocation-unknown")
        #expect(try await outcome(verdict(bad) { _ in throw Unexpected("down") }) == "revocation-unknown")
    }

    @Test func `Where the list fails, OCSP is asked`() async throws {
        let bad = try TestCertificate.leaf("a.example", issuer: authority.identity).valid(at: now).with {
            let access = AuthorityInformationAccess([
                .init(method: .ocspServer, location: .uniformResourceIdentifier("http://ocsp.test/"))
            ])
            $0.extra = [listPoint("http://crl.test/a"), try Certificate.Extension(access, critical: false)]
        }.make()
        let authority = authority
        try authority.index(valid: [], revoked: [bad])
        let verdict = try await verdict(bad) { request in
            guard let body = request.body else { throw Unexpected("down") }
            return try authority.respond(to: body)
        }
        #expect(outcome(verdict) == "certificate-revoked")
    }

    @Test func `Changed bytes in a list never trap and never count`() throws {
        let leaf = try leaf(lists: ["http://crl.test/a"])
        let list = try authority.list(revoked: [leaf], scope: "fullname=URI:http://crl.test/a")
        let issuer = authority.identity.certificate
        let good = try RevocationList(der: list, url: "http://crl.test/a", issuer: issuer, now: now)
        #expect(good.contains(leaf.certificate.serialNumber))
        var random = SeededRandom(seed: 11)
        for _ in 0..<1_000 {
            var changed = list
            let place = Int.random(in: 0..<changed.count, using: &random)
            changed[place] ^= UInt8.random(in: 1 ... .max, using: &random)
            #expect(throws: (any Error).self) {
                try RevocationList(der: changed, url: "http://crl.test/a", issuer: issuer, now: now)
            }
        }
        for end in 0..<list.count {
            #expect(throws: (any Error).self) {
                try RevocationList(der: Array(list[..<end]), url: "http://crl.test/a", issuer: issuer, now: now)
            }
        }
    }
}

private struct TestFetcher: RevocationFetcher {
    let answer: @Sendable (RevocationRequest) throws -> [UInt8]
    func fetch(_ request: RevocationRequest) async throws -> [UInt8] { try answer(request) }
}

/// A CRLDistributionPoints extension with one URL.
private func listPoint(_ url: String) -> Certificate.Extension {
    let bytes = Array(url.utf8)
    let n = UInt8(bytes.count)
    return Certificate.Extension(
        oid: [2, 5, 29, 31], critical: false,
        value: ([0x30, n + 8, 0x30, n + 6, 0xa0, n + 4, 0xa0, n + 2, 0x86, n] + bytes)[...])
}

/// An authority whose lists and OCSP responses openssl makes.
private final class OpenSSLAuthority: Sendable {
    let identity: TestIdentity
    private let path: String
    private let directory: Mutex<TemporaryDirectory>

    init() throws {
        identity = try TestCertificate.authority("Authority").valid(at: Date()).make()
        let directory = try TemporaryDirectory()
        try directory.write(identity.certificatePEM, "ca.pem")
        try directory.write(identity.keyPEM, "ca.key")
        path = directory.path
        self.directory = Mutex(directory)
    }

    private func index(_ valid: [TestIdentity], _ revoked: [TestIdentity], in directory: borrowing TemporaryDirectory)
        throws
    {
        func line(_ state: String, _ identity: TestIdentity) -> String {
            let serial = identity.certificate.serialNumber.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
                .joined().uppercased()
            return "\(state)\t300101000000Z\t\(state == "R" ? "250101000000Z" : "")\t\(serial)\tunknown\t/CN=x\n"
        }
        let lines = valid.map { line("V", $0) } + revoked.map { line("R", $0) }
        try directory.write(lines.joined(), "index.txt")
    }

    func index(valid: [TestIdentity], revoked: [TestIdentity]) throws {
        try directory.withLock { try index(valid, revoked, in: $0) }
    }

    func list(revoked: [TestIdentity], scope: String? = nil, options: [String] = []) throws -> [UInt8] {
        try directory.withLock { directory in
            try index([], revoked, in: directory)
            try directory.write(
                """
                [ca]
                default_ca=x
                [x]
                database=index.txt
                certificate=ca.pem
                private_key=ca.key
                default_md=sha256
                default_crl_days=9
                \(scope == nil ? "" : "crl_extensions=e")
                [e]
                issuingDistributionPoint=critical,@i
                [i]
                \(scope ?? "")
                """, "ca.cnf")
            let made = try directory.attempt(
                ["openssl", "ca", "-config", "ca.cnf", "-gencrl", "-out", "list.pem"] + options)
            guard made.status == 0 else { throw Unexpected(made.output) }
            return try PEMDocument(pemString: directory.read("list.pem")).derBytes
        }
    }

    func respond(to request: [UInt8]) throws -> [UInt8] {
        try directory.withLock { directory in
            try Data(request).write(to: URL(fileURLWithPath: path + "/request.der"))
            try directory.run(
                "openssl", "ocsp", "-index", "index.txt", "-CA", "ca.pem", "-rsigner", "ca.pem", "-rkey", "ca.key",
                "-reqin", "request.der", "-respout", "response.der", "-ndays", "1")
            return try directory.bytes("response.der")
        }
    }
}
