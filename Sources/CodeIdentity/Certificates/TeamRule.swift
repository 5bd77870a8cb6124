// SPDX-License-Identifier: Apache-2.0

// When the team identifier in a code directory is more than a claim.

/// Apple's rule: the certificates that it issues to a team carry the team in the subject (`validateTeamIdentifier`).
enum TeamRule {
    /// What a team identifier is worth beside this chain, leaf first.
    ///
    /// - Parameter provedToApple: whether everything else of the signature holds and its chain ends at an Apple root.
    static func binding(
        of team: [UInt8]?, to chain: [CertificateFacts], provedToApple: Bool
    ) -> TeamBinding {
        guard let team else { return .absent }
        guard provedToApple, let leaf = chain.first, isIssuedToTeam(leaf, issuer: chain.dropFirst().first) else {
            return .claimed
        }
        let units = leaf.subject.filter { $0.type == ObjectIdentifiers.organizationalUnit }
        // Apple takes the first here and the last in `subject.OU`; no certificate that Apple issues has two.
        guard units.count <= 1 else {
            return .refused(
                CodeProblem(.teamAmbiguous, "\(leaf.printableSubject) has \(units.count) organisational units"))
        }
        guard units.first?.value == team else {
            return .refused(
                CodeProblem(
                    .teamMismatch,
                    "the code directory says \(Hexadecimal.text(team)) (hexadecimal), the signer is \(leaf.printableSubject)"
                ))
        }
        return .proved
    }

    private static func isIssuedToTeam(_ leaf: CertificateFacts, issuer: CertificateFacts?) -> Bool {
        let alone = [
            AppleMarkers.appleDevelopment, AppleMarkers.macDevelopment, AppleMarkers.macAppDistribution,
            AppleMarkers.appleDistribution,
        ]
        if alone.contains(where: { leaf.extension($0) != nil }) { return true }
        return issuer?.extension(AppleMarkers.developerIDAuthority) != nil
            && leaf.extension(AppleMarkers.developerIDApplication) != nil
    }
}
