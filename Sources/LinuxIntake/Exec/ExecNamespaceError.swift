// SPDX-License-Identifier: Apache-2.0

// Why a namespace could not be made, and what to do about it.

import CLinuxFlow

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A step of the set-up that failed.
public struct ExecNamespaceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// In the order they are taken.
    public enum Step: String, Sendable, CaseIterable {
        case channel, namespaces, userMap = "user-map", loopback, addresses, routes, listeners, rules, diagnostics,
            privileges, handover, start
    }

    public let step: Step
    /// The errno value.
    public let code: Int32
    /// Whether it was tried in a user namespace, as plain users have to.
    public let userNamespace: Bool
    /// What stands in the way and what to do.
    public let remedy: String

    /// Words the failure; `setting` reads a file below /proc/sys, trimmed, and answers nil when there is none.
    init(step: Step, code: Int32, userNamespace: Bool, setting: (String) -> String? = ExecNamespaceError.systemSetting)
    {
        self.step = step
        self.code = code
        self.userNamespace = userNamespace
        remedy = ExecNamespaceError.remedy(step, code, userNamespace, setting)
    }

    init(_ failure: weir_exec_failure) {
        let step: Step
        switch failure.step {
        case WEIR_EXEC_STEP_NAMESPACES.rawValue: step = .namespaces
        case WEIR_EXEC_STEP_USER_MAP.rawValue: step = .userMap
        case WEIR_EXEC_STEP_LOOPBACK.rawValue: step = .loopback
        case WEIR_EXEC_STEP_ADDRESSES.rawValue: step = .addresses
        case WEIR_EXEC_STEP_ROUTES.rawValue: step = .routes
        case WEIR_EXEC_STEP_LISTENERS.rawValue: step = .listeners
        case WEIR_EXEC_STEP_RULES.rawValue: step = .rules
        case WEIR_EXEC_STEP_DIAGNOSTICS.rawValue: step = .diagnostics
        case WEIR_EXEC_STEP_PRIVILEGES.rawValue: step = .privileges
        case WEIR_EXEC_STEP_HANDOVER.rawValue: step = .handover
        default: step = .channel
        }
        self.init(step: step, code: failure.error, userNamespace: failure.user_namespace != 0)
    }

    public var description: String {
        "weir: exec: cannot make a network for the command (\(step.rawValue): \(KernelError.text(code))): \(remedy)"
    }

    private static func remedy(_ step: Step, _ code: Int32, _ userNamespace: Bool, _ setting: (String) -> String?)
        -> String
    {
        switch (step, code) {
        case (_, ENOSYS):
            return "this system lacks the calls that are needed; `weir exec` needs Linux 5.9 or newer"
        case (.start, E2BIG):
            return "the arguments and the environment together are too long; make them shorter"
        case (.start, EALREADY):
            return "a command runs in it already; make another namespace"
        case (.start, EINVAL):
            return "an argument or a variable holds a NUL byte, which no program can be given"
        case (.start, _), (.handover, _):
            return
                "the first process of the namespace was killed; look for the reason in the system's log, then try again"
        case (.namespaces, ENOSPC), (.namespaces, EUSERS):
            let now = setting("user/max_user_namespaces").map { " (now \($0))" } ?? ""
            return "there are no namespaces left: raise the sysctls user.max_user_namespaces\(now), "
                + "user.max_net_namespaces and user.max_pid_namespaces"
        case (.namespaces, EINVAL):
            return "this kernel is built without network, process or user namespaces; use `weir proxy` instead"
        case (.rules, EPROTONOSUPPORT), (.rules, ENOENT), (.rules, EOPNOTSUPP), (.rules, EAFNOSUPPORT):
            return "this kernel has no nf_tables with redirect and reject: as root, "
                + "`modprobe -a nf_tables nft_chain_nat nft_redir nft_reject_inet`"
        case (_, EPERM) where userNamespace, (_, EACCES) where userNamespace:
            return forbidden(setting)
        case (.channel, EMFILE), (_, ENFILE), (_, EMFILE):
            return "too many files are open; raise the limit (ulimit -n)"
        default:
            return "run `weir doctor` to see what this system allows"
        }
    }

    /// User namespaces are refused outright, or given without the right to configure a network.
    private static func forbidden(_ setting: (String) -> String?) -> String {
        let asRoot = "or run this as root"
        if setting("kernel/unprivileged_userns_clone") == "0" {
            return "user namespaces are forbidden to plain users here: "
                + "`sysctl kernel.unprivileged_userns_clone=1` as root, \(asRoot)"
        }
        if setting("kernel/apparmor_restrict_unprivileged_userns") == "1" {
            return
                "AppArmor forbids user namespaces to programs without a profile: install one that says `userns,` for "
                + "weir, or `sysctl kernel.apparmor_restrict_unprivileged_userns=0` as root, \(asRoot)"
        }
        return "user namespaces are forbidden here, often by a container: give it the capability SYS_ADMIN or another "
            + "seccomp profile, \(asRoot)"
    }

    /// A file below /proc/sys.
    private static func systemSetting(_ name: String) -> String? {
        guard let bytes = SmallFile.read("/proc/sys/" + name, limit: 256) else { return nil }
        return String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)
    }
}
