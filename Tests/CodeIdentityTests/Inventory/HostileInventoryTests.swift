// SPDX-License-Identifier: Apache-2.0

// Trees that mean harm: loops, depths, numbers, and what cannot be read.

import FlowModel
import Testing

@testable import CodeIdentity

@Suite("Hostile trees") struct HostileInventoryTests {
    private func taker(_ tree: MemoryTree, _ bounds: InventoryTaker.Bounds = .init()) -> InventoryTaker {
        var taker = InventoryTaker(tree: tree, vouching: nil, examiner: CodeExaminer(now: 0))
        taker.bounds = bounds
        return taker
    }

    private func script(_ text: String = "#!/bin/sh\n") -> MemoryTree.Node {
        .file(Array(text.utf8), isExecutable: true)
    }

    @Test("A link is followed inside the tree only, and a loop of links ends")
    func links() throws {
        var tree = MemoryTree(["usr/bin/a": script(), "etc/passwd": script()])
        tree.nodes["bin"] = .symbolicLink("usr/bin")
        tree.nodes["up"] = .symbolicLink("../../../etc")
        tree.nodes["home"] = .symbolicLink("/usr")
        tree.nodes["round"] = .symbolicLink("about")
        tree.nodes["about"] = .symbolicLink("/round")
        #expect(try LinkedPath.resolve("/bin/a", in: tree) == "usr/bin/a")
        #expect(try LinkedPath.resolve("/up/passwd", in: tree) == "etc/passwd")
        #expect(try LinkedPath.resolve("/home/./bin/../bin//a", in: tree) == "usr/bin/a")
        #expect(try LinkedPath.resolve("/../..", in: tree) == "")
        #expect(try LinkedPath.resolve("/bin/a/b", in: tree) == nil)
        #expect(try LinkedPath.resolve("/bin/b", in: tree) == nil)
        #expect(throws: CodeProblem(.limit, "")) { try LinkedPath.resolve("/round", in: tree) }
        // The search itself follows none.
        #expect(try taker(tree).take(folders: ["/"]).programs.map(\.path) == ["/etc/passwd", "/usr/bin/a"])
    }

    @Test("A tree that is too deep is searched as far as the bound, and the rest is named")
    func depth() throws {
        let deep = (1...60).map { "d\($0)" }.joined(separator: "/")
        let tree = MemoryTree(["usr/\(deep)/x": script(), "usr/y": script()])
        var bounds = InventoryTaker.Bounds()
        bounds.depth = 10
        let inventory = try taker(tree, bounds).take()
        #expect(inventory.programs.map(\.path) == ["/usr/y"])
        #expect(inventory.header.problems.count == 1)
        #expect(inventory.header.problems[0].contains("/usr/d1/d2/"))
        #expect(try taker(tree).take().programs.count == 2)
    }

    @Test("At each bound the record says that it is cut")
    func bounds() throws {
        var tree = MemoryTree()
        for number in 10..<30 {
            tree.nodes["usr/bin/x\(number)"] = script()
            tree["usr/lib/systemd/system/x\(number).service"] = "[Service]\nExecStart=/usr/bin/x\(number)\n"
        }
        #expect(try taker(tree).take().header.problems == [])
        for (name, path) in [
            ("inventory.files", \InventoryTaker.Bounds.files), ("inventory.programs", \.programs),
            ("inventory.services", \.services),
        ] {
            var bounds = InventoryTaker.Bounds()
            bounds[keyPath: path] = 7
            let inventory = try taker(tree, bounds).take()
            #expect(inventory.header.problems.count == 1, "\(name)")
            #expect(inventory.header.problems.first?.contains(name) == true, "\(name)")
            #expect(min(inventory.programs.count, inventory.services.count) <= 7, "\(name)")
        }
    }

    @Test("A program that cannot be read is named once, though a service names it too")
    func unreadable() throws {
        var tree = MemoryTree(["usr/bin/a": script(), "usr/bin/b": script()])
        tree["usr/lib/systemd/system/a.service"] = "[Service]\nExecStart=/usr/bin/a\n"
        tree.unreadable = ["usr/bin/a"]
        let inventory = try taker(tree).take()
        #expect(inventory.programs.map(\.path) == ["/usr/bin/b"])
        #expect(inventory.header.problems == ["unreadable: /usr/bin/a: no"])
    }

