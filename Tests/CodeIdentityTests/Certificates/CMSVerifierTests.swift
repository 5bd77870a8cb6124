// SPDX-License-Identifier: Apache-2.0

// What a signature proves, and each way in which it does not.

import Testing

@testable import CodeIdentity

@Suite("CMS verifier") struct CMSVerifierTests {
    @Test("A good signature proves content, signer, path, time and team")
    func good() throws {
        let proof = try SignatureCheck.verify(.developerID())
        #expect(proof.isValid && proof.anchoredAtApple)
        #expect(proof.messageDigest == .proved && proof.signature == .proved && proof.path == .proved)
        #expect(proof.agility == .proved && proof.timestamp == .proved && proof.team == .proved)
        #expect(proof.signingTime == 1_735_689_600)
        #expect(proof.secureTimestamp == 1_735_689_601)
        #expect(proof.chain.map(\.commonName).first == "Developer ID Application: Synthetic (TEAM123456)")
        #expect(proof.chain.count == 3)
    }

    @Test("RSA signs too, under its full name or with the digest named elsewhere")
    func rsa() throws {
        var signer = SyntheticSigner.developerID(key: try .rsa())
        #expect(try SignatureCheck.verify(signer).anchoredAtApple)
        signer.plainRSA = true
        #expect(try SignatureCheck.verify(signer).anchoredAtApple)
    }

    @Test("The signer may be named by its key identifier")
    func keyIdentifier() throws {
        var signer = SyntheticSigner.developerID()
        signer.byKeyIdentifier = [1, 2, 3]
        #expect(try SignatureCheck.verify(signer).codes == [.cmsSignerUnknown, .cmsSignerUnknown])
        signer.leaf.extensions.append(SyntheticCertificate.subjectKeyIdentifier([1, 2, 3]))
        #expect(try SignatureCheck.verify(signer).isValid)
    }

    @Test("Other content, another content type or no certificate of the signer is refused")
    func refusals() throws {
        var directories = SyntheticDirectories.one()
        let signed = try SyntheticSigner.developerID().sign(directories)
        directories.slotZero.append(0)
        #expect(
            try SignatureCheck.verify(signed.cms, over: directories, team: nil, roots: signed.appleRoots).codes
                == [.cmsDigestMismatch])

        var signer = SyntheticSigner.developerID()
        signer.contentType = ObjectIdentifiers.timestampInfo
        #expect(try SignatureCheck.verify(signer).codes == [.cmsUnsupported])

        signer = .developerID()
        signer.arrange = { Array($0.dropFirst()) }
        let proof = try SignatureCheck.verify(signer)
        #expect(proof.signature.problem?.code == .cmsSignerUnknown && proof.path.problem?.code == .cmsSignerUnknown)
        #expect(proof.chain.isEmpty && proof.signerClass == nil && proof.team == .claimed)
    }

    @Test("Another certificate of the same issuer and number does not make the signature its own")
    func wrongLeaf() throws {
        var signer = SyntheticSigner.developerID()
        var other = signer.leaf
        other.key = .p256()
        let der = try other.der(by: signer.intermediate)
        signer.arrange = { [der] + $0.dropFirst() }
        #expect(try SignatureCheck.verify(signer).codes == [.cmsSignatureWrong])
    }

    @Test("A key that cannot be used is a problem of its own, and the facts are still there")
    func weakKey() throws {
        var signer = SyntheticSigner.developerID(key: try .rsa())
        signer.leaf.keyInfo = SyntheticCertificate.weakKeyInfo
        let proof = try SignatureCheck.verify(signer)
        #expect(proof.codes == [.chainUnsupported])
        #expect(proof.chain.count == 3 && !proof.anchoredAtApple && proof.signerClass == nil)
    }

    @Test("Without a timestamp expired certificates are tolerated, unless the code asks to expire")
    func expiry() throws {
        var signer = SyntheticSigner.developerID()
        signer.timestamp = nil
        signer.leaf.notAfter = "240101000000Z"
        let proof = try SignatureCheck.verify(signer)
        #expect(proof.isValid && proof.timestamp == .absent && proof.secureTimestamp == nil)
        #expect(try SignatureCheck.verify(signer, flags: .expires).codes == [.chainValidity])
        #expect(try SignatureCheck.verify(signer, flags: .expires, now: 1_700_000_000).isValid)
    }

    @Test("With a timestamp certificates must be valid then, and need not be now")
    func timestampedExpiry() throws {
        var signer = SyntheticSigner.developerID()
        signer.leaf.notAfter = "250201000000Z"
        #expect(try SignatureCheck.verify(signer, flags: .expires).isValid)
        signer.leaf.notAfter = "241231000000Z"
        #expect(try SignatureCheck.verify(signer).codes == [.chainValidity])
        signer.leaf.notAfter = "300101000000Z"
        signer.intermediate.notBefore = "250601000000Z"
        #expect(try SignatureCheck.verify(signer).codes == [.chainValidity])
    }

    @Test("SHA-1 as the digest is remarked upon")
    func weakDigest() throws {
        let signer = SyntheticSigner.developerID(key: try .rsa())
        let good = try CMSSignature.read(try signer.sign(.one()).cms)
        #expect(good.signedData.signer.digestAlgorithm == .sha256)
        var weak = signer
        weak.digest = .sha1
        weak.plainRSA = true
        let proof = try SignatureCheck.verify(weak)
        #expect(proof.remarks.map(\.code) == [.cmsWeakDigest])
        #expect(proof.isValid)
    }
}

