// SPDX-License-Identifier: Apache-2.0

// The one question other rooms ask of this one while a flow waits: who made it.

public import FlowModel

/// Who made a flow, on either system.
public enum FlowMaker: Sendable, Hashable {
    case apple(AppleIdentity)
    case linux(LinuxIdentity)

    /// How foreign code can run under the identity; sorted, without duplicates.
    public var injection: [InjectionPath] {
        switch self {
        case .apple(let identity): identity.injection
        case .linux(let identity): identity.injection
        }
    }
}

/// Why nothing, or not enough, is known of a flow's maker.
public enum MakerUnknown: String, Sendable, Hashable, Codable, CaseIterable {
    /// The flow names no process, or the kernel itself.
    case noProcess = "no-process"
    case exited
    /// The process runs another program now, or its number is another's.
    case replaced
    /// The system did not answer what was asked of it.
    case refused
    /// Known so far is what the kernel says; see `MakerAnswer.standing` for what comes.
    case unexamined
    /// What runs is not what lies on the disk.
    case changedOnDisk = "changed-on-disk"
    case timedOut = "timed-out"
    /// It is a program of the system, and there is no inventory of what the system itself runs.
    case noInventory = "no-inventory"

    /// The cause in the coarser words of policy.
    public var cause: UnknownCause {
        switch self {
        case .noProcess: .noToken
        case .exited, .replaced: .exited
        case .noInventory: .platformUnresolved
        case .unexamined: .thirdPartyPending
        case .refused, .changedOnDisk, .timedOut: .unresolved
        }
    }
}

/// What is known of a flow's maker now, and whether more will be.
public struct MakerAnswer: Sendable, Hashable {
    public enum Standing: String, Sendable, Hashable, Codable {
        /// This is all; `later` would say the same.
        case settled
        /// More is being found out, and `later` gives it.
        case pending
        /// More could be found out, but too much is being asked already: nothing will come of itself.
        case busy
    }

    public var summary: IdentitySummary
    /// The identity in full; nil when there is none.
    public var maker: FlowMaker?
    public var standing: Standing
    /// Set when the class in `summary` is unknown.
    public var unknown: MakerUnknown?

    public init(
        summary: IdentitySummary, maker: FlowMaker? = nil, standing: Standing = .settled, unknown: MakerUnknown? = nil
    ) {
        self.summary = summary
        self.maker = maker
        self.standing = standing
        self.unknown = unknown
    }
}

/// Says who made a flow: at once what is known at once, and later the rest.
///
/// The answer is identity, never a verdict, and it is about the process that the *system names*: macOS names the last
/// user of the socket or the application a daemon was asked by, Linux the owner of the socket. Neither says whether
/// that process acts for another.
///
/// `now` is any steady clock of the caller's, the same in all calls.
public protocol SystemCode<Process>: Sendable {
    /// What names one run of one program: `AuditToken` on macOS, `ProcessInstance` on Linux.
    associatedtype Process: Hashable & Sendable

    /// Answers from memory and the kernel; never waits for a disk, a daemon or another thread.
    ///
    /// It may start finding out more, which nobody has to wait for.
    func immediate(_ process: Process?, now: ContinuousClock.Instant) -> MakerAnswer

    /// Gives the final answer: within the call when nothing more will come, else once, from another thread.
    ///
    /// An answer that does not come in time is a settled answer too, whose `unknown` says so.
    func later(
        _ process: Process?, now: ContinuousClock.Instant, _ receive: @escaping @Sendable (MakerAnswer) -> Void)
}
