// SPDX-License-Identifier: Apache-2.0

// The requirement by which code says who it is: its own, or the one derived from its signature.

/// A designated requirement and where it comes from.
///
/// An explicit one is chosen by the signer and may be wide (`anchor apple generic` alone is met in the wild): it
/// describes the code, it does not say whom to trust.
public struct DesignatedRequirement: Sendable, Hashable {
    public enum Source: String, Sendable, Hashable, Codable {
        /// Entry 3 of the requirement set.
        case explicit
        /// Derived from the signature, as nothing was written.
        case implicit
    }

    /// Another slice of the same file, as far as an ad-hoc requirement needs it.
    public struct OtherSlice: Sendable, Hashable {
        public var team: [UInt8]?
        /// Empty for a slice that is not signed.
        public var directories: [DirectoryDigest]

        public init(team: [UInt8]?, directories: [DirectoryDigest]) {
            self.team = team
            self.directories = directories
        }
    }

    public let expression: RequirementExpression
    public let source: Source

    /// The designated requirement that the code brings along.
    public init(explicit expression: RequirementExpression) {
        self.expression = expression
        source = .explicit
    }

    /// Derives the designated requirement from a certificate chain, leaf first and root last.
    ///
    /// The tree is the one that `codesign` writes, node for node (Apple's `drmaker.cpp`). Throws
    /// `designatedUnderivable` if the chain is empty or the leaf lacks the attribute that would be pinned.
    public init(
        identifier: [UInt8], certificates: [CertificateFacts], appleRoots: Set<[UInt8]> = AppleRoots.sha256
    ) throws(CodeProblem) {
        guard let root = certificates.last else {
            throw CodeProblem(.designatedUnderivable, "without certificates it derives from the code directories")
        }
        let signer = appleRoots.contains(root.sha256) ? try Self.apple(certificates) : Self.foreign(certificates)
        expression = .and(.identifier(identifier), signer)
        source = .implicit
    }

    /// Derives the designated requirement of ad-hoc code: the cdhash of each directory of each slice.
    ///
    /// This slice's come first, in the order of their hash types, then those of the others in the order of the file; a
    /// slice that is not signed adds none. Throws `evaluationSlicesDiffer` if a signed slice names another team, and
    /// `designatedUnderivable` without a directory.
    public init(
        directories: [DirectoryDigest], team: [UInt8]?, otherSlices: [OtherSlice] = []
    ) throws(CodeProblem) {
        let signed = otherSlices.filter { !$0.directories.isEmpty }
        guard signed.allSatisfy({ $0.team == team }) else {
            throw CodeProblem(.evaluationSlicesDiffer, "the slices name different teams")
        }
        let hashes = ([directories] + signed.map(\.directories)).flatMap { slice in
            slice.sorted { $0.hashType.rawValue < $1.hashType.rawValue }.map(\.cdhash.bytes)
        }
        guard let first = hashes.first, !directories.isEmpty else {
            throw CodeProblem(.designatedUnderivable, "the slice has no code directory")
        }
        expression = hashes.dropFirst().reduce(.cdhash(first)) { .or($0, .cdhash($1)) }
        source = .implicit
    }

    /// The leaf's organisation, up to the last certificate that shares it.
    private static func foreign(_ certificates: [CertificateFacts]) -> RequirementExpression {
        var place = 0
        var slot: Int32 = 0
        if let organization = certificates[0].subjectValue(ObjectIdentifiers.organization) {
            while place + 1 < certificates.count,
                certificates[place + 1].subjectValue(ObjectIdentifiers.organization) == organization
            {
                place += 1
            }
            slot = place == certificates.count - 1 ? -1 : Int32(clamping: place)
        }
        return .certificateHash(slot: slot, certificates[place].sha1)
    }

    private static func apple(_ certificates: [CertificateFacts]) throws(CodeProblem) -> RequirementExpression {
        guard certificates.count == 3 else { return .appleAnchor }
        if certificates[1].extension(AppleMarkers.worldwideDeveloperRelations) != nil {
            return .and(
                .appleGenericAnchor,
                .and(
                    try pinned("subject.CN", ObjectIdentifiers.commonName, certificates[0]),
                    .certificateExtension(slot: 1, oid: AppleMarkers.worldwideDeveloperRelations, .exists)))
        }
        if certificates[1].extension(AppleMarkers.developerIDAuthority) != nil {
            return .and(
                .appleGenericAnchor,
                .and(
                    .certificateExtension(slot: 1, oid: AppleMarkers.developerIDAuthority, .exists),
                    .and(
                        .certificateExtension(slot: 0, oid: AppleMarkers.developerIDApplication, .exists),
                        try pinned("subject.OU", ObjectIdentifiers.organizationalUnit, certificates[0]))))
        }
        return .appleAnchor
    }

    private static func pinned(
        _ name: String, _ type: [UInt8], _ leaf: CertificateFacts
    ) throws(CodeProblem) -> RequirementExpression {
        guard let value = leaf.subjectValue(type) else {
            throw CodeProblem(.designatedUnderivable, "the leaf has no \(name)")
        }
        return .certificateField(slot: 0, name: Array(name.utf8), .equal(value))
    }
}
