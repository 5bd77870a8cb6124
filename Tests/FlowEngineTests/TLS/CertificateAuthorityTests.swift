// SPDX-License-Identifier: Apache-2.0

// Making, loading and refusing certificate authorities.

import Crypto
import FlowModel
import Foundation
import SwiftASN1
import Testing
import X509

@testable import FlowEngine

@Suite struct CertificateAuthorityTests {
    private let clock = TestClock()

    private func code(_ body: () throws -> some Any) -> CertificateAuthorityError.Code? {
        do {
            _ = try body()
            return nil
        } catch {
            return (error as? CertificateAuthorityError)?.code
        }
    }

    private func write(_ identity: TestIdentity, to directory: TemporaryDirectory) throws {
        try directory.write(identity.certificatePEM, "ca.pem", mode: 0o644)
        try directory.write(identity.keyPEM, "ca.key")
    }

    @Test func `A new authority is made once and then used as it is`() throws {
        let directory = try TemporaryDirectory()
        let place = directory.path + "/deep/er"
        let first = try CertificateAuthority.loadOrCreate(in: place, now: clock.now)
        let second = try CertificateAuthority.loadOrCreate(in: place, now: clock.now)
        #expect(first.certificate == second.certificate)
        #expect(try directory.mode("deep") == 0o700 && directory.mode("deep/er") == 0o700)
        #expect(try directory.mode("deep/er/ca.key") == 0o600)
        #expect(try directory.read("deep/er/ca.key").hasPrefix("-----BEGIN PRIVATE KEY-----"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: place).sorted() == ["ca.key", "ca.lock", "ca.pem"])
    }

    @Test func `A new authority says what it may do`() throws {
        let authority = try CertificateAuthority.make(now: clock.now).authority
        let certificate = authority.certificate
        #expect(try certificate.extensions.basicConstraints == .isCertificateAuthority(maxPathLength: 0))
        #expect(try certificate.extensions.keyUsage == KeyUsage(keyCertSign: true, cRLSign: true))
        #expect(try certificate.extensions.subjectKeyIdentifier != nil)
        #expect(certificate.subject == certificate.issuer)
        #expect("\(certificate.subject)".contains(/CN=Weir CA [0-9a-f]{8}/))
        #expect(certificate.notValidBefore == clock.now.addingTimeInterval(-3_600))
        #expect(certificate.publicKey.isValidSignature(certificate.signature, for: certificate))
        #expect(authority.chainAboveLeaf.isEmpty)
        #expect(try authority.fingerprint.count == 64)
    }

