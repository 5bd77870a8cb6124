// SPDX-License-Identifier: Apache-2.0

// Reading CMS signatures: forms that are taken, and forms that are not.

import Testing

@testable import CodeIdentity

@Suite("CMS signature") struct CMSSignatureTests {
    private static func code(_ edit: (inout SyntheticSigner) throws -> Void) throws -> CodeProblem.Code? {
        var signer = SyntheticSigner.developerID()
        try edit(&signer)
        let cms = try signer.sign(.one()).cms
        do {
            _ = try CMSSignature.read(cms)
            return nil
        } catch {
            return error.code
        }
    }

    private static func attribute(_ type: [UInt8], _ values: [UInt8]) -> [UInt8] {
        DERWriter.sequence(DERWriter.oid(type), DERWriter.set(values))
    }

    @Test("Indefinite lengths read the same as definite ones")
    func indefinite() throws {
        var signer = SyntheticSigner.developerID()
        signer.indefinite = true
        #expect(try SignatureCheck.verify(signer).anchoredAtApple)
    }

    @Test("Two signers, or none, are refused")
    func signers() throws {
        #expect(try Self.code { $0.signers = 2 } == .cmsSignerCount)
        #expect(try Self.code { $0.signers = 0 } == .cmsSignerCount)
    }

    @Test("A signature without signed attributes is refused")
    func noAttributes() throws {
        #expect(try Self.code { $0.signedAttributes = false } == .cmsAttributeMissing)
    }

    @Test("A signature that encloses its content is refused")
    func enclosed() throws { #expect(try Self.code { $0.encloses = true } == .cmsUnsupported) }

    @Test("An attribute that stands twice is refused, whichever it is")
    func duplicates() throws {
        let digest = Self.attribute(ObjectIdentifiers.messageDigest, DERWriter.octets(Array(repeating: 0, count: 32)))
        #expect(try Self.code { $0.moreAttributes = [digest] } == .cmsAttributeRepeated)
        let unknown = Self.attribute([0x2a, 3], DERWriter.null)
        #expect(try Self.code { $0.moreAttributes = [unknown] } == nil)
        #expect(try Self.code { $0.moreAttributes = [unknown, unknown] } == .cmsAttributeRepeated)
    }

    @Test("An attribute of one value that has two, or none, is refused")
    func values() throws {
        let two = Self.attribute(ObjectIdentifiers.agilityV1, DERWriter.octets([1]) + DERWriter.octets([2]))
        let none = Self.attribute(ObjectIdentifiers.agilityV1, [])
        for attribute in [two, none] {
            #expect(
                try Self.code {
                    $0.agility = []
                    $0.moreAttributes = [attribute]
                } == .cmsAttributeRepeated)
        }
    }

    @Test("A flood of certificates, attributes, values or bytes is refused")
    func floods() throws {
        #expect(try Self.code { $0.arrange = { Array(repeating: $0[1], count: 33) } } == .limit)
        let many = (0..<40).map { Self.attribute([0x2a, $0], DERWriter.null) }
        #expect(try Self.code { $0.moreAttributes = many } == .limit)
        let wide = Self.attribute([0x2a, 3], Array(repeating: 0, count: 66).flatMap { [5, $0] })
        #expect(try Self.code { $0.moreAttributes = [wide] } == .limit)
        let large = Self.attribute([0x2a, 3], DERWriter.octets(Array(repeating: 0, count: 300_000)))
        #expect(try Self.code { $0.moreAttributes = [large] } == .limit)
        // Depth is SwiftASN1's bound.
        let deep = (0..<200).reduce([UInt8]()) { inner, _ in DERWriter.sequence(inner) }
        #expect(throws: CodeProblem(.cmsMalformed, "")) { try CMSSignature.read(deep) }
    }

    @Test("An unreadable certificate is a remark, and an attribute certificate is passed over")
    func otherCertificates() throws {
        var signer = SyntheticSigner.developerID()
        signer.arrange = { [DERWriter.sequence(DERWriter.null), DERWriter.context(2, DERWriter.null)] + $0 }
        let proof = try SignatureCheck.verify(signer)
        #expect(proof.anchoredAtApple)
        #expect(proof.remarks.map(\.code) == [.certificateMalformed])
        #expect(proof.certificates.count == 3)
    }

    @Test("An unknown digest, or one that is not the signature algorithm's, is refused")
    func algorithms() throws {
        #expect(try Self.code { $0.digest = .sha384 } == .cmsUnsupported)
        let cms = try SyntheticSigner.developerID().sign(.one()).cms
        let known = DERWriter.oid(ObjectIdentifiers.sha256)
        let unknown = DERWriter.oid(ObjectIdentifiers.sha256.dropLast() + [9])
        let changed = cms.ranges(of: known).reduce(into: cms) { $0.replaceSubrange($1, with: unknown) }
        #expect { try CMSSignature.read(changed) } throws: { ($0 as? CodeProblem)?.code == .cmsUnsupported }
    }

    @Test("Problems say where they are")
    func offsets() throws {
        let cms = try SyntheticSigner.developerID().sign(.one()).cms
        var other = cms
        let place = try #require(cms.firstRange(of: DERWriter.oid(ObjectIdentifiers.signedData))?.lowerBound)
        other[place + 10] = 3
        #expect(throws: CodeProblem(.cmsUnsupported, at: UInt64(place), "")) { try CMSSignature.read(other) }
    }

    @Test("Cut anywhere it is refused, and random bytes never trap")
    func hostile() throws {
        let cms = try SyntheticSigner.developerID().sign(.one()).cms
        for length in 0..<cms.count {
            #expect(throws: CodeProblem.self) { try CMSSignature.read(Array(cms[..<length])) }
        }
        var generator = SeededRandom(state: 3)
        for _ in 0..<2_000 {
            let length = Int.random(in: 0...60, using: &generator)
            let noise = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(throws: CodeProblem.self) { try CMSSignature.read(DERWriter.sequence(noise)) }
        }
    }
}
