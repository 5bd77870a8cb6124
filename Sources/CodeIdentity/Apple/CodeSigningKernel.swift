// SPDX-License-Identifier: Apache-2.0

// Rung one of identity on macOS: what the kernel knows of a process, at once and without disk or daemon.

/// What the kernel says of the program behind a token.
///
/// `bits` and `cdhash` are the kernel's own knowledge. Identifier and team are copied from the code directory: anybody
/// may sign with any identifier, so both are claims; `AppleIdentity.provedName` says when they are more.
public struct KernelStatus: Hashable, Sendable {
    public var bits: KernelCodeStatus
    public var cdhash: CDHash?
    public var claimedIdentifier: String?
    public var claimedTeam: String?

    public init(
        bits: KernelCodeStatus, cdhash: CDHash? = nil, claimedIdentifier: String? = nil, claimedTeam: String? = nil
    ) {
        self.bits = bits
        self.cdhash = cdhash
        self.claimedIdentifier = claimedIdentifier
        self.claimedTeam = claimedTeam
    }

    /// Whether the signature still holds for what runs.
    ///
    /// As in Security's dynamic validation, a debugged process may have lost it unless it is the system's own.
    public var isValid: Bool {
        bits.contains(.valid) || (bits.contains(.debugged) && !bits.contains(.platformBinary))
    }

    /// Whether it is a program of the system, unchanged since it started: the strongest thing that rung one proves.
    public var isPlatformBinary: Bool { bits.isSuperset(of: [.platformBinary, .valid]) }

    public var isHardened: Bool { bits.contains(.runtime) }

    /// Whether the kernel lets the process load only libraries of Apple and of its own team.
    public var validatesLibraries: Bool { !bits.isDisjoint(with: [.libraryValidation, .forcedLibraryValidation]) }

    /// Whether the kernel holds the process to its signature while it runs.
    ///
    /// Debugging takes `hard` and `kill` away but leaves `enforcement`, which may be the whole system's, so it is
    /// asked for by itself (`cs_allow_invalid`).
    public var isEnforced: Bool {
        !bits.isDisjoint(with: [.hard, .kill, .enforcement]) && bits.isDisjoint(with: [.debugged, .invalidAllowed])
    }

    /// Whether the cdhash names what runs, and not only what was started.
    public var isCDHashTrustworthy: Bool { cdhash != nil && bits.contains(.valid) && isEnforced }
}

/// Why the kernel says nothing of a token.
public enum KernelStatusError: Error, Hashable, Sendable {
    /// There is no token, or it names the kernel itself.
    case noToken
    /// No process has the number any more.
    case exited
    /// The number belongs to another image: the process has called `exec`, or has ended and the number is used anew.
    case recycled
    /// The kernel refused with this `errno`, or answered what cannot be.
    case refused(Int32)
}

/// The kernel's code signing status, the first rung of identity.
///
/// Called while a flow waits: an implementation never touches a disk, a daemon or a lock that others hold for long.
public protocol CodeSigningKernel: Sendable {
    func status(of token: AuditToken) -> Result<KernelStatus, KernelStatusError>
}
