// SPDX-License-Identifier: Apache-2.0

// A version in four bytes, as load commands and code directories hold it.

/// A version as `0xMMMMmmpp`: sixteen bits of major, eight of minor, eight of patch (`mach-o/loader.h`).
public struct PackedVersion: Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Three numbers, always, such as `26.5.0`.
    public var description: String { "\(rawValue >> 16).\(rawValue >> 8 & 0xff).\(rawValue & 0xff)" }
}

/// What a slice was built for (`LC_BUILD_VERSION`).
public struct BuildVersion: Hashable, Sendable {
    /// 1 is macOS, 2 iOS, 6 Mac Catalyst, … (`mach-o/loader.h`).
    public let platform: UInt32
    public let minimumSystem: PackedVersion
    public let sdk: PackedVersion
}
