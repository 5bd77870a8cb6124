// SPDX-License-Identifier: Apache-2.0

// Roles of programs and units.

import Testing

@testable import CodeIdentity

@Suite("ProgramRoles") struct ProgramRolesTests {
    @Test(
        "Interpreters, loaders and transfer tools are known in every version and variant",
        arguments: [
            ("/usr/bin/python3.11", ProgramRole.interpreter), ("/usr/bin/perl5.36.0", .interpreter),
            ("/usr/bin/dash", .interpreter), ("/usr/bin/php8.2", .interpreter), ("/usr/bin/busybox", .interpreter),
            ("/usr/lib/jvm/java-17-openjdk-amd64/bin/java", .interpreter), ("/usr/bin/vim.basic", .interpreter),
            ("/usr/bin/mawk", .interpreter), ("/usr/bin/lua5.4", .interpreter), ("/usr/bin/node", .interpreter),
            ("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", .loader), ("/usr/lib/ld-2.31.so", .loader),
            ("/lib/ld-musl-x86_64.so.1", .loader), ("/usr/bin/curl", .transferTool), ("/usr/bin/wget", .transferTool),
            ("/usr/bin/nc.openbsd", .transferTool), ("/usr/lib/git-core/git-remote-http", .transferTool),
            ("/usr/bin/ssh", .transferTool), ("/usr/bin/openssl", .transferTool), ("/usr/sbin/exim4", .transferTool),
            ("/usr/lib/systemd/systemd-socket-proxyd", .transferTool),
        ])
    func known(_ path: String, _ role: ProgramRole) {
        #expect(ProgramRoles.known(path: path, package: nil)?.role == role)
        #expect(ProgramRoles.known(path: path, package: nil)?.reason.isEmpty == false)
    }

    @Test(
        "Programs of the system are ordinary, and so is what only begins alike",
        arguments: [
            "/usr/lib/systemd/systemd-timesyncd", "/usr/lib/apt/methods/http", "/usr/sbin/NetworkManager",
            "/usr/bin/ld",
            "/usr/bin/shred", "/usr/lib/ld-something", "/usr/bin/javadoc", "/", "", "/usr/bin/.2",
        ])
    func ordinary(_ path: String) { #expect(ProgramRoles.known(path: path, package: "base-files") == nil) }

    @Test("A package speaks for its programs of any name")
    func packages() {
        #expect(ProgramRoles.known(path: "/usr/bin/frobnicate", package: "busybox-static")?.role == .interpreter)
        #expect(ProgramRoles.known(path: "/usr/bin/frobnicate", package: "python3.11-minimal")?.role == .interpreter)
        #expect(
            ProgramRoles.known(path: "/usr/bin/qemu-system-x86_64", package: "qemu-system-x86")?.role == .interpreter)
    }

    @Test("Units that run what users say are known with their instances")
    func units() {
        #expect(ProgramRoles.carriesUsers("cron.service") != nil)
        #expect(ProgramRoles.carriesUsers("getty@tty1.service") != nil)
        #expect(ProgramRoles.carriesUsers("systemd-timesyncd.service") == nil)
        #expect(ProgramRoles.carriesUsers("apt-daily.service") == nil)
    }
}
