// SPDX-License-Identifier: Apache-2.0

// What two inventories differ in.

import Testing

@testable import CodeIdentity

@Suite("Inventory diff") struct InventoryDiffTests {
    private func inventory(_ programs: [InventoryProgram], _ services: [InventoryService] = []) -> Inventory {
        Inventory(
            header: .init(system: "test", folders: ["/"], takenAt: 0), programs: programs, services: services)
    }

    private func program(
        _ path: String, sha256: String = "aa", version: String = "1", verdict: PackageVerdict = .intact,
        runsFor: [String] = ["systemd x.service"]
    ) -> InventoryProgram {
        InventoryProgram(
            path: path, kind: .elf, size: 10, sha256: sha256, rootOwned: true,
            package: .init(PackageClaim(package: "x", architecture: "amd64", version: version, verdict: verdict)),
            runsFor: runsFor, runsForSystem: !runsFor.isEmpty)
    }

    private func signed(
        _ path: String, identifier: String = "com.example.d", signer: String? = "apple", cdhash: String = "01",
        designated: String = "identifier \"com.example.d\" and anchor apple"
    ) -> InventoryProgram {
        InventoryProgram(
            path: path, kind: .machO, size: 10, sha256: cdhash,
            slices: [
                .init(
                    arch: "arm64", signing: "cms", identifier: identifier, cdhash: cdhash, signer: signer,
                    designated: designated)
            ], runsFor: ["launch-daemon com.example.d"], runsForSystem: true)
    }

    @Test("The same inventory twice has no differences")
    func same() {
        let one = inventory([program("/usr/bin/x"), signed("/usr/libexec/d")])
        #expect(InventoryChange.between(one, and: one).isEmpty)
    }

    @Test("An update of a package is a change of content, and names version and digest")
    func content() throws {
        let changes = InventoryChange.between(
            inventory([program("/usr/bin/x")]), and: inventory([program("/usr/bin/x", sha256: "bb", version: "2")]))
        let change = try #require(changes.first)
        #expect(changes.count == 1)
        #expect(change.kind == .content)
        #expect(change.fields.map(\.name) == ["version", "sha256"])
        #expect(change.fields.map(\.old) == ["1", "aa"])
        #expect(change.fields.map(\.new) == ["2", "bb"])
        #expect(change.isOSProgram)
    }

    @Test("A modified file is a change of identity, and no program of the OS any more")
    func modified() throws {
        let changes = InventoryChange.between(
            inventory([program("/usr/bin/x")]),
            and: inventory([program("/usr/bin/x", sha256: "bb", verdict: .modified)]))
        let change = try #require(changes.first)
        #expect(change.kind == .identity)
        #expect(change.fields.map(\.name) == ["os-program", "verdict", "sha256"])
        #expect(!change.isOSProgram)
    }

    @Test("Another signer under the same path and identifier is a change of identity")
    func signer() throws {
        let changes = InventoryChange.between(
            inventory([signed("/usr/libexec/d")]),
            and: inventory([
                signed("/usr/libexec/d", signer: nil, cdhash: "02", designated: "cdhash H\"02\"")
            ]))
        let change = try #require(changes.first)
        #expect(change.kind == .identity)
        #expect(change.fields.map(\.name) == ["os-program", "signer", "designated", "sha256", "cdhash"])
    }

    @Test("A new hash in the requirement of ad-hoc code is content, since it is nothing but its hash")
    func adHoc() throws {
        let old = signed("/opt/tool", signer: nil, cdhash: "01", designated: "cdhash H\"01\"")
        let new = signed("/opt/tool", signer: nil, cdhash: "02", designated: "cdhash H\"02\"")
        let change = try #require(InventoryChange.between(inventory([old]), and: inventory([new])).first)
        #expect(change.kind == .content)
    }

    @Test("A daemon that an update moves and rebuilds is found again by its signed identity")
    func moved() throws {
        let changes = InventoryChange.between(
            inventory([signed("/usr/libexec/d"), program("/usr/bin/x")]),
            and: inventory([signed("/System/Library/d", cdhash: "02"), program("/usr/bin/x")]))
        let change = try #require(changes.first)
        #expect(changes.count == 1)
        #expect(change.kind == .moved)
        #expect(change.name == "/System/Library/d")
        #expect(change.from == "/usr/libexec/d")
    }

