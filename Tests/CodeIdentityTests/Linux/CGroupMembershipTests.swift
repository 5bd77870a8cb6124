// SPDX-License-Identifier: Apache-2.0

// /proc/PID/cgroup.

import Testing

@testable import CodeIdentity

@Suite("CGroupMembership") struct CGroupMembershipTests {
    private func read(_ text: String) throws -> CGroupMembership { try CGroupMembership(Array(text.utf8)) }

    @Test("In a v2 system there is one path, and colons belong to it")
    func unified() throws {
        let membership = try read("0::/user.slice/a:b.scope\n")
        #expect(membership.path == "/user.slice/a:b.scope")
        #expect(membership.controllers == [])
    }

    @Test("In a v1 or hybrid system the service manager's own hierarchy counts when v2 says nothing")
    func hybrid() throws {
        let membership = try read(
            "9:name=systemd:/system.slice/a.service\n4:memory:/docker/abc\n2:cpuacct,cpu:/docker/abc\n0::/\n")
        #expect(membership.path == "/system.slice/a.service")
        #expect(membership.controllers == ["/docker/abc"])
        #expect(membership.all.contains("/docker/abc"))
        #expect(try read("9:name=systemd:/x.service\n0::/y.service\n").path == "/y.service")
        #expect(try read("4:memory:/docker/abc\n").path == nil)
    }

    @Test("A removed cgroup keeps its name")
    func deleted() throws {
        #expect(try read("0::/system.slice/a.service (deleted)\n").path == "/system.slice/a.service")
    }

    @Test("A line that is none is refused with its offset", arguments: ["0:/a", "x::/a", "0::a", "::/"])
    func malformed(_ line: String) {
        #expect(throws: CodeProblem(.procMalformed, at: 10, "")) { try read("1:cpu:/ab\n" + line) }
    }
}
