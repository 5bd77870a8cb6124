// SPDX-License-Identifier: Apache-2.0

// A stand-in for a user, so that events of one user can be counted without saying who it is.

internal import Crypto

/// Makes the pseudonyms of one installation.
///
/// A pseudonym is the first 32 bits of HMAC-SHA256 under a key that stays on the machine: the same user has the same
/// one in every event, another machine gives the user another, and it cannot be undone by trying all users without
/// the key. Two of a thousand users share one in about one installation of ten thousand.
public struct UserPseudonym: Sendable {
    private let key: SymmetricKey

    /// Takes the key of the installation, 32 random bytes.
    public init(key: [UInt8]) { self.key = SymmetricKey(data: key) }

    /// Stands for the user with this number: `~` and 8 hexadecimal digits.
    public func ofUser(_ userID: UInt32) -> String { text("user:\(userID)") }

    /// Stands for a user as a home directory names it: `~` and 8 hexadecimal digits.
    ///
    /// Not the one of the number: to know that both are one user would take the system's user database.
    public func ofName(_ name: some StringProtocol) -> String { text("name:\(name)") }

    private func text(_ value: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Array(value.utf8), using: key)
        let number = code.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let digits = String(number, radix: 16)
        return "~" + String(repeating: "0", count: 8 - digits.utf8.count) + digits
    }
}
