// SPDX-License-Identifier: Apache-2.0

// Units, containers and applications in cgroup paths.

import Testing

@testable import CodeIdentity

@Suite("CGroupPlacement") struct CGroupPlacementTests {
    @Test(
        "The unit is the first component that is no slice; below a user's manager it is that user's",
        arguments: [
            ("/system.slice/cron.service", "cron.service", true),
            ("/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", true),
            ("/system.slice/docker.service/system.slice/ssh.service", "docker.service", true),
            ("/init.scope", "init.scope", true),
            ("/user.slice/user-1000.slice/session-2.scope", "session-2.scope", true),
            ("/user.slice/user-1000.slice/user@1000.service/app.slice/a.service", "a.service", false),
            ("/user.slice/user-1000.slice/user@1000.service/init.scope", "init.scope", false),
            ("/user.slice/user-1000.slice/user@1000.service/system.slice/ssh.service", "ssh.service", false),
            ("/user.slice/user-1000.slice/user@1000.service", "user@1000.service", true),
            ("/system.slice/_cpu.service", "cpu.service", true),
        ])
    func units(_ path: String, _ name: String, _ system: Bool) {
        let placement = CGroupPlacement(path)
        #expect(placement?.unit.text == name)
        #expect(placement?.system == system)
    }

    @Test(
        "A path that no service manager made has no unit",
        arguments: [
            "/", "", "/docker/0123456789abcdef", "/system.slice", "/../system.slice/a.service",
            "/system.slice/x/a.service",
        ])
    func none(_ path: String) { #expect(CGroupPlacement(path) == nil) }

    static let id = String(repeating: "0123456789abcdef", count: 4)

    @Test(
        "Containers are known by the forms of their runtimes",
        arguments: [
            ("/system.slice/docker-\(id).scope", "docker", id), ("/docker/\(id)", "docker", id),
            ("/machine.slice/libpod-\(id).scope/container", "podman", id),
            ("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-\(id).scope", "podman", id),
            ("/system.slice/containerd.service/kubepods-burstable-pod1_2.slice:cri-containerd:\(id)", "", ""),
            ("/kubepods.slice/kubepods-pod1.slice/cri-containerd-\(id).scope", "containerd", id),
            ("/kubepods.slice/kubepods-pod1.slice/crio-\(id).scope", "cri-o", id),
            ("/kubepods/burstable/pod3d-4e/\(id)", "kubernetes", id),
            ("/lxc/web/init", "lxc", "web"), ("/lxc.payload.web/x", "lxc", "web"),
            ("/machine.slice/systemd-nspawn@deb\\x2dsid.service/payload", "systemd-nspawn", "deb-sid"),
            ("/machine.slice/machine-web.scope", "systemd-nspawn", "web"),
            ("/machine.slice/libpod-conmon-\(id).scope", "", ""),
            ("/machine.slice/systemd-nspawn@web.service/supervisor", "", ""),
            ("/lxc.monitor.web", "", ""), ("/system.slice/docker-registry.service", "", ""),
        ])
    func containers(_ path: String, _ runtime: String, _ id: String) {
        #expect(
            CGroupPlacement.confinement(path) == (runtime.isEmpty ? nil : .container(runtime: runtime, id: id)))
    }

    @Test("Snaps and flatpaks are known by their scopes")
    func applications() {
        let user = "/user.slice/user-1000.slice/user@1000.service/app.slice/"
        #expect(CGroupPlacement.confinement(user + "snap.firefox.firefox-6a1.scope") == .snap("firefox"))
        #expect(CGroupPlacement.confinement("/system.slice/snap.lxd.daemon.service") == .snap("lxd"))
        #expect(
            CGroupPlacement.confinement(user + "app-flatpak-org.gnome.Text\\x2dEditor-4711.scope")
                == .flatpak("org.gnome.Text-Editor"))
        #expect(CGroupPlacement.confinement(user + "app-flatpak-org.gnome.Maps.scope") == nil)
        #expect(CGroupPlacement.confinement("/system.slice/snap.mount") == nil)
    }

    @Test("An AppImage is known by its mount")
    func appImage() {
        #expect(CGroupPlacement.appImage("/tmp/.mount_KritaAb12Cd/usr/bin/krita") == .appImage("Krita"))
        #expect(CGroupPlacement.appImage("/tmp/mount_KritaAb12Cd/usr/bin/krita") == nil)
    }
}
