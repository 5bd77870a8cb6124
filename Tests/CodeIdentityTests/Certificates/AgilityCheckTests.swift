// SPDX-License-Identifier: Apache-2.0

// Whether alternate code directories are signed.

import Testing

@testable import CodeIdentity

@Suite("Hash agility") struct AgilityCheckTests {
    private static func verify(
        signed: SyntheticDirectories = .two(), found: SyntheticDirectories = .two(), agility: Set<Int>,
        more: [[UInt8]] = []
    ) throws -> SignatureProof {
        var signer = SyntheticSigner.developerID()
        signer.agility = agility
        signer.moreAttributes = more
        let result = try signer.sign(signed)
        return try SignatureCheck.verify(result.cms, over: found, team: "TEAM123456", roots: result.appleRoots)
    }

    @Test("Either attribute binds an alternate, and so do both", arguments: [[1], [2], [1, 2]] as [Set<Int>])
    func bound(_ agility: Set<Int>) throws {
        let proof = try Self.verify(agility: agility)
        #expect(proof.isValid && proof.agility == .proved)
        #expect((proof.agilityV1 == nil) == !agility.contains(1))
        #expect((proof.agilityV2 == nil) == !agility.contains(2))
    }

    @Test("An alternate that no attribute names is refused; one directory alone needs none")
    func unbound() throws {
        #expect(try Self.verify(agility: []).codes == [.agilityMissing])
        let proof = try Self.verify(signed: .one(), found: .one(), agility: [])
        #expect(proof.isValid && proof.agility == .absent)
    }

    @Test(
        "A directory added, removed or exchanged is refused by each attribute",
        arguments: [[1], [2], [1, 2]] as [Set<Int>])
    func mismatch(_ agility: Set<Int>) throws {
        var fewer = SyntheticDirectories.two()
        fewer.digests.removeFirst()
        #expect(try Self.verify(signed: fewer, agility: agility).codes == [.agilityMismatch])
        #expect(try Self.verify(found: fewer, agility: agility).codes == [.agilityMismatch])
        var other = SyntheticDirectories.two()
        other.digests[0] = try #require(SyntheticDirectories.digest([1], slot: 0x1000, .sha256))
        #expect(try Self.verify(found: other, agility: agility).codes == [.agilityMismatch])
    }

    @Test("One digest signed twice does not stand for two")
    func repeated() throws {
        let directories = SyntheticDirectories.two()
        let entry = DERWriter.sequence(
            DERWriter.oid(ObjectIdentifiers.sha256), DERWriter.octets(directories.digests[0].full))
        let attribute = DERWriter.sequence(DERWriter.oid(ObjectIdentifiers.agilityV2), DERWriter.set(entry, entry))
        #expect(try Self.verify(agility: [], more: [attribute]).codes == [.agilityMismatch])
    }

    @Test("A property list without an array of data is refused")
    func propertyList() throws {
        func codes(_ list: String) throws -> [CodeProblem.Code] {
            let attribute = DERWriter.sequence(
                DERWriter.oid(ObjectIdentifiers.agilityV1), DERWriter.set(DERWriter.octets(Array(list.utf8))))
            return try Self.verify(agility: [2], more: [attribute]).codes
        }
        #expect(try !codes("<plist/>").isEmpty)
        for content in [
            "<dict/>", "<dict><key>cdhashes</key><string>x</string></dict>",
            "<dict><key>cdhashes</key><array><integer>1</integer></array></dict>",
        ] {
            #expect(try codes("<plist version=\"1.0\">\(content)</plist>") == [.agilityMismatch], "\(content)")
        }
    }
}
