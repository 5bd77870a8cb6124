// SPDX-License-Identifier: Apache-2.0

// What is found on a Mac's system volume and on a Debian system, and what changes between two releases.

import Testing

@testable import CodeIdentity

extension Inventory {
    func program(_ path: String) throws -> InventoryProgram { try #require(programs.first { $0.path == path }) }

    var osPrograms: [String] { programs.filter(\.isOSProgram).map(\.path) }

    func service(_ name: String) throws -> InventoryService { try #require(services.first { $0.name == name }) }
}

@Suite("Inventory of a macOS volume") struct MacInventoryTests {
    private let volume = MacVolume()
    private let tick = "/\(MacVolume.xpc)/Contents/MacOS/tick"

    @Test("Programs and the dynamic linker are recorded, libraries are not")
    func programs() throws {
        let inventory = try volume.take()
        #expect(
            inventory.programs.map(\.path) == [
                "/Library/Tools/agent", tick, "/bin/sh", "/usr/lib/dyld", "/usr/libexec/clockd",
            ])
        #expect(inventory.header.system == "macOS 26.1 (25B78)")
        #expect(inventory.header.folders == ["/Library", "/System", "/bin", "/usr"])
        #expect(inventory.header.problems == [])
        #expect(inventory.header.takenAt == 1_795_000_000)
    }

    @Test("A slice says who signed it and by which requirement it is known")
    func slices() throws {
        let daemon = try volume.take().program("/usr/libexec/clockd")
        let slice = try #require(daemon.slices.first)
        #expect(daemon.problems == [])
        #expect((slice.arch, slice.signing, slice.signer) == ("arm64", "cms", "apple"))
        #expect(slice.identifier == "com.example.clockd")
        #expect(slice.designated == "identifier \"com.example.clockd\" and anchor apple")
        #expect(slice.cdhash?.count == 40)
        #expect(daemon.sha256?.count == 64)
    }

    @Test("Without Apple's root the signature is good and says nothing of Apple")
    func foreignRoot() throws {
        let inventory = try InventoryTaker(tree: volume.tree, vouching: nil, examiner: CodeExaminer(now: 0)).take()
        #expect(try inventory.program("/usr/libexec/clockd").slices[0].signer == "other")
        #expect(inventory.osPrograms == [])
    }

    @Test("The OS class is what Apple signed and the sealed system runs: not a shell that anybody's job starts")
    func osClass() throws {
        let inventory = try volume.take()
        #expect(inventory.osPrograms == [tick, "/usr/libexec/clockd"])
        #expect(try inventory.program("/bin/sh").runsFor == ["launch-daemon org.third"])
    }

    @Test("Jobs and XPC services name their programs, symbolic links followed")
    func services() throws {
        let inventory = try volume.take()
        #expect(
            inventory.services.map(\.inventoryName) == [
                "launch-agent org.third.agent", "launch-daemon com.example.clockd", "launch-daemon org.third",
                "xpc-service com.example.tick",
            ])
        #expect(try inventory.service("com.example.clockd").programs == ["/usr/libexec/clockd"])
        #expect(try inventory.service("com.example.tick").programs == [tick])
        #expect(try inventory.service("com.example.tick").file == "/" + MacVolume.xpc)
    }

    @Test("A bundle that ends in .xpc and says that it is something else is no XPC service")
    func otherBundle() throws {
        let path = MacVolume.xpc + "/Contents/Info.plist"
        volume.tree[path] = volume.tree[path]?.replacing("XPC!", with: "APPL")
        #expect(try !volume.take().services.contains { $0.kind == .xpcService })
    }

    @Test("A copy that lost its execute bits shows its Mach-O programs, and no file that is something else")
    func copies() throws {
        volume.tree.nodes["usr/libexec/copy"] = .file(volume.adHoc("org.third.copy"))
        volume.tree["usr/libexec/text"] = "#!/bin/sh\n"
        volume.tree["usr/libexec/private"] = "x"
        volume.tree.unreadable = ["usr/libexec/private"]
        let inventory = try volume.take(["/usr/libexec"])
        #expect(inventory.programs.map(\.path) == ["/usr/libexec/clockd", "/usr/libexec/copy"])
        #expect(inventory.header.problems == [])
        volume.tree["etc/os-release"] = ""
        #expect(try volume.take(["/usr/libexec"]).programs.map(\.path) == ["/usr/libexec/clockd"])
    }

