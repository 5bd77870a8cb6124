// SPDX-License-Identifier: Apache-2.0

// Reading certificates.

import Testing

@testable import CodeIdentity

@Suite("Certificate facts") struct CertificateFactsTests {
    private static func certificate(
        subject: [(type: [UInt8], text: String)] = [(ObjectIdentifiers.commonName, "x")], extensions: [[UInt8]] = []
    ) -> SyntheticCertificate {
        SyntheticCertificate(subject: subject, extensions: extensions, key: .p256())
    }

    @Test("Repeated attributes stay in order: the team rule takes the first, a requirement the last")
    func attributes() throws {
        let facts = try CertificateFacts(
            der: try Self.certificate(subject: [
                (ObjectIdentifiers.organizationalUnit, "one"), (ObjectIdentifiers.commonName, "Näme"),
                (ObjectIdentifiers.organizationalUnit, "two"),
            ]).der())
        #expect(facts.first(ObjectIdentifiers.organizationalUnit) == Array("one".utf8))
        #expect(facts.last(ObjectIdentifiers.organizationalUnit) == Array("two".utf8))
        #expect(facts.commonName == "Näme")
        #expect(facts.first(ObjectIdentifiers.country) == nil)
    }

    @Test("A multi-valued RDN gives its attributes one after the other, of any string type")
    func multiValued() throws {
        let key = SyntheticKey.p256()
        let pair = { (type: [UInt8], tag: UInt8, text: String) in
            DERWriter.sequence(DERWriter.oid(type), DERWriter.value(tag, Array(text.utf8)))
        }
        let name = DERWriter.sequence(
            DERWriter.set(
                pair(ObjectIdentifiers.commonName, 19, "printable"), pair(ObjectIdentifiers.organization, 20, "teletex")
            ),
            DERWriter.set(pair(ObjectIdentifiers.userID, 22, "ia5")))
        let body = DERWriter.sequence(
            DERWriter.integer(1), key.algorithm(), name,
            DERWriter.sequence(DERWriter.time("491231235959Z"), DERWriter.time("20500101000000Z")), name,
            try key.keyInfo())
        let facts = try CertificateFacts(
            der: DERWriter.sequence(body, key.algorithm(), DERWriter.bits(try key.sign(body))))
        #expect(facts.subject.map { String(decoding: $0.value, as: UTF8.self) } == ["printable", "teletex", "ia5"])
        #expect(facts.printableSubject == "CN=printable, O=teletex, UID=ia5")
        #expect(facts.notAfter - facts.notBefore == 1)
        #expect(facts.extensions.isEmpty && facts.extendedKeyUsages == nil && facts.keyUsage == nil)
    }

    @Test("No value of a name can pass for two, or hide")
    func printable() throws {
        let facts = try CertificateFacts(
            der: try Self.certificate(subject: [
                (ObjectIdentifiers.commonName, "a, O=Apple\u{202e}\n"), ([0x2a, 3], "b"),
            ]).der())
        #expect(facts.printableSubject == #"CN=a\, O=Apple\e2\80\ae\0a, 1.2.3=b"#)
    }

    @Test("Policies, usages and constraints are read; an unreadable constraint makes no authority")
    func extensions() throws {
        let policy = DERWriter.sequence(
            DERWriter.sequence(DERWriter.oid([0x2a, 3, 4]), DERWriter.sequence()),
            DERWriter.sequence(DERWriter.oid([0x2a, 3, 5])))
        let facts = try CertificateFacts(
            der: try Self.certificate(extensions: [
                SyntheticCertificate.attach(ObjectIdentifiers.certificatePolicies, policy),
                SyntheticCertificate.basicConstraints(pathLength: 3), SyntheticCertificate.keyUsage([0x46]),
            ]).der())
        #expect(facts.policies == [[0x2a, 3, 4], [0x2a, 3, 5]])
        #expect(facts.basicConstraints == .init(isAuthority: true, pathLength: 3))
        #expect(facts.keyUsage == [.nonRepudiation, .keyCertSign, .crlSign])

        for broken in [[], [0x30, 3, 1, 1], DERWriter.sequence(DERWriter.yes, [2, 1, 0x80]), DERWriter.sequence()] {
            let facts = try CertificateFacts(
                der: try Self.certificate(extensions: [
                    SyntheticCertificate.attach(ObjectIdentifiers.basicConstraints, broken)
                ]).der())
            #expect(facts.basicConstraints?.isAuthority == false)
        }
    }

