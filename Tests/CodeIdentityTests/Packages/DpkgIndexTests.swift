// SPDX-License-Identifier: Apache-2.0

// What dpkg's database says of a path.

import Testing

@testable import CodeIdentity

@Suite("dpkg index") struct DpkgIndexTests {
    @Test("A packaged file has its package, architecture, version and digest")
    func owner() throws {
        let files = MemoryPackageFiles([
            "status": entry("hello"),
            "info/hello.list": "/.\n/usr\n/usr/bin\n/usr/bin/hello\n/usr/share\n/usr/share/hello link\n",
            "info/hello.md5sums": "\(digits("a"))  usr/bin/hello\n",
        ])
        let index = try DpkgIndex.read(from: files)
        let owner = try #require(index.owner(of: "/usr/bin/hello"))
        #expect(
            owner == PackageFile(package: "hello", architecture: "amd64", version: "1.0-1", digest: md5(0xaa)))
        // A link has no digest; a path may hold a space.
        #expect(index.owner(of: "/usr/share/hello link")?.digest == nil)
        #expect(index.owner(of: "/usr/share/hello link")?.package == "hello")
        #expect(index.problems == [])
    }

    @Test(
        "A path that only resembles a packaged one has no owner",
        arguments: [
            "", "/", "/.", "usr/bin/hello", "/usr/bin/hell", "/usr/bin/hello2", "/usr/bin//hello", "/usr/bin/hello/",
            "/usr/binhello", "/usr/bin", "/hello", "/usr/bin/\u{0}hello",
        ])
    func stranger(path: String) throws {
        let files = MemoryPackageFiles([
            "status": entry("hello"), "info/hello.list": "/.\n/usr\n/usr/bin\n/usr/bin/hello\n",
        ])
        #expect(try DpkgIndex.read(from: files).owners(of: path) == [])
    }

    @Test("A file is found by the kernel's name and by the old one where /bin is a link")
    func merged() throws {
        let files = MemoryPackageFiles(
            [
                "status": entry("coreutils") + entry("libc6"),
                "info/coreutils.list": "/bin\n/bin/ls\n", "info/coreutils.md5sums": "\(digits("1"))  bin/ls\n",
                "info/libc6.list": "/lib\n/lib/x86\n/lib/x86/libc.so.6\n/library/not-merged\n",
            ], links: mergedLinks)
        let index = try DpkgIndex.read(from: files)
        #expect(index.owner(of: "/usr/bin/ls")?.digest == md5(0x11))
        #expect(index.owner(of: "/bin/ls")?.digest == md5(0x11))
        #expect(index.owner(of: "/usr/lib/x86/libc.so.6")?.package == "libc6")
        #expect(index.owner(of: "/library/not-merged")?.package == "libc6")
        #expect(index.owner(of: "/usr/library/not-merged") == nil)
    }

    @Test("Where /bin is a folder of its own, /usr/bin has other files")
    func unmerged() throws {
        let files = MemoryPackageFiles(["status": entry("coreutils"), "info/coreutils.list": "/bin\n/bin/ls\n"])
        let index = try DpkgIndex.read(from: files)
        #expect(index.owner(of: "/bin/ls")?.package == "coreutils")
        #expect(index.owner(of: "/usr/bin/ls") == nil)
    }

    @Test("A diverted path belongs to the package that diverts it, the other's file lies where it was moved")
    func diversion() throws {
        let files = MemoryPackageFiles(
            [
                "status": entry("bash") + entry("dash"),
                "diversions": "/bin/sh\n/bin/sh.distrib\ndash\n",
                "info/bash.list": "/bin/sh\n", "info/bash.md5sums": "\(digits("1"))  bin/sh\n",
                "info/dash.list": "/bin/sh\n", "info/dash.md5sums": "\(digits("2"))  bin/sh\n",
            ], links: mergedLinks)
        let index = try DpkgIndex.read(from: files)
        #expect(index.owners(of: "/usr/bin/sh").map(\.package) == ["dash"])
        #expect(index.owner(of: "/usr/bin/sh")?.digest == md5(0x22))
        #expect(index.owners(of: "/usr/bin/sh.distrib").map(\.package) == ["bash"])
        #expect(index.owner(of: "/usr/bin/sh.distrib")?.digest == md5(0x11))
    }

    @Test("A path that the administrator diverts has no owner; the file lies where it was moved")
    func localDiversion() throws {
        let files = MemoryPackageFiles([
            "status": entry("tool"), "diversions": "/usr/bin/tool\n/usr/bin/tool.real\n:\n",
            "info/tool.list": "/usr/bin/tool\n", "info/tool.md5sums": "\(digits("1"))  usr/bin/tool\n",
        ])
        let index = try DpkgIndex.read(from: files)
        #expect(index.owner(of: "/usr/bin/tool") == nil)
        #expect(index.owner(of: "/usr/bin/tool.real")?.digest == md5(0x11))
    }

    @Test("Each architecture of a package has its own list, and a shared file all of them as owners")
    func multiArch() throws {
        let same = "Multi-Arch: same\n"
        let files = MemoryPackageFiles([
            "status": entry("libc6", more: same) + entry("libc6", architecture: "i386", more: same),
            "info/libc6:amd64.list": "/lib/x86_64/libc.so\n/usr/share/doc/libc6/copyright\n",
            "info/libc6:amd64.md5sums":
                "\(digits("1"))  lib/x86_64/libc.so\n\(digits("3"))  usr/share/doc/libc6/copyright\n",
            "info/libc6:i386.list": "/lib/i386/libc.so\n/usr/share/doc/libc6/copyright\n",
            "info/libc6:i386.md5sums":
                "\(digits("2"))  lib/i386/libc.so\n\(digits("3"))  usr/share/doc/libc6/copyright\n",
        ])
        let index = try DpkgIndex.read(from: files)
        #expect(index.owner(of: "/lib/x86_64/libc.so")?.architecture == "amd64")
        #expect(index.owner(of: "/lib/i386/libc.so")?.architecture == "i386")
        let shared = index.owners(of: "/usr/share/doc/libc6/copyright")
        #expect(shared.map(\.architecture) == ["amd64", "i386"])
        #expect(shared.map(\.digest) == [md5(0x33), md5(0x33)])
        #expect(index.problems == [])
    }

    @Test("A digest left behind for a file that another package took over is not believed")
    func takenOver() throws {
        let files = MemoryPackageFiles([
            "status": entry("new") + entry("old"),
            "info/new.list": "/usr/bin/tool\n", "info/new.md5sums": "\(digits("2"))  usr/bin/tool\n",
            // dpkg takes the path out of the list, but leaves the digests alone.
            "info/old.list": "/usr/bin/other\n",
            "info/old.md5sums": "\(digits("1"))  usr/bin/tool\n\(digits("1"))  usr/bin/other\n",
        ])
        let index = try DpkgIndex.read(from: files)
        #expect(index.owners(of: "/usr/bin/tool").map(\.package) == ["new"])
        #expect(index.owner(of: "/usr/bin/tool")?.digest == md5(0x22))
    }

    @Test("A configuration file has the digest of the status file, whatever stands behind it")
    func conffiles() throws {
        let conffiles = """
            Conffiles:
             /etc/a \(digits("1"))
             /etc/with space \(digits("2")) obsolete
             /etc/gone \(digits("3")) obsolete remove-on-upgrade
             /etc/new newconffile

            """
        let files = MemoryPackageFiles([
            "status": entry("tool", more: conffiles),
            "info/tool.list": "/etc/a\n/etc/with space\n/etc/gone\n/etc/new\n/usr/bin/tool\n",
        ])
        let index = try DpkgIndex.read(from: files)
        #expect(index.owner(of: "/etc/a")?.digest == md5(0x11))
        #expect(index.owner(of: "/etc/a")?.conffile == true)
        #expect(index.owner(of: "/etc/with space")?.digest == md5(0x22))
        #expect(index.owner(of: "/etc/gone")?.digest == md5(0x33))
        #expect(index.owner(of: "/etc/new")?.digest == nil)
        #expect(index.owner(of: "/usr/bin/tool")?.conffile == false)
        #expect(index.problems == [])
    }

    @Test(
        "Only a package that is installed is settled",
        arguments: [
            ("install ok installed", true), ("install ok triggers-pending", true), ("hold ok installed", true),
            ("install ok triggers-awaited", true), ("install ok unpacked", false), ("install ok half-installed", false),
            ("install ok half-configured", false), ("install reinstreq installed", false),
        ])
    func states(state: String, settled: Bool) throws {
        let files = MemoryPackageFiles(["status": entry("tool", state), "info/tool.list": "/usr/bin/tool\n"])
        #expect(try DpkgIndex.read(from: files).owner(of: "/usr/bin/tool")?.settled == settled)
    }

    @Test("A removed package owns what is left of it, and vouches for none of it; a purged one owns nothing")
    func removed() throws {
        let files = MemoryPackageFiles([
            "status": entry("gone", "deinstall ok config-files", more: "Conffiles:\n /etc/gone \(digits("1"))\n")
                + entry("purged", "purge ok not-installed"),
            "info/gone.list": "/etc/gone\n", "info/gone.md5sums": "\(digits("1"))  etc/gone\n",
            "info/purged.list": "/etc/purged\n",
        ])
        let index = try DpkgIndex.read(from: files)
        #expect(index.owner(of: "/etc/gone")?.package == "gone")
        #expect(index.owner(of: "/etc/gone")?.digest == nil)
        #expect(index.owner(of: "/etc/purged") == nil)
    }

    @Test("The journal replaces what the status file says, in the order of its numbers")
    func journal() throws {
        let files = MemoryPackageFiles([
            "status": entry("tool"), "info/tool.list": "/usr/bin/tool\n",
            "updates/0001": entry("tool"), "updates/0000": entry("tool", "install ok half-installed"),
            "updates/tmp.i": "half an en",
        ])
        let index = try DpkgIndex.read(from: files)
        #expect(index.owner(of: "/usr/bin/tool")?.settled == true)
        #expect(index.isInTransaction())
        #expect(index.problems == [])
        files.set("updates/0002", entry("tool", "install ok half-installed"))
        #expect(try DpkgIndex.read(from: files).owner(of: "/usr/bin/tool")?.settled == false)
    }

    @Test("An index is outdated as soon as status, diversions, journal or a list changes, and a new one is current")
    func generation() throws {
        let files = MemoryPackageFiles(["status": entry("tool"), "info/tool.list": "/usr/bin/tool\n"])
        var index = try DpkgIndex.read(from: files)
        for name in ["status", "diversions", "info/tool.list", "info/other.list", "updates/0000"] {
            #expect(index.isCurrent())
            files.set(name, name == "status" ? entry("tool") : "")
            #expect(!index.isCurrent(), "\(name)")
            #expect(index.isInTransaction(), "\(name)")
            index = try DpkgIndex.read(from: files)
        }
    }

    @Test("What changes while it is read makes an outdated index")
    func changedMeanwhile() throws {
        let files = MemoryPackageFiles(["status": entry("tool"), "info/tool.list": "/usr/bin/tool\n"])
        files.onRead { files, path in if path.hasSuffix(".list") { files.set("status", entry("tool")) } }
        let index = try DpkgIndex.read(from: files)
        #expect(index.owner(of: "/usr/bin/tool")?.package == "tool")
        #expect(!index.isCurrent())
    }

    @Test("dpkg's lock is a transaction")
    func locked() throws {
        let files = MemoryPackageFiles(["status": entry("tool"), "info/tool.list": "/usr/bin/tool\n"])
        let index = try DpkgIndex.read(from: files)
        #expect(!index.isInTransaction())
        files.lock("var/lib/dpkg/lock")
        #expect(index.isInTransaction())
    }

    @Test("Without a status file there is no index, without anything else there is")
    func missing() throws {
        #expect(throws: CodeProblem(.unreadable, "")) { try DpkgIndex.read(from: MemoryPackageFiles()) }
        let index = try DpkgIndex.read(from: MemoryPackageFiles(["status": entry("tool")]))
        #expect(index.problems.map(\.code) == [.packageList])
    }

    @Test("A line without form costs itself, and is told by file and line")
    func malformed() throws {
        let files = MemoryPackageFiles([
            "status": entry("tool") + "Package: nameless\n\nStatus: install ok installed\n\nno colon\n",
            "info/tool.list":
                "relative\n/usr/bin/tool\n/usr/bin/\(String(repeating: "n", count: 256))\n/usr/bin/last\n",
            "info/tool.md5sums": "short\n\(digits("g"))  usr/bin/tool\n\(digits("1"))  usr/bin/tool\n",
            "info/orphan.list": "/usr/bin/orphan\n",
        ])
        let index = try DpkgIndex.read(from: files)
        #expect(index.owner(of: "/usr/bin/tool")?.digest == md5(0x11))
        #expect(index.owner(of: "/usr/bin/last")?.package == "tool")
        #expect(index.owner(of: "/usr/bin/orphan") == nil)
        let codes = index.problems.map(\.code)
        #expect(codes.count { $0 == .packageEntry } == 3)
        #expect(codes.count { $0 == .packageLine } == 5)
        #expect(codes.count { $0 == .packageList } == 1)
        #expect(index.problems.contains { $0.detail.hasPrefix("info/tool.md5sums line 2:") })
    }

    @Test("A tail without a line feed is never believed")
    func tail() throws {
        let files = MemoryPackageFiles([
            "status": entry("tool"), "info/tool.list": "/usr/bin/to\n/usr/bin/tool",
            "info/tool.md5sums": "\(digits("1"))  usr/bin/to\n\(digits("2"))  usr/bin/to",
        ])
        let index = try DpkgIndex.read(from: files)
        #expect(index.owner(of: "/usr/bin/tool") == nil)
        #expect(index.owner(of: "/usr/bin/to")?.digest == md5(0x11))
        #expect(index.problems.map(\.code) == [.packageCut, .packageCut])
    }
}