    @Test("A job that cannot be read is named, and the others are recorded")
    func brokenJob() throws {
        volume.tree["System/Library/LaunchDaemons/broken.plist"] = "<plist"
        let inventory = try volume.take()
        #expect(inventory.services.count == 4)
        #expect(inventory.header.problems.count == 1)
        #expect(inventory.header.problems[0].contains("/System/Library/LaunchDaemons/broken.plist"))
    }

    @Test("Between two releases a daemon that moved is found again, and one that another signs is told")
    func releases() throws {
        let old = try volume.take()
        let place = "System/Library/PrivateFrameworks/Clock.framework/Versions/A/clockd"
        volume.tree.nodes["usr/libexec/clockd"] = nil
        volume.add(place, volume.apple("com.example.clockd", code: 9100))
        volume.tree.nodes["usr/libexec/current"] = .symbolicLink("../../\(place)")
        let xpcInfo = Array((volume.tree[MacVolume.xpc + "/Contents/Info.plist"] ?? "").utf8)
        volume.add(
            MacVolume.xpc + "/Contents/MacOS/tick",
            volume.sign(.developerID(), "com.example.tick", team: "TEAM123456", infoPlist: xpcInfo))
        volume.add("Library/Tools/agent", volume.adHoc("org.third.agent", code: 9200))

        let changes = InventoryChange.between(old, and: try volume.take())
        let byName = Dictionary(uniqueKeysWithValues: changes.map { ($0.name, $0) })
        #expect(
            Set(byName.keys) == ["/" + place, tick, "/Library/Tools/agent", "launch-daemon com.example.clockd"])
        let moved = try #require(byName["/" + place])
        #expect((moved.kind, moved.from, moved.isOSProgram) == (.moved, "/usr/libexec/clockd", true))
        let signer = try #require(byName[tick])
        #expect(signer.kind == .identity)
        #expect(!signer.isOSProgram)
        #expect(signer.fields.first { $0.name == "signer" } == .init(name: "signer", old: "apple", new: "developer-id"))
        #expect(byName["/Library/Tools/agent"]?.kind == .content)
    }

    @Test("A program that was changed after it was signed keeps its claim, and loses its signer and the OS class")
    func patched() throws {
        guard case .file(var bytes, _) = volume.tree.nodes[MacVolume.daemon] else { return }
        bytes[4200] ^= 1
        volume.add(MacVolume.daemon, bytes)
        let daemon = try volume.take().program("/usr/libexec/clockd")
        #expect(daemon.slices[0].identifier == "com.example.clockd")
        #expect(daemon.slices[0].signer == nil)
        #expect(daemon.problems.contains { $0.hasPrefix("page-mismatch") })
        #expect(!daemon.isOSProgram)
    }

    @Test("Asked for one folder, only its programs and their services are recorded")
    func oneFolder() throws {
        let inventory = try volume.take(["/usr/libexec"])
        #expect(inventory.programs.map(\.path) == ["/usr/libexec/clockd"])
        #expect(inventory.services.map(\.name) == ["com.example.clockd"])
        #expect(inventory.programs[0].isOSProgram)
        #expect(throws: CodeProblem(.notFound, "")) { try volume.take(["/nowhere"]) }
    }
}

#if os(Linux)
@Suite("Inventory of a Debian system") struct DebianInventoryTests {
    private let system: DebianSystem

    init() throws { system = try DebianSystem() }