    @Test("What appeared or vanished is told with all that is known of it")
    func known() throws {
        let (none, one) = (inventory([]), inventory([program("/usr/bin/x")]))
        let appeared = try #require(InventoryChange.between(none, and: one).first)
        #expect(appeared.fields.first { $0.name == "package" } == .init(name: "package", old: nil, new: "x"))
        #expect(appeared.fields.allSatisfy { $0.old == nil && $0.new != nil })
        let vanished = try #require(InventoryChange.between(one, and: none).first)
        #expect(vanished.kind == .vanished)
        #expect(vanished.fields.map(\.old) == appeared.fields.map(\.new))
    }

    @Test("Two candidates for one origin are not guessed at: they appeared, it vanished")
    func ambiguous() {
        let changes = InventoryChange.between(
            inventory([signed("/a")]), and: inventory([signed("/b", cdhash: "02"), signed("/c", cdhash: "03")]))
        #expect(changes.map(\.kind) == [.vanished, .appeared, .appeared])
    }

    @Test("A service whose program, package or drop-ins change is a change of identity")
    func service() throws {
        let old = InventoryService(kind: .systemd, name: "x.service", file: "/lib/x.service", programs: ["/usr/bin/x"])
        var new = old
        new.dropIns = ["/etc/systemd/system/x.service.d/override.conf"]
        let change = try #require(
            InventoryChange.between(inventory([], [old]), and: inventory([], [new])).first)
        #expect(change.kind == .identity)
        #expect(change.subject == .service)
        #expect(change.name == "systemd x.service")
        #expect(change.fields == [.init(name: "drop-ins", old: nil, new: new.dropIns[0])])
    }

    @Test(
        "The OS class wants a service, an intact package, root's ownership and an ordinary role, or Apple's signature")
    func osClass() {
        #expect(program("/usr/bin/x").isOSProgram)
        #expect(!program("/usr/bin/x", runsFor: []).isOSProgram)
        #expect(!program("/usr/bin/x", verdict: .noDigest).isOSProgram)
        var other = program("/usr/bin/x")
        other.rootOwned = false
        #expect(!other.isOSProgram)
        other = program("/usr/bin/x")
        other.role = .interpreter
        #expect(!other.isOSProgram)
        #expect(signed("/d").isOSProgram)
        var shell = signed("/bin/sh")
        shell.role = .interpreter
        #expect(!shell.isOSProgram)
        var foreign = signed("/d")
        foreign.runsForSystem = false
        #expect(!foreign.isOSProgram)
        #expect(!program("/opt/x/x").isOSProgram)
        #expect(!signed("/d", signer: "developer-id").isOSProgram)
        var mixed = signed("/d")
        mixed.slices.append(.init(arch: "x86_64", signing: "unsigned"))
        #expect(!mixed.isOSProgram)
    }

    @Test("A service is the system's when it is packaged, unchanged, and does not carry what users ask for")
    func systemService() {
        let package = InventoryProgram.Package(PackageClaim(package: "x", verdict: .intact))
        var unit = InventoryService(kind: .systemd, name: "x.service", file: "/lib/x.service", package: package)
        #expect(unit.isSystemService)
        unit.name = "cron.service"
        #expect(!unit.isSystemService)
        unit.name = "x.service"
        unit.dropIns = ["/etc/systemd/system/x.service.d/a.conf"]
        #expect(!unit.isSystemService)
        func job(_ file: String) -> Bool {
            InventoryService(kind: .launchDaemon, name: "x", file: file).isSystemService
        }
        #expect(job("/System/Library/LaunchDaemons/x.plist"))
        #expect(!job("/Library/LaunchDaemons/x.plist"))
        #expect(!job("/System/Volumes/Data/Library/LaunchDaemons/x.plist"))
    }

    @Test("Names that only look alike are two names, and a second job cannot hide behind the label of a first")
    func lookAlikes() {
        let composed = program("/usr/bin/caf\u{e9}")
        let decomposed = program("/usr/bin/cafe\u{301}", sha256: "bb")
        let changes = InventoryChange.between(inventory([composed]), and: inventory([composed, decomposed]))
        #expect(changes.map(\.kind) == [.appeared])

        let job = InventoryService(kind: .launchDaemon, name: "x", file: "/Library/Apple/x.plist")
        var second = job
        second.file = "/Library/LaunchDaemons/x.plist"
        #expect(
            InventoryChange.between(inventory([], [job]), and: inventory([], [job, second])).map(\.kind) == [.appeared])
    }
}
