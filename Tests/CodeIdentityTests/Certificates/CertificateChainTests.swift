// SPDX-License-Identifier: Apache-2.0

// Paths from a signer to a root, and the rules they keep.

import FlowModel
import Testing

@testable import CodeIdentity

@Suite("Certificate chain") struct CertificateChainTests {
    private static func verify(
        apple: Bool = true, _ edit: (inout SyntheticSigner) throws -> Void
    ) throws -> SignatureProof {
        var signer = SyntheticSigner.developerID()
        try edit(&signer)
        return try SignatureCheck.verify(signer, apple: apple)
    }

    @Test("The order of the certificates says nothing")
    func order() throws {
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0], [2, 2, 1, 0, 0]] {
            let proof = try Self.verify { $0.arrange = { chain in order.map { chain[$0] } } }
            #expect(proof.anchoredAtApple && proof.chain.count == 3)
        }
    }

    @Test("A path that ends before a self-signed certificate is refused")
    func incomplete() throws {
        let proof = try Self.verify {
            $0.arrange = { Array($0.prefix(2)) }
            $0.timestamp = nil
        }
        #expect(proof.codes == [.chainIncomplete])
        #expect(proof.chain.count == 2)
    }

    @Test("A certificate with the issuer's name but another key is passed over, and alone does not do")
    func decoys() throws {
        let signer = SyntheticSigner.developerID()
        var root = signer.root
        root.key = .p256()
        var intermediate = signer.intermediate
        intermediate.key = .p256()
        // Not the number of the leaf, or it would be taken for the signer.
        intermediate.serial = 9
        let decoys = [try root.der(), try intermediate.der(by: root), try intermediate.der()]
        #expect(
            try Self.verify {
                $0 = signer
                $0.arrange = { decoys + $0 }
            }.anchoredAtApple)
        let proof = try Self.verify {
            $0 = signer
            $0.timestamp = nil
            $0.arrange = { decoys + $0.prefix(1) }
        }
        #expect(proof.codes == [.chainSignatureWrong])
        #expect(proof.chain.count == 1 && !proof.anchoredAtApple)
    }

    @Test("A good path, and one to Apple, is preferred to another")
    func preference() throws {
        let signer = SyntheticSigner.developerID()
        var expired = signer.intermediate
        expired.notAfter = "210101000000Z"
        let other = SyntheticCertificate.authority("Another Root", key: .p256())
        let crossed = [try expired.der(by: signer.root), try signer.intermediate.der(by: other), try other.der()]
        for arrangement in [{ crossed + $0 }, { $0 + crossed }] as [@Sendable ([[UInt8]]) -> [[UInt8]]] {
            let proof = try Self.verify {
                $0 = signer
                $0.arrange = arrangement
            }
            #expect(proof.anchoredAtApple && proof.chain.last?.commonName == "Synthetic Root")
        }
    }

    @Test("Certificates that all issue each other cost a bounded number of checks, and beyond it the chain is refused")
    func flood() throws {
        // Among four the short way out is found; among six it lies behind more checks than are made, and only a way
        // that is too long for the last authority was met.
        #expect(try Self.maze(of: 4).anchoredAtApple)
        #expect(try Self.maze(of: 6).codes == [.chainConstraint])
        let proof = try Self.maze(of: 28)
        #expect(proof.codes == [.limit])
        #expect(proof.chain.count == CodeIdentityLimits.chainLength.value)
    }

    /// Certificates of two names and one key, each issued by every one of the other name; the last leads to the root.
    private static func maze(of count: UInt8) throws -> SignatureProof {
        let key = SyntheticKey.p256()
        let pair = [SyntheticCertificate.authority("Ping", key: key), .authority("Pong", key: key)]
        var loops: [[UInt8]] = []
        for serial in 0..<count {
            var certificate = pair[Int(serial) % 2]
            certificate.serial = 100 + serial
            loops.append(try certificate.der(by: pair[1 - Int(serial) % 2]))
        }
        return try verify { [loops] in
            $0.timestamp = nil
            $0.intermediate = pair[0]
            $0.intermediate.extensions[0] = SyntheticCertificate.basicConstraints(pathLength: 0)
            $0.arrange = { loops + $0 }
        }
    }

    @Test("A root that is not Apple's must have signed itself")
    func rootSignature() throws {
        let edit = { (signer: inout SyntheticSigner) in
            signer.timestamp = nil
            signer.arrange = { chain in
                var root = chain[2]
                root[root.count - 1] ^= 1
                return [chain[0], chain[1], root]
            }
        }
        #expect(try Self.verify(apple: false, edit).codes == [.chainSignatureWrong])
        #expect(try Self.verify(apple: false) { $0.timestamp = nil }.isValid)
    }

    @Test("A self-signed code signing certificate is valid and worth nothing")
    func selfSigned() throws {
        let proof = try Self.verify {
            $0.timestamp = nil
            $0.intermediate = $0.leaf
            $0.arrange = { Array($0.prefix(1)) }
        }
        #expect(proof.isValid && !proof.anchoredAtApple)
        #expect(proof.chain.count == 1 && proof.team == .claimed && proof.signerClass == .other)
    }

    @Test("An issuer must be an authority, of enough path length, with a key that may sign certificates")
    func constraints() throws {
        #expect(try Self.verify { $0.intermediate.extensions.removeFirst() }.codes == [.chainConstraint])
        #expect(
            try Self.verify {
                $0.intermediate.extensions[0] = SyntheticCertificate.attach(
                    ObjectIdentifiers.basicConstraints, DERWriter.sequence())
            }.codes == [.chainConstraint])
        #expect(
            try Self.verify {
                $0.root.extensions[0] = SyntheticCertificate.basicConstraints(pathLength: 0)
                $0.timestamp = nil
            }.codes == [.chainConstraint])
        #expect(
            try Self.verify {
                $0.root.extensions[0] = SyntheticCertificate.basicConstraints(pathLength: 1)
                $0.intermediate.extensions[0] = SyntheticCertificate.basicConstraints(pathLength: 0)
            }.isValid)
        #expect(
            try Self.verify { $0.intermediate.extensions[1] = SyntheticCertificate.keyUsage([0x82]) }.codes
                == [.chainConstraint])
    }

    @Test("A leaf must be made for code signing, with a key that may sign content")
    func usage() throws {
        #expect(try Self.verify { $0.leaf.extensions.remove(at: 1) }.codes == [.chainUsage])
        #expect(
            try Self.verify {
                $0.leaf.extensions[1] = SyntheticCertificate.extendedKeyUsage(ObjectIdentifiers.timeStamping)
            }.codes == [.chainUsage])
        #expect(
            try Self.verify { $0.leaf.extensions[0] = SyntheticCertificate.keyUsage([0x20]) }.codes == [.chainUsage])
        #expect(try Self.verify { $0.leaf.extensions[0] = SyntheticCertificate.keyUsage([0x40]) }.isValid)
        #expect(try Self.verify { $0.leaf.extensions.removeFirst() }.isValid)
    }

    @Test("An unknown critical extension is refused wherever it stands; Apple's markers are known")
    func criticalExtensions() throws {
        let name = SyntheticCertificate.attach([0x55, 0x1d, 30], critical: true, DERWriter.sequence())
        #expect(try Self.verify { $0.leaf.extensions.append(name) }.codes == [.chainCriticalExtension])
        #expect(try Self.verify { $0.intermediate.extensions.append(name) }.codes == [.chainCriticalExtension])
        let harmless = SyntheticCertificate.attach([0x55, 0x1d, 30], DERWriter.sequence())
        #expect(try Self.verify { $0.leaf.extensions.append(harmless) }.isValid)
        let marker = SyntheticCertificate.mark(AppleMarkers.arc + [99], critical: true)
        #expect(try Self.verify { $0.leaf.extensions.append(marker) }.isValid)
    }

    @Test("SHA-1 under a certificate counts only from before 2017")
    func sha1() throws {
        let edit = { (year: String) in
            { (signer: inout SyntheticSigner) throws in
                signer.root.key = try .rsa()
                signer.intermediate.sha1 = true
                signer.intermediate.notBefore = "\(year)0101000000Z"
            }
        }
        #expect(try Self.verify(edit("13")).anchoredAtApple)
        #expect(try Self.verify(edit("17")).codes == [.chainUnsupported])
    }
}