    @Test("Executable programs and scripts are recorded, with package, owner, and what they change to")
    func programs() throws {
        let inventory = try system.take()
        #expect(
            inventory.programs.map(\.path) == [
                "/etc/init.d/own", "/usr/bin/report", "/usr/bin/su", "/usr/bin/tool", "/usr/sbin/daemond",
            ])
        #expect(inventory.header.system == "Debian GNU/Linux 12 (bookworm)")
        #expect(inventory.header.folders == ["/usr"])
        #expect(inventory.header.problems == [])
        let tool = try inventory.program("/usr/bin/tool")
        #expect(tool.package?.name == "tool")
        #expect(tool.package?.verdict == .intact)
        #expect(tool.rootOwned && !tool.changesUser)
        #expect(try inventory.program("/usr/bin/su").changesUser)
        #expect(try inventory.program("/usr/bin/report").interpreter == "/usr/bin/env python3")
    }

    @Test("A bare command is looked up where systemd does, aliases count once, and a mask is told")
    func units() throws {
        let inventory = try system.take()
        #expect(
            inventory.services.map(\.name) == ["daemon.service", "masked.service", "own.service", "user@.service"])
        let daemon = try inventory.service("daemon.service")
        #expect(daemon.programs == ["/usr/sbin/daemond"])
        #expect(daemon.file == "/usr/lib/systemd/system/daemon.service")
        #expect(daemon.package?.verdict == .intact)
        #expect(try inventory.service("user@.service").programs == ["/usr/bin/tool"])
        #expect(try inventory.service("masked.service").programs == [])
        #expect(try inventory.service("masked.service").problems.count == 1)
        #expect(try inventory.program("/usr/bin/tool").runsFor == ["systemd own.service", "systemd user@.service"])
    }

    @Test("The OS class wants a packaged unit: an administrator's own makes no program the system's")
    func osClass() throws {
        let inventory = try system.take()
        // `user@.service` runs a user's session.
        #expect(inventory.osPrograms == ["/usr/sbin/daemond"])
    }

    @Test("A drop-in changes what a unit starts, and takes it out of the OS class")
    func dropIn() throws {
        system.scratch.file(
            "etc/systemd/system/daemon.service.d/a.conf", "[Service]\nExecStart=\nExecStart=/usr/bin/tool\n")
        let inventory = try system.take()
        let daemon = try inventory.service("daemon.service")
        #expect(daemon.programs == ["/usr/bin/tool"])
        #expect(daemon.dropIns == ["/etc/systemd/system/daemon.service.d/a.conf"])
        #expect(inventory.osPrograms == [])
    }

    @Test("Drop-ins count in the order of their names, whatever folder they lie in, and one hides its namesakes")
    func dropInOrder() throws {
        let drop = { (text: String) in "[Service]\nExecStart=\nExecStart=\(text)\n" }
        system.scratch.folder("usr/lib/systemd/system/daemon.service.d")
        system.packaged("usr/lib/systemd/system/daemon.service.d/a.conf", drop("/usr/bin/su"))
        system.scratch.file("etc/systemd/system/daemon.service.d/b.conf", drop("/usr/bin/tool"))
        #expect(try system.take().service("daemon.service").programs == ["/usr/bin/tool"])
        system.packaged("usr/lib/systemd/system/daemon.service.d/z.conf", drop("/usr/bin/report"))
        #expect(try system.take().service("daemon.service").programs == ["/usr/bin/report"])
        system.scratch.link("etc/systemd/system/daemon.service.d/z.conf", to: "/dev/null")
        let daemon = try system.take().service("daemon.service")
        #expect(daemon.programs == ["/usr/bin/tool"])
        #expect(daemon.dropIns == ["b.conf", "z.conf"].map { "/etc/systemd/system/daemon.service.d/" + $0 })
    }

    @Test("After an upgrade and some tampering the comparison tells update, tampering and what is new")
    func releases() throws {
        let old = try system.take()
        #expect(InventoryChange.between(old, and: try system.take()) == [])
        system.packaged("usr/sbin/daemond", DebianSystem.elf("daemon, release 2"), 0o755)
        system.scratch.file("usr/bin/tool", DebianSystem.elf("something else"), 0o755)
        system.scratch.file("usr/bin/su", DebianSystem.elf("su"), 0o755)
        system.scratch.file("usr/bin/new", DebianSystem.elf("new"), 0o777)
        let changes = InventoryChange.between(old, and: try system.take())
        #expect(changes.map(\.name) == ["/usr/bin/new", "/usr/bin/su", "/usr/bin/tool", "/usr/sbin/daemond"])
        #expect(changes.map(\.kind) == [.appeared, .identity, .identity, .content])
        #expect(changes[1].fields == [.init(name: "changes-user", old: "true", new: "false")])
        #expect(changes[2].fields.first == .init(name: "verdict", old: "intact", new: "modified"))
        #expect(changes.map(\.isOSProgram) == [false, false, false, true])
    }
}
#endif
