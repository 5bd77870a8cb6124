// SPDX-License-Identifier: Apache-2.0

// The traffic that a policy leaves alone by the rows of the catalogues.

extension Catalogues {
    /// The never set, and the rows of the catalogues that the policy excludes.
    func exclusions(for settings: PolicySettings) -> [Exclusion] { [] }
}
