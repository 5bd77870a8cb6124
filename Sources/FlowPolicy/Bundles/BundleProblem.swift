// SPDX-License-Identifier: Apache-2.0

// Why a bundle, or a policy without one, is not taken.

/// Why a policy bundle is refused: what is wrong, where, and what to do.
public struct BundleProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of problem it is; stable, for programs.
    public enum Code: String, Sendable, CaseIterable {
        case notABundle = "not-a-bundle"
        case otherFormat = "other-format"
        case tooLarge = "too-large"
        case syntax
        /// The manifest is not what was signed.
        case badSignature = "bad-signature"
        case untrustedKey = "untrusted-key"
        /// A file ends before the bytes that the manifest promises.
        case truncated
        case extraBytes = "extra-bytes"
        /// A file is not the one that was signed.
        case alteredFile = "altered-file"
        case badPath = "bad-path"
        case duplicatePath = "duplicate-path"
        case notText = "not-text"
        case badValue = "bad-value"
        /// A version below the one accepted before.
        case older
        /// The version accepted before, with another content.
        case changed
        /// A bundle of another name than the one accepted before.
        case otherName = "other-name"
        /// A policy outside a bundle where a bundle is demanded.
        case unsigned
    }

    public let code: Code
    /// What is wrong, where, and what to do.
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// `message (code)`.
    public var description: String { "\(message) (\(code.rawValue))" }
}