    @Test("An extension that stands twice is refused")
    func repeated() throws {
        let der = try Self.certificate(extensions: [
            SyntheticCertificate.basicConstraints(), SyntheticCertificate.basicConstraints(),
        ]).der()
        #expect { try CertificateFacts(der: der) } throws: { ($0 as? CodeProblem)?.code == .certificateMalformed }
    }

    @Test("A certificate whose two algorithm names differ is refused")
    func algorithms() throws {
        var der = try Self.certificate().der()
        let algorithm = SyntheticKey.p256().algorithm()
        let last = try #require(der.ranges(of: algorithm).last)
        der[last.upperBound - 1] = 3
        #expect { try CertificateFacts(der: der) } throws: { ($0 as? CodeProblem)?.code == .certificateMalformed }
    }

    @Test("Too many parts and too many bytes are bounded")
    func bounded() throws {
        let many = (0..<65).map { (ObjectIdentifiers.organizationalUnit, "\($0)") }
        let marks = (0..<65).map { SyntheticCertificate.mark([0x2a, 3, UInt8($0)]) }
        let large = SyntheticCertificate.attach([0x2a, 3], Array(repeating: 0, count: 20_000))
        for certificate in [
            Self.certificate(subject: many), Self.certificate(extensions: marks), Self.certificate(extensions: [large]),
        ] {
            let der = try certificate.der()
            #expect { try CertificateFacts(der: der) } throws: { ($0 as? CodeProblem)?.code == .limit }
        }
    }

    @Test("A key that is too weak to verify with does not hide the facts")
    func weakKey() throws {
        var certificate = Self.certificate()
        certificate.keyInfo = SyntheticCertificate.weakKeyInfo
        #expect(try CertificateFacts(der: try certificate.der()).commonName == "x")
    }

    @Test("Cut anywhere, a certificate is refused; changed anywhere, nothing traps")
    func hostile() throws {
        let der = try SyntheticSigner.developerID().sign(.one()).chain[0]
        for length in 0..<der.count {
            #expect(throws: CodeProblem.self) { try CertificateFacts(der: Array(der[..<length])) }
        }
        var generator = SeededRandom(state: 2)
        var read = 0
        for _ in 0..<3_000 {
            var changed = der
            changed[Int.random(in: 0..<der.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            guard let facts = try? CertificateFacts(der: changed) else { continue }
            read += 1
            _ = (facts.printableSubject, facts.keyUsage, facts.basicConstraints, facts.appleMarkers)
        }
        #expect(read > 300)
    }
}

@Suite("Object identifiers") struct ObjectIdentifiersTests {
    @Test(
        "Content octets print as dotted numbers, others as hexadecimal",
        arguments: [
            ("2a864886f7636406010d", "1.2.840.113635.100.6.1.13"),
            ("0992268993f22c640101", "0.9.2342.19200300.100.1.1"),
            ("603a", "2.16.58"), ("8837", "2.999"), ("27", "0.39"), ("28", "1.0"), ("2a80", "2a80"), ("", ""),
            ("2affffffffffffffffffff7f", "2affffffffffffffffffff7f"),
        ])
    func text(_ hex: String, _ text: String) throws {
        #expect(ObjectIdentifiers.text(try #require(Hexadecimal.bytes(hex.utf8))) == text)
    }
}