@Suite("Timestamps") struct TimestampTests {
    private static func verify(
        apple: Bool = true, _ edit: (inout SyntheticSigner) throws -> Void
    ) throws -> SignatureProof {
        var signer = SyntheticSigner.developerID()
        try edit(&signer)
        return try SignatureCheck.verify(signer, apple: apple)
    }

    @Test("A token over another signature is refused, and its time is not believed")
    func imprint() throws {
        let proof = try Self.verify { $0.timestamped = [1, 2, 3] }
        #expect(proof.codes == [.timestampImprint])
        #expect(proof.secureTimestamp == nil)
    }

    @Test("A token that cannot be read is refused")
    func malformed() throws {
        #expect(try Self.verify { $0.editToken = { _ in DERWriter.null } }.codes == [.cmsMalformed])
        // Two tokens, and nothing says which counts.
        #expect { try Self.verify { $0.editToken = { $0 + DERWriter.null } } } throws: {
            ($0 as? CodeProblem)?.code == .cmsAttributeRepeated
        }
    }

    @Test("A token whose content or signature was changed is refused")
    func changed() throws {
        let later = Array("20240101000001Z".utf8)
        let time = Array("20250101000001Z".utf8)
        #expect(
            try Self.verify { $0.editToken = { token in token.replacing(time, with: later) } }.codes
                == [.cmsDigestMismatch])
        #expect(
            try Self.verify {
                $0.editToken = { token in
                    var changed = token
                    changed[token.count - 1] ^= 1
                    return changed
                }
            }.codes == [.cmsSignatureWrong])
    }

    @Test("The authority's certificate must be made for timestamps and valid at their time")
    func usage() throws {
        #expect(
            try Self.verify {
                $0.timestampLeaf.extensions[1] = SyntheticCertificate.extendedKeyUsage(ObjectIdentifiers.codeSigning)
            }.codes == [.chainUsage])
        #expect(
            try Self.verify {
                $0.timestampLeaf.extensions[1] = SyntheticCertificate.attach(
                    ObjectIdentifiers.extendedKeyUsage, critical: true,
                    DERWriter.sequence(
                        DERWriter.oid(ObjectIdentifiers.timeStamping), DERWriter.oid(ObjectIdentifiers.codeSigning)))
            }.codes == [.chainUsage])
        #expect(try Self.verify { $0.timestampLeaf.notAfter = "240101000000Z" }.codes == [.chainValidity])
        #expect(
            try Self.verify { $0.timestampAuthority.extensions.removeFirst() }.codes == [.chainConstraint])
    }

    @Test("The root may come with the signature instead of the token, but must come")
    func root() throws {
        #expect(try Self.verify { $0.arrange = { Array($0.prefix(2)) } }.timestamp.problem?.code == .chainIncomplete)
        #expect(
            try Self.verify {
                $0.arrange = { Array($0.prefix(2)) }
                $0.arrangeToken = { $0 }
            }.timestamp == .proved)
    }

    @Test("Code with a chain to Apple needs a timestamp with one; other code does not")
    func anchor() throws {
        let other = SyntheticCertificate.authority("Another Root", key: .p256())
        let edit = { (signer: inout SyntheticSigner) in
            let leaf = signer.timestampLeaf
            let authority = signer.timestampAuthority
            signer.arrangeToken = { _ in [try leaf.der(by: authority), try authority.der(by: other), try other.der()] }
        }
        let proof = try Self.verify(edit)
        #expect(proof.codes == [.timestampAnchor])
        #expect(!proof.anchoredAtApple && proof.secureTimestamp == nil)
        #expect(try Self.verify(apple: false, edit).isValid)
    }
}
