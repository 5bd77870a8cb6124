// SPDX-License-Identifier: Apache-2.0

// What the catalogues add to the class of a proved program.

public import FlowModel

extension Catalogues {
    /// The program as the catalogues know it: its class with the reason, its proved name, and whether it is never taken.
    ///
    /// Only rows whose evidence may decide are asked, and only with names that are proved.
    public func classified(_ evidence: CodeEvidence) -> IdentitySummary { evidence.summary }
}
