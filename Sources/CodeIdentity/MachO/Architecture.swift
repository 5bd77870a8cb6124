// SPDX-License-Identifier: Apache-2.0

// The processor that a slice is for, and what Apple's tools call it.

/// A processor type and subtype (`mach/machine.h`).
public struct Architecture: Hashable, Sendable, CustomStringConvertible {
    public let cpuType: UInt32
    /// As the file has it: the high byte holds capability bits, for example the pointer authentication ABI of arm64e.
    public let rawSubtype: UInt32

    public init(cpuType: UInt32, rawSubtype: UInt32) {
        self.cpuType = cpuType
        self.rawSubtype = rawSubtype
    }

    /// The subtype without its capability bits: what is compared.
    public var subtype: UInt32 { rawSubtype & 0x00ff_ffff }

    /// The name that `lipo` and `codesign` print, or `(type:subtype)` in decimal for one that has none.
    public var description: String {
        Self.names[cpuType]?[subtype] ?? "(\(cpuType):\(subtype))"
    }

    /// Whether both are for the same processor.
    public func matches(_ other: Architecture) -> Bool { cpuType == other.cpuType && subtype == other.subtype }

    /// Whether the type is one that Apple's systems ever ran.
    var isKnown: Bool { Self.names[cpuType] != nil }

    static let i386: UInt32 = 7
    static let x86: UInt32 = 0x0100_0007
    static let arm: UInt32 = 12
    static let arm64: UInt32 = 0x0100_000c
    static let arm64On32: UInt32 = 0x0200_000c
    static let powerPC: UInt32 = 18
    static let powerPC64: UInt32 = 0x0100_0012

    private static let names: [UInt32: [UInt32: String]] = [
        i386: [3: "i386", 4: "i486", 5: "i586"],
        x86: [3: "x86_64", 4: "x86_64", 8: "x86_64h"],
        arm: [
            0: "arm", 5: "armv4t", 6: "armv6", 7: "armv5", 8: "xscale", 9: "armv7", 10: "armv7f", 11: "armv7s",
            12: "armv7k", 14: "armv6m", 15: "armv7m", 16: "armv7em",
        ],
        arm64: [0: "arm64", 1: "arm64v8", 2: "arm64e"],
        arm64On32: [0: "arm64_32", 1: "arm64_32"],
        powerPC: [
            0: "ppc", 1: "ppc601", 3: "ppc603", 4: "ppc603e", 5: "ppc603ev", 6: "ppc604", 7: "ppc604e", 9: "ppc750",
            10: "ppc7400", 11: "ppc7450", 100: "ppc970",
        ],
        powerPC64: [0: "ppc64", 100: "ppc970-64"],
    ]
}
