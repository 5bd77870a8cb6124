// SPDX-License-Identifier: Apache-2.0

// What a person is told when no namespace can be had.

import CLinuxFlow
import Glibc
import Testing

@testable import LinuxIntake

@Suite struct ExecNamespaceErrorTests {
    @Test(
        "The remedy names what stands in the way",
        arguments: [
            (.namespaces, EPERM, true, ["kernel/unprivileged_userns_clone": "0"], "kernel.unprivileged_userns_clone=1"),
            (.userMap, EACCES, true, ["kernel/apparmor_restrict_unprivileged_userns": "1"], "AppArmor"),
            (.loopback, EPERM, true, ["kernel/apparmor_restrict_unprivileged_userns": "1"], "userns,"),
            (.namespaces, EPERM, true, [:], "seccomp"),
            (.namespaces, ENOSPC, true, ["user/max_user_namespaces": "0"], "(now 0)"),
            (.namespaces, EINVAL, false, [:], "weir proxy"),
            (.namespaces, ENOSYS, false, [:], "Linux 5.9"),
            (.rules, EPROTONOSUPPORT, false, [:], "modprobe"),
            (.rules, ENOENT, true, [:], "nft_redir"),
            (.start, E2BIG, false, [:], "too long"),
            (.start, EALREADY, false, [:], "already"),
            (.handover, EPIPE, false, [:], "killed"),
            (.listeners, EADDRINUSE, false, [:], "weir doctor"),
        ] as [(ExecNamespaceError.Step, Int32, Bool, [String: String], String)])
    func remedy(step: ExecNamespaceError.Step, code: Int32, user: Bool, settings: [String: String], word: String) {
        let error = ExecNamespaceError(step: step, code: code, userNamespace: user, setting: { settings[$0] })
        #expect(error.remedy.contains(word))
        #expect(error.description.contains(step.rawValue))
    }

    @Test("Each step of the C side has its name")
    func steps() {
        let first = WEIR_EXEC_STEP_CHANNEL.rawValue
        let names = (first...WEIR_EXEC_STEP_HANDOVER.rawValue).map {
            ExecNamespaceError(weir_exec_failure(step: $0, error: EPERM, user_namespace: 0)).step
        }
        #expect(names == ExecNamespaceError.Step.allCases.filter { $0 != .start })
    }
}
