// SPDX-License-Identifier: Apache-2.0

// How a code directory is named: by its digest.

/// The digest algorithms a code directory may use; the raw value is the number in the directory (`cs_blobs.h`).
public enum CodeHashType: UInt8, Sendable, Hashable, CaseIterable, Codable {
    case sha1 = 1
    case sha256 = 2
    /// SHA-256 cut to 20 bytes.
    case sha256Truncated = 3
    case sha384 = 4

    /// Bytes of one hash in a directory of this type.
    public var size: Int {
        switch self {
        case .sha1, .sha256Truncated: 20
        case .sha256: 32
        case .sha384: 48
        }
    }

    /// The name in output and in Apple's tools.
    public var name: String {
        switch self {
        case .sha1: "sha1"
        case .sha256: "sha256"
        case .sha256Truncated: "sha256-truncated"
        case .sha384: "sha384"
        }
    }

    /// The better of two directories is the one of higher rank; its identifier, team, flags and cdhash count.
    public var rank: Int {
        switch self {
        case .sha384: 3
        case .sha256: 2
        case .sha256Truncated: 1
        case .sha1: 0
        }
    }
}

/// The name of one code directory: its digest by its own algorithm, cut to 20 bytes.
public struct CDHash: Hashable, Sendable, CustomStringConvertible {
    /// Always 20 bytes.
    public let bytes: [UInt8]

    /// Nil unless there are 20 bytes.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 20 else { return nil }
        self.bytes = Array(bytes)
    }

    /// Reads 40 hexadecimal digits.
    public init?(hex: String) {
        guard let bytes = Hexadecimal.bytes(hex.utf8) else { return nil }
        self.init(bytes)
    }

    /// Forty lower-case hexadecimal digits.
    public var description: String { Hexadecimal.text(bytes) }
}

/// What a code directory is called and how: what a CMS signature binds.
public struct DirectoryDigest: Hashable, Sendable {
    /// 0, or 0x1000 and up for an alternate.
    public let slot: UInt32
    public let hashType: CodeHashType
    /// The whole digest of the directory by the algorithm of `hashType`, not cut: 20, 32 or 48 bytes.
    public let full: [UInt8]
    public let cdhash: CDHash

    public init(slot: UInt32, hashType: CodeHashType, full: [UInt8], cdhash: CDHash) {
        self.slot = slot
        self.hashType = hashType
        self.full = full
        self.cdhash = cdhash
    }
}

/// The flags of a code directory, as the file claims them (`cs_blobs.h`).
public struct CodeSignatureFlags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let host = Self(rawValue: 0x1)
    public static let adhoc = Self(rawValue: 0x2)
    public static let hard = Self(rawValue: 0x100)
    public static let kill = Self(rawValue: 0x200)
    public static let expires = Self(rawValue: 0x400)
    public static let restrict = Self(rawValue: 0x800)
    public static let enforcement = Self(rawValue: 0x1000)
    public static let libraryValidation = Self(rawValue: 0x2000)
    public static let runtime = Self(rawValue: 0x10000)
    public static let linkerSigned = Self(rawValue: 0x20000)

    /// The names of the known flags that are set, lowest first, as `codesign` writes them.
    public var names: [String] {
        Self.named.filter { contains($0.0) }.map(\.1)
    }

    /// The flags of these names; nil when one is not known.
    public init?(names: [String]) {
        self = []
        for name in names {
            guard let flag = Self.named.first(where: { $0.1 == name }) else { return nil }
            insert(flag.0)
        }
    }

    private static let named: [(Self, String)] = [
        (.host, "host"), (.adhoc, "adhoc"), (.hard, "hard"), (.kill, "kill"), (.expires, "expires"),
        (.restrict, "restrict"), (.enforcement, "enforcement"), (.libraryValidation, "library-validation"),
        (.runtime, "runtime"), (.linkerSigned, "linker-signed"),
    ]
}
