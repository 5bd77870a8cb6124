// SPDX-License-Identifier: Apache-2.0

// What a cgroup path says: the unit that a service manager made, and the container or application that a runtime made.

/// The unit of a cgroup path.
struct CGroupPlacement: Hashable {
    var unit: UnitName
    /// Whether the system manager runs it.
    var system: Bool

    /// Nil when no service manager made the path.
    ///
    /// Slices are passed over and the first other component is the system manager's unit; below a `user@UID.service` it
    /// is that user's manager's. What stands deeper belongs to the unit itself, which may name it as it likes, so that
    /// no user reaches a system unit's name. A path that leads out of our cgroup namespace (`/../…`) says nothing.
    init?(_ path: String) {
        var rest = path.split(separator: "/")[...]
        guard rest.count <= 64, let first = Self.unit(&rest) else { return nil }
        unit = first
        system = true
        guard first.prefix == "user", first.instance != nil, first.type == "service" else { return }
        if let own = Self.unit(&rest) {
            unit = own
            system = false
        }
    }

    private static func unit(_ rest: inout ArraySlice<Substring>) -> UnitName? {
        while let component = rest.popFirst() {
            // systemd puts `_` before a name that a controller could take for its own file.
            guard let name = UnitName(component.first == "_" ? component.dropFirst() : component) else { return nil }
            if name.type != "slice" { return name }
        }
        return nil
    }

    /// The container or application that a path names; a label, because a user may name scopes of his own so.
    static func confinement(_ path: String) -> RunContext.Confinement? {
        let components = path.split(separator: "/")
        guard components.count <= 64 else { return nil }
        for (index, component) in components.enumerated() {
            let parent = index > 0 ? components[index - 1] : ""
            let next = index + 1 < components.count ? components[index + 1] : nil
            if let found = confinement(component, parent: parent, next: next) { return found }
        }
        return nil
    }

    private static func confinement(
        _ component: Substring, parent: Substring, next: Substring?
    ) -> RunContext.Confinement? {
        let name = component.hasSuffix(".scope") ? component.dropLast(6) : component
        // RUNTIME-ID, as a scope (systemd driver) or plain; `conmon` watches from outside.
        for (prefix, runtime) in runtimes where name.hasPrefix(prefix) {
            let id = name.dropFirst(prefix.count)
            if isContainerID(id) { return .container(runtime: runtime, id: String(id)) }
        }
        // PARENT/ID (cgroupfs driver).
        if isContainerID(name) {
            if parent == "docker" { return .container(runtime: "docker", id: String(name)) }
            if parent == "libpod_parent" { return .container(runtime: "podman", id: String(name)) }
            if parent.hasPrefix("pod") || parent.contains("-pod") {
                return .container(runtime: "kubernetes", id: String(name))
            }
            if parent == "default" || parent == "k8s.io" || parent == "moby" {
                return .container(runtime: "containerd", id: String(name))
            }
        }
        if component.hasPrefix("lxc.payload.") {
            return .container(runtime: "lxc", id: String(component.dropFirst(12)))
        }
        if parent == "lxc" || parent == "lxc.payload" { return .container(runtime: "lxc", id: String(component)) }
        if let machine = machine(component), next != "supervisor" {
            return .container(runtime: "systemd-nspawn", id: machine)
        }
        return application(component)
    }

    private static let runtimes: [(prefix: String, runtime: String)] = [
        ("docker-", "docker"), ("libpod-payload-", "podman"), ("libpod-", "podman"),
        ("cri-containerd-", "containerd"), ("nerdctl-", "containerd"), ("containerd-", "containerd"),
        ("crio-", "cri-o"), ("buildkit-", "buildkit"),
    ]

    /// Runtimes name containers by 64 hexadecimal digits; some cut them to 12.
    private static func isContainerID(_ text: Substring) -> Bool {
        (12...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private static func machine(_ component: Substring) -> String? {
        guard let unit = UnitName(component) else { return nil }
        if unit.type == "service", unit.prefix == "systemd-nspawn", let instance = unit.instance {
            return UnitName.unescaped(instance)
        }
        // machined registers virtual machines in the same way; those look like a container that has no program of ours.
        if unit.type == "scope", unit.prefix.hasPrefix("machine-") {
            return UnitName.unescaped(unit.prefix.dropFirst(8))
        }
        return nil
    }

    private static func application(_ component: Substring) -> RunContext.Confinement? {
        guard let unit = UnitName(component) else { return nil }
        if unit.type == "scope" || unit.type == "service", component.hasPrefix("snap.") {
            // snap.NAME.APP-UUID.scope, snap.NAME.APP.service, snap.NAME.hook.HOOK…
            let parts = component.split(separator: ".")
            if parts.count >= 4 { return .snap(String(parts[1])) }
        }
        if unit.type == "scope", unit.prefix.hasPrefix("app-flatpak-") {
            let name = unit.prefix.dropFirst(12)
            guard let dash = name.lastIndex(of: "-"), dash != name.startIndex,
                name[name.index(after: dash)...].utf8.allSatisfy({ (0x30...0x39).contains($0) })
            else { return nil }
            return .flatpak(UnitName.unescaped(name[..<dash]))
        }
        return nil
    }

    /// The AppImage whose mount a path lies in: `/tmp/.mount_NAMEXXXXXX/…`.
    static func appImage(_ path: String) -> RunContext.Confinement? {
        let components = path.split(separator: "/")
        guard components.count >= 3,
            let mount = components.dropLast().first(where: { $0.hasPrefix(".mount_") && $0.count > 13 })
        else { return nil }
        return .appImage(String(mount.dropFirst(7).dropLast(6)))
    }
}
