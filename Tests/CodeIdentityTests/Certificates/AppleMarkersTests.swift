// SPDX-License-Identifier: Apache-2.0

// Classes of signers.

import Testing

@testable import CodeIdentity

@Suite("Signer class") struct SignerClassTests {
    private static let cases: [(leaf: [[UInt8]], intermediate: [[UInt8]], SignerClass)] = [
        ([AppleMarkers.macAppStore], [AppleMarkers.worldwideDeveloperRelations], .appStore),
        ([AppleMarkers.iOSAppStore], [], .appStore), ([AppleMarkers.tvOSAppStore], [], .appStore),
        ([AppleMarkers.testFlight], [], .testFlight),
        ([AppleMarkers.developerIDApplication], [AppleMarkers.developerIDAuthority], .developerID),
        ([AppleMarkers.developerIDApplication], [], .otherApple),
        ([AppleMarkers.macDevelopment], [AppleMarkers.worldwideDeveloperRelations], .development),
        ([AppleMarkers.appleDevelopment], [AppleMarkers.worldwideDeveloperRelations], .development),
        ([AppleMarkers.appleDevelopment], [], .otherApple),
        ([AppleMarkers.macAppDistribution], [], .distribution), ([AppleMarkers.appleDistribution], [], .distribution),
        ([AppleMarkers.macOSSoftwareSigning], [], .otherApple), ([], [], .otherApple),
    ]

    @Test("Marks in a chain to Apple say what the signer is", arguments: 0..<13)
    func marks(_ index: Int) throws {
        let (leaf, intermediate, expected) = Self.cases[index]
        var signer = SyntheticSigner.developerID()
        signer.leaf = .leaf("Leaf", usage: ObjectIdentifiers.codeSigning, markers: leaf, key: .p256())
        signer.intermediate = .authority("Intermediate", markers: intermediate, key: .p256())
        #expect(try SignatureCheck.verify(signer, team: nil).signerClass == expected)
        #expect(try SignatureCheck.verify(signer, team: nil, apple: false).signerClass == .other)
    }

    @Test("Apple's own software needs the authority's name, Apple's organisation and the leaf's mark")
    func apple() throws {
        var signer = SyntheticSigner.appleSoftware()
        #expect(try SignatureCheck.verify(signer, team: nil).signerClass == .apple)
        signer.leaf.extensions.removeLast()
        #expect(try SignatureCheck.verify(signer, team: nil).signerClass == .otherApple)
        signer = .appleSoftware()
        signer.intermediate = .authority(
            "Apple Code Signing Certification Authority", organization: "Apple Inc", key: .p256())
        #expect(try SignatureCheck.verify(signer, team: nil).signerClass == .otherApple)
    }

    @Test("An invalid signature has no class")
    func invalid() throws {
        #expect(try SignatureCheck.verify(.developerID(), team: "OTHER").signerClass == nil)
    }
}
