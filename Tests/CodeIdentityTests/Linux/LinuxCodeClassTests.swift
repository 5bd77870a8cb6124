// SPDX-License-Identifier: Apache-2.0

// Classes of Linux programs.

import FlowModel
import Testing

@testable import CodeIdentity

@Suite("LinuxCodeClass") struct LinuxCodeClassTests {
    /// A service that is the operating system's own.
    static let service = LinuxIdentity(
        process: ProcessInstance(pid: 1, startTicks: 1), user: 0,
        executable: LinuxExecutable(
            path: "/usr/lib/systemd/systemd-timesyncd",
            claim: PackageClaim(package: "systemd-timesyncd", verdict: .intact), rootOwnedChain: true),
        context: RunContext(
            cgroup: "/system.slice/systemd-timesyncd.service",
            unit: .init(
                name: "systemd-timesyncd.service", system: true,
                file: "/usr/lib/systemd/system/systemd-timesyncd.service",
                claim: PackageClaim(package: "systemd-timesyncd", verdict: .intact))))

    private func changed(_ change: (inout LinuxIdentity) -> Void) -> LinuxIdentity {
        var identity = Self.service
        change(&identity)
        return identity
    }

    @Test("Every condition of the system's class is necessary, and the one that fails is the reason")
    func necessary() {
        #expect(Self.service.codeClass == .os)
        let cases: [(String, (inout LinuxIdentity) -> Void)] = [
            ("traced", { $0.injection = [.traced] }),
            ("foreign-mapping", { $0.injection = [.foreignMapping] }),
            ("speaks for others", { $0.executable.path = "/usr/bin/curl" }),
            ("interpreter", { $0.executable.role = .interpreter }),
            ("no system unit", { $0.context.unit = nil }),
            ("user's unit", { $0.context.unit?.system = false }),
            ("made at run time", { $0.context.unit?.name = "session-2.scope" }),
            ("users write down", { $0.context.unit?.name = "cron.service" }),
            ("no unit file", { $0.context.unit?.file = nil }),
            ("no package owns unit file", { $0.context.unit?.claim = nil }),
            ("not proved: modified", { $0.context.unit?.claim?.verdict = .modified }),
            ("changed by /etc/x.conf", { $0.context.unit?.dropIns = ["/etc/x.conf"] }),
            ("mount namespace", { $0.context.confinement = .otherMountNamespace }),
            ("docker container", { $0.context.confinement = .container(runtime: "docker", id: "x") }),
            ("not all is known", { $0.problems = [CodeProblem(.unreadable, "maps")] }),
            ("until a system unit runs it", { $0.process = nil }),
        ]
        for (reason, change) in cases {
            let classification = changed(change).classification
            #expect(classification.codeClass == .platformInteractive)
            #expect(classification.reasons.count == 1)
            #expect(classification.reasons.contains { $0.contains(reason) }, "\(classification)")
        }
    }

    @Test("A program that nobody vouches for is unsigned, and says why")
    func unsigned() {
        let cases: [(String, (inout LinuxIdentity) -> Void)] = [
            ("no package owns", { $0.executable.claim = nil }),
            ("not what package", { $0.executable.claim?.verdict = .modified }),
            ("keeps no digest", { $0.executable.claim?.verdict = .noDigest }),
            ("right now", { $0.executable.claim?.verdict = .inTransaction }),
            ("could not be hashed", { $0.executable.claim?.verdict = .unreadable }),
            ("deleted or replaced", { $0.executable.deleted = true }),
            ("others than root", { $0.executable.rootOwnedChain = false }),
        ]
        for (reason, change) in cases {
            let classification = changed(change).classification
            #expect(classification.codeClass == .unsigned)
            #expect(classification.reasons.contains { $0.contains(reason) }, "\(classification)")
        }
    }

    @Test("Packages in /opt, snaps that root mounted and the system's containers are a third party's")
    func thirdParty() {
        let opt = changed { $0.executable.path = "/opt/google/chrome/chrome" }
        #expect(opt.codeClass == .thirdParty)
        let snap = changed { identity in
            identity.executable.path = "/snap/firefox/1/firefox"
            identity.executable.claim = nil
        }
        #expect(snap.codeClass == .thirdParty)
        let container = changed { identity in
            identity.executable.claim = nil
            identity.context.cgroup = "/docker/0123456789ab"
            identity.context.confinement = .container(runtime: "docker", id: "0123456789ab")
        }
        #expect(container.codeClass == .thirdParty)
    }

    @Test("What a user could have named himself vouches for nothing")
    func forged() {
        let user = "/user.slice/user-1000.slice/user@1000.service/app.slice/"
        let container = changed { identity in
            identity.executable.claim = nil
            identity.context.cgroup = user + "docker-0123456789ab.scope"
            identity.context.confinement = .container(runtime: "docker", id: "0123456789ab")
        }
        #expect(container.codeClass == .unsigned)
        let snap = changed { identity in
            identity.executable.path = "/home/u/firefox"
            identity.executable.claim = nil
            identity.context.confinement = .snap("firefox")
        }
        #expect(snap.codeClass == .unsigned)
        let folder = changed { identity in
            identity.executable.path = "/snap/x/1/x"
            identity.executable.claim = nil
            identity.executable.rootOwnedChain = false
        }
        #expect(folder.codeClass == .unsigned)
    }
}
