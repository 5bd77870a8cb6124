// SPDX-License-Identifier: Apache-2.0

// Good chains and every kind of bad one.

import Crypto
import FlowModel
import Foundation
import NIOCore
import NIOPosix
import SwiftASN1
import Testing
import X509

@testable import FlowEngine

@Suite struct X509UpstreamTrustTests {
    private let clock = TestClock()
    private let root: TestIdentity
    private let middle: TestIdentity
    private let host = "a.example.com"

    init() throws {
        root = try TestCertificate.authority("Root").make()
        middle = try TestCertificate.authority("Middle", issuer: root).make()
    }

    private func judge(_ chain: [TestIdentity], host: String? = nil, roots: [TestIdentity]? = nil) async throws
        -> TrustVerdict
    {
        let clock = clock
        let trust = X509UpstreamTrust(roots: TrustRoots((roots ?? [root]).map(\.certificate))) { clock.now }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let host = try #require(Host(host ?? self.host))
        return try await trust.judge(chain: chain.map { try $0.der }, host: host, on: loop).get()
    }

    private func code(_ chain: [TestIdentity], host: String? = nil, roots: [TestIdentity]? = nil) async throws
        -> TrustProblem.Code?
    {
        switch try await judge(chain, host: host, roots: roots) {
        case .good: nil
        case .bad(let problem): problem.code
        }
    }

    private func leaf(_ change: (inout TestCertificate) -> Void = { _ in }) throws -> TestIdentity {
        try TestCertificate.leaf(host, issuer: middle).with(change).make()
    }

    @Test func `A chain to a trusted root is good until its first certificate ends`() async throws {
        let until = clock.now.addingTimeInterval(86_400 * 3)
        let leaf = try leaf { $0.until = until }
        #expect(try await judge([leaf, middle]) == .good(validUntil: until, notes: []))
    }

    @Test func `The order of a chain, its root and strangers in it do not matter`() async throws {
        let stranger = try TestCertificate.authority("Stranger").make()
        #expect(try await code([leaf(), stranger, root, middle]) == nil)
    }

    @Test func `A certificate that is out of its time is bad`() async throws {
        #expect(try await code([leaf { $0.until = clock.now.addingTimeInterval(-1) }, middle]) == .expired)
        #expect(try await code([leaf { $0.from = clock.now.addingTimeInterval(60) }, middle]) == .notYetValid)
    }

    @Test func `An intermediate that is out of its time is bad`() async throws {
        let old = try TestCertificate.authority("Old", issuer: root).with {
            $0.until = clock.now.addingTimeInterval(-1)
        }.make()
        #expect(try await code([leaf { $0.issuer = old }, old]) == .expired)
    }

    @Test func `A certificate for another host, or with a common name only, is bad`() async throws {
        #expect(try await code([leaf(), middle], host: "b.example.com") == .wrongName)
        #expect(try await code([leaf { $0.names = nil }, middle]) == .noAlternativeName)
    }

    @Test func `A self-signed certificate is bad unless it is an authority that is trusted`() async throws {
        let own = try TestCertificate.leaf(host, issuer: nil).make()
        #expect(try await code([own]) == .selfSigned)
        #expect(try await code([own], roots: [root, own]) != nil)
        let trusted = try TestCertificate.leaf(host, issuer: nil).with { $0.isAuthority = true }.make()
        #expect(try await code([trusted], roots: [trusted]) == nil)
    }

    @Test func `An unknown root and a missing intermediate are bad`() async throws {
        let other = try TestCertificate.authority("Root").make()
        #expect(try await code([leaf(), middle], roots: [other]) == .unknownIssuer)
        #expect(try await code([leaf()]) == .unknownIssuer)
        #expect(try await code([]) == .noCertificate)
    }

