// SPDX-License-Identifier: Apache-2.0

// Which versions of the language a side speaks, and which one both do.

/// The versions of the control language that one side speaks.
///
/// Within a version fields and words may be added, and a reader skips what it does not know. A version is raised when a
/// word changes its meaning; an extension goes on speaking the version of the app before it.
public struct ControlVersions: Hashable, Sendable {
    public let oldest: Int
    public let newest: Int

    /// Nil for an empty range.
    public init?(oldest: Int, newest: Int) {
        guard oldest <= newest else { return nil }
        self.oldest = oldest
        self.newest = newest
    }

    private init(only version: Int) {
        oldest = version
        newest = version
    }

    /// What this build speaks.
    public static let current = ControlVersions(only: 1)

    /// The newest version that both speak; nil when there is none.
    public func common(with other: ControlVersions) -> Int? {
        let version = min(newest, other.newest)
        return version >= max(oldest, other.oldest) ? version : nil
    }
}