    #if !canImport(Darwin)
    @Test func `A key that an enclave keeps is refused where there is none, and nothing is written`() throws {
        let directory = try TemporaryDirectory()
        #expect(
            code {
                try CertificateAuthority.request(in: directory.path + "/ca", commonName: "m", keptBy: .enclave)
            } == .keyInvalid)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path + "/ca") == ["ca.lock"])
        let sealed = PEMDocument(type: "WEIR SECURE ENCLAVE KEY", derBytes: [1, 2, 3]).pemString
        let authority = try CertificateAuthority.make(now: clock.now).authority
        try directory.write(try authority.certificatePEM, "ca.pem", mode: 0o644)
        try directory.write(sealed, "ca.key")
        #expect(code { try CertificateAuthority.loadOrCreate(in: directory.path, now: clock.now) } == .keyInvalid)
    }
    #endif

    @Test func `Two processes that start together agree on one authority`() async throws {
        let directory = try TemporaryDirectory()
        let (place, now) = (directory.path + "/ca", clock.now)
        let all = try await withThrowingTaskGroup(of: Certificate.self) { group in
            for _ in 0..<8 {
                group.addTask { try CertificateAuthority.loadOrCreate(in: place, now: now).certificate }
            }
            return try await group.reduce(into: Set<Certificate>()) { $0.insert($1) }
        }
        #expect(all.count == 1)
    }

    @Test(arguments: [
        ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-out", "ca.key"],
        ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", "ca.key"],
        ["openssl", "genrsa", "-traditional", "-out", "ca.key", "2048"],
        ["openssl", "genrsa", "-out", "ca.key", "3072"],
    ]) func `openssl's keys and certificates are taken, and sign leaves that openssl takes`(_ command: [String]) throws
    {
        let directory = try TemporaryDirectory()
        #expect(try directory.attempt(command).status == 0)
        try directory.run(
            "openssl", "req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=Ours", "-days", "30", "-out", "ca.pem",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        try directory.run("chmod", "600", "ca.key")
        let authority = try CertificateAuthority.loadOrCreate(in: directory.path, now: Date())
        let minter = try LeafMinter(authority: authority) { Date() }
        let leaf = try minter.mint(for: try #require(Host("a.example")), now: Date())
        try directory.write(leaf.serializeAsPEM().pemString, "leaf.pem")
        let output = try directory.run(
            "openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "a.example", "-CAfile",
            "ca.pem", "leaf.pem")
        #expect(output.contains("leaf.pem: OK"))
    }

    @Test func `A key that others can read is refused`() throws {
        let directory = try TemporaryDirectory()
        try write(TestCertificate.authority("Ours").make(), to: directory)
        try directory.run("chmod", "640", "ca.key")
        #expect(code { try CertificateAuthority.loadOrCreate(in: directory.path, now: clock.now) } == .keyExposed)
    }

    @Test func `A directory in which others can write is refused`() throws {
        let directory = try TemporaryDirectory()
        try directory.run("chmod", "770", ".")
        #expect(code { try CertificateAuthority.loadOrCreate(in: directory.path, now: clock.now) } == .directoryExposed)
    }

    @Test func `Half an authority is refused and left alone`() throws {
        for missing in ["ca.pem", "ca.key"] {
            let directory = try TemporaryDirectory()
            try write(TestCertificate.authority("Ours").make(), to: directory)
            try directory.run("rm", missing)
            #expect(code { try CertificateAuthority.loadOrCreate(in: directory.path, now: clock.now) } == .incomplete)
            #expect(!FileManager.default.fileExists(atPath: directory.path + "/" + missing))
        }
    }

    @Test func `What is not an authority now is refused, each by its name`() throws {
        let directory = try TemporaryDirectory()
        func code(_ certificate: TestCertificate) throws -> CertificateAuthorityError.Code? {
            try write(certificate.make(), to: directory)
            return self.code { try CertificateAuthority.loadOrCreate(in: directory.path, now: clock.now) }
        }
        let good = TestCertificate.authority("Ours")
        #expect(try code(good) == nil)
        #expect(try code(good.with { $0.isAuthority = false }) == .notAuthority)
        #expect(try code(good.with { $0.until = clock.now.addingTimeInterval(-1) }) == .expired)
        #expect(try code(good.with { $0.from = clock.now.addingTimeInterval(60) }) == .notYetValid)
        let usage = try Certificate.Extension(KeyUsage(digitalSignature: true), critical: true)
        #expect(try code(good.with { $0.extra = [usage] }) == .notAuthority)
        let key = Certificate.PrivateKey(P521.Signing.PrivateKey())
        #expect(try code(good.with { ($0.key, $0.algorithm) = (key, .ecdsaWithSHA512) }) == .unsupportedKey)
    }

    @Test func `A key of another certificate is refused`() throws {
        let directory = try TemporaryDirectory()
        try write(TestCertificate.authority("Ours").make(), to: directory)
        try directory.write(TestCertificate.authority("Other").make().keyPEM, "ca.key")
        #expect(code { try CertificateAuthority.loadOrCreate(in: directory.path, now: clock.now) } == .mismatch)
    }

    @Test func `Files that hold something else are refused, and no error quotes them`() throws {
        let identity = try TestCertificate.authority("Ours").make()
        let (certificate, key) = (try identity.certificatePEM, try identity.keyPEM)
        let damaged = key.replacing(/[A-Za-z0-9+\/]{20}\n/, with: "AAAAAAAAAAAAAAAAAAAA\n")
        let cases: [(String, String, CertificateAuthorityError.Code)] = [
            ("", key, .certificateInvalid), (key, key, .certificateInvalid),
            ("\u{0}\u{1}garbage", key, .certificateInvalid),
            (certificate, "", .keyInvalid), (certificate, certificate, .keyInvalid),
            (certificate, damaged, .keyInvalid),
            (certificate, key.replacing("PRIVATE KEY", with: "ENCRYPTED PRIVATE KEY"), .keyInvalid),
        ]
        for (certificatePEM, keyPEM, expected) in cases {
            do {
                _ = try CertificateAuthority(
                    certificatePEM: certificatePEM, keyPEM: keyPEM, certificatePath: "c", keyPath: "k", now: clock.now)
                Issue.record("taken: \(expected)")
            } catch {
                #expect(error.code == expected)
                let body = keyPEM.split(separator: "\n").dropFirst().first ?? "-"
                #expect(!"\(error)".contains(body))
            }
        }
    }

    @Test func `A directory that cannot be made is named`() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("", "file")
        let error = #expect(throws: CertificateAuthorityError.self) {
            try CertificateAuthority.loadOrCreate(in: file, now: clock.now)
        }
        #expect(error?.code == .directoryUnusable && error?.path == file)
    }

    @Test func `An intermediate sends itself below the leaf, never its root`() throws {
        let root = try TestCertificate.authority("Root").make()
        let middle = try TestCertificate.authority("Device", issuer: root).make()
        let authority = try CertificateAuthority(
            certificatePEM: middle.certificatePEM + root.certificatePEM, keyPEM: middle.keyPEM, certificatePath: "c",
            keyPath: "k", now: clock.now)
        #expect(authority.chainAboveLeaf == [middle.certificate])
    }
}
