// SPDX-License-Identifier: Apache-2.0

// Unit files and drop-ins on disk.

import Testing

@testable import CodeIdentity

@Suite("UnitLookup") struct UnitLookupTests {
    private func lookup(
        _ name: String, files: [String], links: [String: String] = [:], empty: Set<String> = []
    ) throws -> UnitLookup {
        let system = SimulatedSystem { state in
            state.files = [:]
            for file in files { state.files[file] = SimulatedFile(1, empty.contains(file) ? "" : "x") }
            state.links = links
            state.folders = Set(UnitLookup.folders)
        }
        return UnitLookup(try #require(UnitName(name)), in: system)
    }

    @Test("The local file wins over the packaged one, and a transient one over both")
    func precedence() throws {
        let vendor = "/usr/lib/systemd/system/a.service"
        let local = "/etc/systemd/system/a.service"
        let transient = "/run/systemd/transient/a.service"
        #expect(try lookup("a.service", files: [vendor]).file == vendor)
        #expect(try lookup("a.service", files: [vendor, local]).file == local)
        #expect(try lookup("a.service", files: [vendor, local, transient]).file == transient)
        #expect(try lookup("b.service", files: [vendor]).file == nil)
    }

    @Test("An instance has its template's file, unless it has its own anywhere")
    func templates() throws {
        let template = "/etc/systemd/system/getty@.service"
        let own = "/usr/lib/systemd/system/getty@tty1.service"
        #expect(try lookup("getty@tty1.service", files: [template]).file == template)
        #expect(try lookup("getty@tty1.service", files: [template, own]).file == own)
    }

    @Test("A linked file counts where it lies, and a loop ends")
    func links() throws {
        let found = try lookup(
            "a.service", files: ["/opt/a/a.service"],
            links: ["/etc/systemd/system/a.service": "../../../opt/a/a.service"])
        #expect(found.file == "/opt/a/a.service")
        let loop = try lookup("a.service", files: [], links: ["/etc/systemd/system/a.service": "a.service"])
        #expect(loop.file == nil)
    }

    @Test("A link to /dev/null or an empty file masks the unit, whatever its package brought")
    func masked() throws {
        let vendor = "/usr/lib/systemd/system/a.service"
        let local = "/etc/systemd/system/a.service"
        let linked = try lookup("a.service", files: [vendor], links: [local: "/dev/null"])
        #expect(linked.masked && linked.file == nil)
        #expect(try lookup("a.service", files: [vendor, local], empty: [local]).masked)
    }

    @Test("Drop-ins of the name, its prefixes, its template, its type and its aliases are found")
    func dropIns() throws {
        let etc = "/etc/systemd/system"
        let found = try lookup(
            "foo-bar@x.service",
            files: [
                "/usr/lib/systemd/system/foo-bar@.service", "\(etc)/foo-bar@x.service.d/1.conf",
                "\(etc)/foo-bar@.service.d/2.conf",
                "\(etc)/foo-@.service.d/3.conf", "/run/systemd/system/service.d/4.conf",
                "\(etc)/other@.service.d/5.conf",
                "\(etc)/foo-bar@x.service.d/README", "\(etc)/unrelated.service.d/6.conf",
            ], links: ["\(etc)/other@.service": "/usr/lib/systemd/system/foo-bar@.service"])
        #expect(
            found.dropIns == [
                "\(etc)/foo-bar@x.service.d/1.conf", "\(etc)/foo-bar@.service.d/2.conf",
                "\(etc)/foo-@.service.d/3.conf",
                "/run/systemd/system/service.d/4.conf", "\(etc)/other@.service.d/5.conf",
            ])
    }

    @Test("Paths are resolved by their text, and do not leave the root")
    func paths() {
        #expect(AbsolutePath.resolve("../b/./c", from: "/a/x") == "/a/b/c")
        #expect(AbsolutePath.resolve("../../../../etc", from: "/a") == "/etc")
        #expect(AbsolutePath.resolve("/x//y/", from: "/a") == "/x/y")
        #expect(AbsolutePath.folder(of: "/a") == "/" && AbsolutePath.folder(of: "/a/b") == "/a")
    }
}
