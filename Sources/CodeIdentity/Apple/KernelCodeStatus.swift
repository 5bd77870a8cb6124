// SPDX-License-Identifier: Apache-2.0

// The code signing bits that the kernel keeps for each process.

/// The code signing status of a process as the kernel reports it (`CS_OPS_STATUS`; names of `osfmk/kern/cs_blobs.h`).
///
/// The bits that a code directory may claim keep their places; the others are the kernel's own. Reading them needs
/// neither disk nor daemon.
public struct KernelCodeStatus: OptionSet, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Started as signed and not invalidated since.
    public static let valid = Self(rawValue: 0x1)
    public static let adhoc = Self(rawValue: 0x2)
    public static let getTaskAllow = Self(rawValue: 0x4)
    public static let installer = Self(rawValue: 0x8)
    /// Library validation that hardening asked for; the kernel then hides `libraryValidation` from callers.
    public static let forcedLibraryValidation = Self(rawValue: 0x10)
    /// Whoever holds its task port may invalidate pages.
    public static let invalidAllowed = Self(rawValue: 0x20)
    /// Invalid pages are not loaded.
    public static let hard = Self(rawValue: 0x100)
    /// An invalid page ends the process.
    public static let kill = Self(rawValue: 0x200)
    public static let checkExpiration = Self(rawValue: 0x400)
    public static let restrict = Self(rawValue: 0x800)
    /// Set as well when the whole system enforces.
    public static let enforcement = Self(rawValue: 0x1000)
    public static let libraryValidation = Self(rawValue: 0x2000)
    public static let entitlementsValidated = Self(rawValue: 0x4000)
    public static let nvramUnrestricted = Self(rawValue: 0x8000)
    /// The hardened runtime.
    public static let runtime = Self(rawValue: 0x10000)
    public static let linkerSigned = Self(rawValue: 0x20000)
    public static let execSetHard = Self(rawValue: 0x10_0000)
    public static let execSetKill = Self(rawValue: 0x20_0000)
    public static let execSetEnforcement = Self(rawValue: 0x40_0000)
    public static let execInheritSIP = Self(rawValue: 0x80_0000)
    public static let killed = Self(rawValue: 0x100_0000)
    public static let noUntrustedHelpers = Self(rawValue: 0x200_0000)
    /// Built into the system: decided by the kernel, not by what the file says.
    public static let platformBinary = Self(rawValue: 0x400_0000)
    public static let platformPath = Self(rawValue: 0x800_0000)
    /// Is or was debugged, and may run invalid pages since.
    public static let debugged = Self(rawValue: 0x1000_0000)
    public static let signed = Self(rawValue: 0x2000_0000)
    public static let developmentCode = Self(rawValue: 0x4000_0000)
    public static let dataVaultController = Self(rawValue: 0x8000_0000)

    /// The names of the known bits that are set, lowest first.
    public var names: [String] { Self.named.filter { contains($0.0) }.map(\.1) }

    public var description: String { names.joined(separator: ",") }

    static let named: [(Self, String)] = [
        (.valid, "valid"), (.adhoc, "adhoc"), (.getTaskAllow, "get-task-allow"), (.installer, "installer"),
        (.forcedLibraryValidation, "forced-library-validation"), (.invalidAllowed, "invalid-allowed"), (.hard, "hard"),
        (.kill, "kill"), (.checkExpiration, "check-expiration"), (.restrict, "restrict"),
        (.enforcement, "enforcement"), (.libraryValidation, "library-validation"),
        (.entitlementsValidated, "entitlements-validated"), (.nvramUnrestricted, "nvram-unrestricted"),
        (.runtime, "runtime"), (.linkerSigned, "linker-signed"), (.execSetHard, "exec-set-hard"),
        (.execSetKill, "exec-set-kill"), (.execSetEnforcement, "exec-set-enforcement"),
        (.execInheritSIP, "exec-inherit-sip"), (.killed, "killed"), (.noUntrustedHelpers, "no-untrusted-helpers"),
        (.platformBinary, "platform-binary"), (.platformPath, "platform-path"), (.debugged, "debugged"),
        (.signed, "signed"), (.developmentCode, "development-code"), (.dataVaultController, "data-vault-controller"),
    ]
}
