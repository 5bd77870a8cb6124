// SPDX-License-Identifier: Apache-2.0

// From identity to the classes of policy.

public import FlowModel

/// The programs that the operating system itself runs, as an inventory of this build found them.
///
/// A platform binary outside it (curl, ssh, a shell, a browser) does what its user wants. The set is only ever asked
/// about platform binaries, whose identifiers are proved.
public struct OSProgramSet: Sendable, Hashable {
    public var cdhashes: Set<CDHash>
    public var identifiers: Set<String>

    public init(cdhashes: Set<CDHash> = [], identifiers: Set<String> = []) {
        self.cdhashes = cdhashes
        self.identifiers = identifiers
    }

    func contains(_ status: KernelStatus) -> Bool {
        if let cdhash = status.cdhash, cdhashes.contains(cdhash) { return true }
        return status.claimedIdentifier.map(identifiers.contains) ?? false
    }
}

extension AppleIdentity {
    /// Whether rung two can add anything to what the kernel says.
    ///
    /// Not for code that has no valid signature. Not for a program of the system either: the kernel's word is the
    /// strongest there is, and the trust daemon, on which rung two waits, is such a program.
    static func isExaminationUseful(_ kernel: KernelStatus) -> Bool {
        kernel.bits.contains(.signed) && kernel.isValid && !kernel.isPlatformBinary
    }

    /// Why the class is not known; nil when it is.
    public var unknown: MakerUnknown? {
        guard Self.isExaminationUseful(kernel), !kernel.bits.contains(.adhoc) else { return nil }
        switch examination {
        case .none, .missing: return .unexamined
        case .timedOut: return .timedOut
        case .exited: return .exited
        case .replaced: return .replaced
        case .failed(let error): return Self.unknown(for: error)
        case .done(let examination): return examination.invalidity.flatMap(Self.unknown)
        }
    }

    /// The class of the code.
    ///
    /// A program of the system in `osPrograms` is `os`, any other of the system `platformInteractive`; without an
    /// inventory (nil) that is not known. The rest is
    /// `thirdParty` when the examination found it valid, and `unsigned` when nobody vouches for it: no signature, one
    /// that does not hold, or an ad-hoc one, which says who it is only by its hash.
    public func codeClass(osPrograms: OSProgramSet?) -> IdentitySummary.Class {
        if kernel.isPlatformBinary {
            guard let osPrograms else { return .unknown(.platformUnresolved) }
            return .known(osPrograms.contains(kernel) ? .os : .platformInteractive)
        }
        if let unknown { return .unknown(unknown.cause) }
        guard verified != nil, !kernel.bits.contains(.adhoc) else { return .known(.unsigned) }
        return .known(.thirdParty)
    }

    func answer(_ standing: MakerAnswer.Standing, osPrograms: OSProgramSet?) -> MakerAnswer {
        var path: String?
        if case .done(let examination) = examination { path = examination.facts?.path }
        return MakerAnswer(
            summary: IdentitySummary(
                codeClass(osPrograms: osPrograms), executable: path, processID: token.processID,
                userID: token.effectiveUser),
            maker: .apple(self), standing: standing,
            unknown: kernel.isPlatformBinary && osPrograms == nil ? .noInventory : unknown)
    }

    private static func unknown(for error: CodeSigningError) -> MakerUnknown? {
        switch error.meaning {
        case .gone: .exited
        case .changedOnDisk: .changedOnDisk
        case .unknown: .refused
        case .refuted: nil
        }
    }
}
