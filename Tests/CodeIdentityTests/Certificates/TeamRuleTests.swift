// SPDX-License-Identifier: Apache-2.0

// What a team identifier is worth.

import Testing

@testable import CodeIdentity

@Suite("Team rule") struct TeamRuleTests {
    private static func signer(
        leaf: [[UInt8]], intermediate: [[UInt8]] = [], units: [String] = ["TEAM123456"]
    ) -> SyntheticSigner {
        var signer = SyntheticSigner.developerID()
        signer.leaf = .leaf("Leaf", usage: ObjectIdentifiers.codeSigning, units: units, markers: leaf, key: .p256())
        signer.intermediate = .authority("Intermediate", markers: intermediate, key: .p256())
        return signer
    }

    private static let kinds: [(leaf: [UInt8], intermediate: [[UInt8]])] = [
        (AppleMarkers.appleDevelopment, []), (AppleMarkers.macDevelopment, []), (AppleMarkers.macAppDistribution, []),
        (AppleMarkers.appleDistribution, []),
        (AppleMarkers.developerIDApplication, [AppleMarkers.developerIDAuthority]),
    ]

    @Test("Each kind of certificate that Apple issues to a team binds it", arguments: 0..<5)
    func bound(_ index: Int) throws {
        let (leaf, intermediate) = Self.kinds[index]
        let signer = Self.signer(leaf: [leaf], intermediate: intermediate)
        #expect(try SignatureCheck.verify(signer).team == .proved)
        #expect(try SignatureCheck.verify(signer, team: nil).team == .absent)
        #expect(try SignatureCheck.verify(signer, team: "TEAM12345").codes == [.teamMismatch])
        #expect(try SignatureCheck.verify(signer, team: "team123456").codes == [.teamMismatch])
        #expect(try SignatureCheck.verify(signer, apple: false).team == .claimed)
    }

    @Test("A Developer ID mark without the Developer ID authority binds nothing, nor does a leaf without a mark")
    func unbound() throws {
        for signer in [Self.signer(leaf: [AppleMarkers.developerIDApplication]), Self.signer(leaf: [])] {
            let proof = try SignatureCheck.verify(signer, team: "ANYTHING")
            #expect(proof.isValid && proof.team == .claimed)
        }
    }

    @Test("A certificate with two organisational units, or none, proves no team")
    func ambiguous() throws {
        let two = Self.signer(leaf: [AppleMarkers.macDevelopment], units: ["TEAM123456", "OTHER"])
        #expect(try SignatureCheck.verify(two).codes == [.teamAmbiguous])
        let none = Self.signer(leaf: [AppleMarkers.macDevelopment], units: [])
        #expect(try SignatureCheck.verify(none).codes == [.teamMismatch])
    }

    @Test("A signature that does not hold binds nothing")
    func broken() throws {
        #expect(try SignatureCheck.verify(.developerID()).team == .proved)
        var unstamped = SyntheticSigner.developerID()
        unstamped.timestamped = [1]
        #expect(try SignatureCheck.verify(unstamped).team == .claimed)
        var signer = SyntheticSigner.developerID()
        signer.leaf.extensions.remove(at: 1)
        #expect(try SignatureCheck.verify(signer).team == .claimed)
    }
}
