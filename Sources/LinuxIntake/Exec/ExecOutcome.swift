// SPDX-License-Identifier: Apache-2.0

// How a command ended.

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// How the command of an exec namespace ended.
public enum ExecOutcome: Hashable, Sendable {
    case exited(Int32)
    /// A signal ended it.
    case signalled(Int32)
    /// It could not be run; the value is an errno value.
    case notStarted(Int32)
    /// The namespace was killed from outside, and nobody was left to say how the command was doing.
    case lost

    /// What a shell would answer with: the code, 128 + signal, 127 for a program not found, 126 for one that cannot be run.
    public var exitStatus: Int32 {
        switch self {
        case .exited(let code): return code
        case .signalled(let signal): return 128 + signal
        case .notStarted(let code): return code == ENOENT || code == ENOTDIR ? 127 : 126
        case .lost: return 128 + SIGKILL
        }
    }

    /// What a person should read on standard error; nil when the command had its own say.
    public func complaint(command: String) -> String? {
        switch self {
        case .exited, .signalled: return nil
        case .notStarted(let code): return "weir: exec: \(command): \(KernelError.text(code))"
        case .lost: return "weir: exec: \(command): killed together with its namespace"
        }
    }
}
