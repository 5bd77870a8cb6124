// SPDX-License-Identifier: Apache-2.0

// Signatures that Apple's tools and servers made.

import Testing

@testable import CodeIdentity

@Suite("Real signatures") struct RealSignatureTests {
    @Test("A Developer ID signature by codesign gives every value that other readers give")
    func developerID() throws {
        let vector = try SignatureVector.developerID()
        let proof = try SignatureCheck.verify(vector.cms, over: vector.directories, team: vector.team)
        #expect(proof.problems == [] && proof.remarks == [])
        #expect(proof.anchoredAtApple)
        #expect(proof.signerClass == .developerID)
        #expect(proof.team == .proved)
        #expect(proof.digestAlgorithm == .sha256)
        #expect(proof.signingTime == 1_792_629_795)
        #expect(proof.secureTimestamp == 1_792_629_795)
        #expect(proof.timestamp == .proved && proof.agility == .proved)
        let digest = "1199e296327b3b09152edf4de0f41e9805d1273a2856529f5524ec1d67d0bdb2"
        #expect(proof.agilityV1?.map { Hexadecimal.text($0) } == [String(digest.prefix(40))])
        #expect(proof.agilityV2?.map { Hexadecimal.text($0.digest) } == [digest])
        #expect(proof.agilityV2?.map { ObjectIdentifiers.text($0.algorithm) } == ["2.16.840.1.101.3.4.2.1"])

        // The order in the signature is not that of the chain.
        let leaf = "89aacb17fa34cc93be764a1024fab6346155a439"
        let intermediate = "3b166c3b7dc4b751c9fe2afab9135641e388e186"
        let root = "611e5b662c593a08ff58d14ae22452d198df6c60"
        #expect(proof.certificates.map { Hexadecimal.text($0.sha1) } == [intermediate, root, leaf])
        #expect(proof.chain.map { Hexadecimal.text($0.sha1) } == [leaf, intermediate, root])
        let facts = try #require(proof.chain.first)
        #expect(
            facts.printableSubject
                == "UID=S8XHQB96PW, CN=Developer ID Application: Maximilian Hils (S8XHQB96PW), OU=S8XHQB96PW, "
                + "O=Maximilian Hils, C=US")
        #expect(facts.notBefore == 1_692_017_302 && facts.notAfter == 1_801_519_935)
        #expect(facts.appleMarkers == [AppleMarkers.developerIDApplication, AppleMarkers.developerIDDate])
        #expect(facts.keyUsage == .digitalSignature)
        #expect(facts.extendedKeyUsages == [ObjectIdentifiers.codeSigning])
        #expect(proof.chain[1].basicConstraints == .init(isAuthority: true, pathLength: nil))
        #expect(Hexadecimal.text(proof.chain[2].sha256) == AppleRoots.named[0].sha256)
    }

    @Test("A certificate that ended after the timestamp still holds, and without agility attributes slot 0 is enough")
    func expired() throws {
        let vector = try SignatureVector.withoutAgility()
        let proof = try SignatureCheck.verify(
            vector.cms, over: vector.directories, team: vector.team, flags: .expires, now: 1_900_000_000)
        #expect(proof.problems == [])
        #expect(proof.agility == .absent)
        #expect(proof.agilityV1 == nil && proof.agilityV2 == nil)
        #expect(proof.secureTimestamp == 1_685_021_054)
        #expect(proof.signerClass == .developerID)
    }

    @Test("Another code directory, another team or another root is refused for what it is")
    func changed() throws {
        let vector = try SignatureVector.developerID()
        var other = vector.directories
        other.slotZero[100] ^= 1
        #expect(
            try SignatureCheck.verify(vector.cms, over: other, team: vector.team).codes == [.cmsDigestMismatch])
        #expect(
            try SignatureCheck.verify(vector.cms, over: vector.directories, team: "S8XHQB96PX").codes
                == [.teamMismatch])
        let elsewhere = try SignatureCheck.verify(
            vector.cms, over: vector.directories, team: vector.team, roots: [])
        // Valid it is: the root signed itself, and anybody's root ends a chain.
        #expect(elsewhere.isValid && !elsewhere.anchoredAtApple)
        #expect(elsewhere.team == .claimed && elsewhere.signerClass == .other)
    }

    @Test("Every byte of the signed attributes and of the signature counts")
    func signedBytes() throws {
        let vector = try SignatureVector.developerID()
        let signer = try CMSSignature.read(vector.cms).signedData.signer
        let attributes = signer.signedAttributes.signedBytes.dropFirst()
        let start = try #require(vector.cms.firstRange(of: Array(attributes))).lowerBound
        let signature = try #require(vector.cms.firstRange(of: signer.signature)).lowerBound
        for offset in Array(stride(from: start + 3, to: start + attributes.count, by: 7)) + [
            signature, signature + 255,
        ] {
            var cms = vector.cms
            cms[offset] ^= 0x20
            let proof = try? SignatureCheck.verify(cms, over: vector.directories, team: vector.team)
            #expect(proof?.isValid != true && proof?.signature != .proved, "byte \(offset)")
        }
    }

    @Test("A signature cut anywhere is refused")
    func truncated() throws {
        let cms = try SignatureVector.developerID().cms
        for length in 0..<cms.count {
            #expect(throws: CodeProblem.self) { try CMSSignature.read(Array(cms[..<length])) }
        }
        #expect(throws: CodeProblem(.cmsMalformed, "")) { try CMSSignature.read(cms + [0]) }
    }

    @Test("No change of random bytes makes a signature valid for other certificates or directories, or traps")
    func flipped() throws {
        let vector = try SignatureVector.developerID()
        let good = try SignatureCheck.verify(vector.cms, over: vector.directories, team: vector.team)
        var generator = SeededRandom(state: 1)
        var read = 0
        for _ in 0..<2_000 {
            var cms = vector.cms
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                cms[Int.random(in: 0..<cms.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            guard let proof = try? SignatureCheck.verify(cms, over: vector.directories, team: vector.team) else {
                continue
            }
            read += 1
            if proof.anchoredAtApple {
                #expect(proof.chain == good.chain && proof.agilityV2 == good.agilityV2)
                #expect(proof.secureTimestamp == nil || proof.secureTimestamp == good.secureTimestamp)
            }
        }
        #expect(read > 500)
    }
}