    @Test func `A signature by SHA-1 is bad, on a leaf and on an intermediate`() async throws {
        let directory = try TemporaryDirectory()
        try directory.run("openssl", "genrsa", "-out", "rsa.key", "2048")
        let key = try Certificate.PrivateKey(pemEncoded: directory.read("rsa.key"))
        let root = try TestCertificate.authority("RSA").with { $0.key = key }.make()
        #expect(try await code([leaf { $0.issuer = root }], roots: [root]) == nil)
        let weak = try leaf { ($0.issuer, $0.algorithm) = (root, .sha1WithRSAEncryption) }
        #expect(try await code([weak], roots: [root]) == .weakSignature)
        let weakMiddle = try TestCertificate.authority("Weak", issuer: root).with {
            $0.algorithm = .sha1WithRSAEncryption
        }.make()
        #expect(try await code([leaf { $0.issuer = weakMiddle }, weakMiddle], roots: [root]) == .weakSignature)
        // A root's own signature proves nothing either way.
        let oldRoot = try TestCertificate.authority("RSA").with {
            ($0.key, $0.algorithm) = (key, .sha1WithRSAEncryption)
        }.make()
        #expect(try await code([leaf { $0.issuer = oldRoot }], roots: [oldRoot]) == nil)
    }

    @Test(arguments: [("rsa:1024", "-sha256", TrustProblem.Code.weakKey), ("rsa:2048", "-md5", .unreadable)])
    func `openssl's short keys and MD5 signatures are bad`(
        _ key: String, _ digest: String, _ expected: TrustProblem.Code
    ) async throws {
        let directory = try TemporaryDirectory()
        let command = [
            "openssl", "req", "-x509", "-newkey", key, digest, "-nodes", "-keyout", "k.pem", "-out", "c.pem", "-days",
            "9",
            "-subj", "/CN=x", "-addext", "subjectAltName=DNS:\(host)",
        ]
        #expect(try directory.attempt(command).status == 0)
        let der = try PEMDocument(pemString: directory.read("c.pem")).derBytes
        let trust = X509UpstreamTrust(roots: TrustRoots([root.certificate])) { Date() }
        guard case .bad(let problem) = await trust.verdict(on: [der], host: try #require(Host(host)), now: Date())
        else {
            throw Unexpected("good")
        }
        #expect(problem.code == expected)
    }

    @Test func `Bytes that are no certificate are unreadable, also as an intermediate that is needed`() async throws {
        let trust = X509UpstreamTrust(roots: TrustRoots([root.certificate])) { Date() }
        let name = try #require(Host(host))
        let leaf = try leaf().der
        for bytes in [[], [0x30], [0x30, 0x80], [UInt8](repeating: 0x30, count: 500)] {
            let own = await trust.verdict(on: [bytes], host: name, now: clock.now)
            let above = await trust.verdict(on: [leaf, bytes], host: name, now: clock.now)
            for verdict in [own, above] {
                guard case .bad(let problem) = verdict else { throw Unexpected(verdict) }
                #expect(problem.code == .unreadable)
            }
            let notNeeded = await trust.verdict(on: [leaf, bytes, try middle.der], host: name, now: clock.now)
            guard case .good = notNeeded else { throw Unexpected(notNeeded) }
        }
    }

    @Test func `Changed bytes in a chain never trap and are never good`() async throws {
        let trust = X509UpstreamTrust(roots: TrustRoots([root.certificate])) { Date() }
        let (leaf, above, name) = (try leaf().der, try middle.der, try #require(Host(host)))
        var random = SeededRandom(seed: 7)
        for _ in 0..<400 {
            var changed = leaf
            let place = Int.random(in: 0..<changed.count, using: &random)
            changed[place] ^= UInt8.random(in: 1 ... .max, using: &random)
            let verdict = await trust.verdict(on: [changed, above], host: name, now: clock.now)
            guard case .bad = verdict else { throw Unexpected("byte \(place): \(verdict)") }
        }
    }

    @Test func `A certificate for another use is bad, and so is one below an authority for another use`() async throws {
        #expect(try await code([leaf { $0.usage = [.clientAuth] }, middle]) == .wrongUsage)
        #expect(try await code([leaf { $0.usage = nil }, middle]) == nil)
        #expect(try await code([leaf { $0.usage = [.any] }, middle]) == nil)
        let mail = try TestCertificate.authority("Mail", issuer: root).with { $0.usage = [.emailProtection] }.make()
        #expect(try await code([leaf { $0.issuer = mail }, mail]) == .wrongUsage)
    }

    @Test func `One who is no authority cannot issue, and none issues deeper than allowed`() async throws {
        let notOne = try TestCertificate.leaf("b.example.com", issuer: root).make()
        #expect(try await code([leaf { $0.issuer = notOne }, notOne]) == .notPermitted)
        let shallow = try TestCertificate.authority("Shallow", issuer: root).with { $0.pathLength = 0 }.make()
        #expect(try await code([leaf { $0.issuer = shallow }, shallow]) == nil)
        let below = try TestCertificate.authority("Below", issuer: shallow).make()
        #expect(try await code([leaf { $0.issuer = below }, below, shallow]) == .notPermitted)
    }

    @Test func `Name constraints bind`() async throws {
        func chain(_ constraints: NameConstraints) throws -> [TestIdentity] {
            let narrow = try TestCertificate.authority("Narrow", issuer: root).with { $0.constraints = constraints }
                .make()
            return [try leaf { $0.issuer = narrow }, narrow]
        }
        #expect(try await code(chain(NameConstraints(permittedDNSDomains: ["example.com"]))) == nil)
        #expect(try await code(chain(NameConstraints(permittedDNSDomains: ["example.org"]))) == .notPermitted)
        #expect(try await code(chain(NameConstraints(excludedDNSDomains: ["a.example.com"]))) == .notPermitted)
    }

    @Test func `A critical extension that is not understood is bad, one that is not critical is not`() async throws {
        let plain = Certificate.Extension(oid: [1, 2, 3, 4], critical: false, value: [5, 0])
        #expect(try await code([leaf { $0.extra = [plain] }, middle]) == nil)
        let critical = Certificate.Extension(oid: [1, 2, 3, 4], critical: true, value: [5, 0])
        #expect(try await code([leaf { $0.extra = [critical] }, middle]) == .unknownExtension)
    }

    @Test func `A chain over the limits is bad`() async throws {
        let many = [TestIdentity](repeating: middle, count: TLSLimits.chainCertificates.value)
        #expect(try await code([leaf()] + many) == .chainTooLong)
    }

    /// Twelve certificates of one name and key, each a valid issuer of every other: 11! paths without a budget.
    @Test(.timeLimit(.minutes(1))) func `Certificates that sign each other in every order end the search`() async throws
    {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let first = try TestCertificate.authority("Knot").with { $0.key = key }.make()
        let knot = try (0..<11).map { number in
            try TestCertificate.authority("Knot", issuer: first).with {
                ($0.key, $0.names) = (key, [.dnsName("n\(number).example")])
            }.make()
        }
        #expect(try await code([leaf { $0.issuer = first }] + knot) == .unknownIssuer)
    }

    @Test func `Two issuers of one name are told apart, and an expired twin does not spoil the path`() async throws {
        let key = middle.key
        let twin = try TestCertificate.authority("Middle", issuer: root).with {
            ($0.key, $0.until) = (key, clock.now.addingTimeInterval(-1))
        }.make()
        let stranger = try TestCertificate.authority("Middle", issuer: root).make()
        #expect(try await code([leaf(), twin, stranger, middle]) == nil)
    }

    @Test func `A verdict is kept for its chain and host, and only for a time`() async throws {
        let clock = clock
        let trust = X509UpstreamTrust(roots: TrustRoots([root.certificate])) { clock.now }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let leaf = try leaf { $0.until = clock.now.addingTimeInterval(1_800) }
        let chain = [try leaf.der, try middle.der]
        func isGood(_ host: String) async throws -> Bool {
            if case .good = try await trust.judge(chain: chain, host: #require(Host(host)), on: loop).get() {
                true
            } else {
                false
            }
        }
        #expect(try await isGood(host))
        #expect(try await !isGood("b.example.com"))
        clock.advance(seconds: 1_799)
        #expect(try await isGood(host))
        clock.advance(seconds: 2)
        #expect(try await !isGood(host))
    }
}