    @Test("Whoever says stop is obeyed at the next file, and progress only ever grows")
    func progress() throws {
        let tree = MemoryTree([
            "usr/bin/a": script(), "usr/lib/b": script(), "usr/lib/c/d": script(), "opt/e": script(),
        ])
        var seen: [InventoryProgress] = []
        let inventory = try taker(tree).take {
            seen.append($0)
            return true
        }
        #expect(seen.map(\.files) == Array(1...seen.count))
        #expect(zip(seen, seen.dropFirst()).allSatisfy { $0.fraction <= $1.fraction && $0.programs <= $1.programs })
        #expect(seen.last.map { $0.fraction > 0.99 && $0.fraction <= 1 } == true)
        #expect(inventory.programs.count == 4)
        var calls = 0
        #expect(throws: CodeProblem(.inventoryCancelled, "")) {
            _ = try taker(tree).take { _ in
                calls += 1
                return calls < 2
            }
        }
        #expect(calls == 2)
    }

    @Test("A file that calls itself ELF and is none of the readable kind is recorded with a problem")
    func malformed() throws {
        let tree = MemoryTree(["usr/bin/x": .file([0x7f, 0x45, 0x4c, 0x46, 2, 1], isExecutable: true)])
        let program = try taker(tree).take().program("/usr/bin/x")
        #expect(program.problems.first?.hasPrefix("elf-malformed") == true)
        #expect(!program.isOSProgram)
    }

    @Test("A service with more programs than any real one has keeps the first, and says so")
    func manyCommands() throws {
        var tree = MemoryTree(["usr/bin/a": script()])
        let commands = (0..<200).map { "ExecStart=/usr/bin/a/../\($0)\n" }.joined()
        tree["etc/systemd/system/a.service"] = "[Service]\nExecStart=/usr/bin/a\n" + commands
        let service = try taker(tree).take().service("a.service")
        #expect(service.programs == ["/usr/bin/a"])
        #expect(service.problems.count == CodeIdentityLimits.inventoryProblems.value)
        #expect(service.problems[0].contains("inventory.service-programs"))
    }

    @Test("A name that is too long is cut, and is a problem")
    func longName() throws {
        let volume = MacVolume()
        volume.add(MacVolume.daemon, volume.adHoc(String(repeating: "x", count: 5000)))
        let daemon = try volume.take().program("/usr/libexec/clockd")
        #expect(daemon.slices[0].identifier?.utf8.count == CodeIdentityLimits.inventoryText.value)
        #expect(daemon.problems.contains { $0.contains("inventory.text") })
    }

    @Test("A signed program cut anywhere, or with any byte changed, never traps and is never of the OS class")
    func mutations() throws {
        let volume = MacVolume()
        guard case .file(let bytes, _) = volume.tree.nodes[MacVolume.daemon] else { return }
        for length in stride(from: 0, to: bytes.count, by: 97) {
            volume.add(MacVolume.daemon, Array(bytes.prefix(length)))
            #expect(try volume.take(["/usr/libexec"]).osPrograms == [], "\(length)")
        }
        for place in stride(from: 0, to: 9000, by: 301) {
            var changed = bytes
            changed[place] ^= 0x55
            volume.add(MacVolume.daemon, changed)
            #expect(try volume.take(["/usr/libexec"]).osPrograms == [], "\(place)")
        }
    }

    #if os(Linux)
    @Test(
        "Pipes, links out of the tree and names that are not UTF-8 on a real disk are passed over, the last one named")
    func onDisk() throws {
        let system = try DebianSystem()
        system.scratch.pipe("usr/bin/pipe")
        system.scratch.link("usr/bin/out", to: "/bin/sh")
        system.scratch.link("usr/self", to: ".")
        system.scratch.nameless("usr/bin")
        system.scratch.folder("usr/locked", 0o000)
        defer {
            system.scratch.unlock("usr/locked")
            system.scratch.removeNameless("usr/bin")
        }
        let inventory = try system.take()
        #expect(inventory.programs.count == 5)
        let problems = inventory.header.problems.filter { !$0.contains("/usr/locked") }
        #expect(problems == ["unreadable: /usr/bin: a name that is not UTF-8 was passed over"])
        // Nothing is closed to root.
        #expect(inventory.header.problems.count == (system.scratch.isRoot ? 1 : 2))
    }
    #endif
}
