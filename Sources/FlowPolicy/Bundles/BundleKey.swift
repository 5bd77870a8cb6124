// SPDX-License-Identifier: Apache-2.0

// The keys that bundles are signed with.

internal import Crypto

/// The public key that tells whose a bundle is: Ed25519 (RFC 8032).
public struct BundleKey: Hashable, Sendable, CustomStringConvertible {
    /// 32 bytes.
    public let bytes: [UInt8]

    /// Makes a key of 32 bytes; nil for another count.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    /// Reads what `description` prints; nil for all else.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count == 44, let bytes = Base64Text.bytes(text) else { return nil }
        self.init(bytes: bytes)
    }

    /// The key as base64, as it stands under `require-bundle` in a policy.
    public var description: String { Base64Text.text(bytes) }

    /// Whether `signature` is this key's over `message`.
    func verifies(_ signature: [UInt8], over message: [UInt8]) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes) else { return false }
        return key.isValidSignature(signature, for: message)
    }
}

/// The secret half of a `BundleKey`; whoever has it makes policies for every machine that trusts the key.
public struct BundleSigningKey: Sendable {
    private let key: Curve25519.Signing.PrivateKey
    /// The key that machines are told to trust.
    public let publicKey: BundleKey

    private init?(_ key: Curve25519.Signing.PrivateKey) {
        guard let publicKey = BundleKey(bytes: Array(key.publicKey.rawRepresentation)) else { return nil }
        self.key = key
        self.publicKey = publicKey
    }

    /// Makes a new key from the system's randomness.
    public static func generate() -> BundleSigningKey? { BundleSigningKey(Curve25519.Signing.PrivateKey()) }

    /// Reads what `secretText` gives; nil for all else.
    public init?(secretText: some StringProtocol) {
        guard secretText.utf8.count == 44, let seed = Base64Text.bytes(secretText),
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed)
        else { return nil }
        self.init(key)
    }

    /// The secret seed as base64: for a file that nobody else can read.
    public var secretText: String { Base64Text.text(Array(key.rawRepresentation)) }

    func signature(over message: [UInt8]) -> [UInt8]? { (try? key.signature(for: message)).map(Array.init) }
}
