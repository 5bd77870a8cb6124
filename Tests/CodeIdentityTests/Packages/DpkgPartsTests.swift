// SPDX-License-Identifier: Apache-2.0

// The parts that the dpkg index is made of.

import Testing

@testable import CodeIdentity

@Suite("dpkg status") struct DpkgStatusTests {
    private func read(_ text: String) -> (DpkgStatus, [CodeProblem]) {
        var status = DpkgStatus()
        var problems = ProblemList()
        status.read(Array(text.utf8), file: "status", problems: &problems)
        return (status, problems.all)
    }

    @Test("Field names are read in any case, values without the blanks around them")
    func fields() throws {
        let (status, problems) = read(
            "PACKAGE:tool \nstatus:\tinstall ok installed\nMulti-arch: same\nArchitecture: arm64\n")
        let package = try #require(status.packages.first)
        #expect(package.name == "tool")
        #expect(package.state == .settled)
        #expect(package.stem == "tool:arm64")
        #expect(problems == [])
    }

    @Test("A package told twice counts as told last, and is a problem")
    func twice() {
        let (status, problems) = read(entry("tool") + entry("tool", "install ok unpacked"))
        #expect(status.packages.map(\.state) == [.unsettled])
        #expect(problems.map(\.code) == [.packageEntry])
    }

    @Test("An entry whose end is cut off is left out")
    func cut() {
        let (status, problems) = read(entry("whole") + "Package: tool\nStatus: install ok installed\nVersion: 1.")
        #expect(status.packages.map(\.name) == ["whole"])
        #expect(problems.map(\.code) == [.packageCut])
    }

    @Test(
        "A configuration file without path or digest is a problem",
        arguments: [
            " /etc/a", " \(digits("1"))", " etc/a \(digits("1"))", " /etc/a 123", " obsolete", " /etc/a obsolete", " ",
        ])
    func conffile(line: String) {
        let (status, problems) = read(entry("tool", more: "Conffiles:\n\(line)\n"))
        #expect(status.packages.first?.conffiles.count == 0)
        #expect(problems.map(\.code) == [.packageLine])
        #expect(problems.first?.detail.hasPrefix("status line 6:") == true)
    }
}

@Suite("dpkg diversions") struct DpkgDiversionsTests {
    @Test("A diversion without its three lines, or of a path that is diverted already, is left out")
    func malformed() {
        var problems = ProblemList()
        let text = "/a\n/b\np\nrelative\n/c\np\n/a\n/d\np\n/e\n/f\n\n/g\n/h\n"
        let diversions = DpkgDiversions(Array(text.utf8), file: "diversions", problems: &problems)
        #expect(diversions.target(of: Array("/a".utf8), in: "q") == Array("/b".utf8))
        #expect(diversions.target(of: Array("/a".utf8), in: "p") == nil)
        #expect(diversions.target(of: Array("/g".utf8), in: "q") == nil)
        #expect(problems.all.map(\.code) == [.packageLine, .packageLine, .packageLine, .packageCut])
        #expect(problems.all.map(\.offset) == [8, 22, 30, 37])
    }
}

@Suite("Merged folders") struct MergedFoldersTests {
    private func fold(_ path: String, _ links: [String: String]) -> String? {
        var problems = ProblemList()
        let folders = MergedFolders(of: MemoryPackageFiles(links: links), problems: &problems)
        return folders.folded(Array(path.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("Links into /usr are folded, relative and absolute ones")
    func folded() {
        #expect(fold("/bin/ls", mergedLinks) == "/usr/bin/ls")
        #expect(fold("/lib64/ld.so", mergedLinks) == "/usr/lib64/ld.so")
        #expect(fold("/sbin/ip", ["sbin": "/usr/sbin"]) == "/usr/sbin/ip")
        #expect(fold("/lib32/x", ["lib32": "usr/lib32"]) == "/usr/lib32/x")
    }

    @Test("Where /usr/sbin is a link as well, both lead to /usr/bin")
    func twice() {
        let links = ["sbin": "usr/sbin", "usr/sbin": "bin", "lib64": "usr/lib"]
        #expect(fold("/sbin/ip", links) == "/usr/bin/ip")
        #expect(fold("/usr/sbin/ip", links) == "/usr/bin/ip")
        #expect(fold("/lib64/ld.so", links) == "/usr/lib/ld.so")
    }

    @Test("Other links and other paths are left alone")
    func untouched() {
        #expect(fold("/bin/ls", [:]) == nil)
        #expect(fold("/bin/ls", ["bin": "opt/bin"]) == nil)
        #expect(fold("/bin/ls", ["bin": "usr/../tmp"]) == nil)
        #expect(fold("/bin/ls", ["bin": "usr/.."]) == nil)
        #expect(fold("/bin/ls", ["bin": "usr/"]) == nil)
        #expect(fold("/lib/x", ["lib": "usr/lib/deep"]) == nil)
        #expect(fold("/opt/x", ["opt": "usr/opt"]) == nil)
        #expect(fold("/bin", mergedLinks) == nil)
        #expect(fold("/binary", mergedLinks) == nil)
    }
}

@Suite("Package path table") struct PackagePathTableTests {
    @Test("A hundred thousand paths are found with their owners and digests, and no others")
    func many() {
        var table = PackagePathTable()
        func path(_ number: Int) -> [UInt8] { Array("/usr/share/folder-\(number / 50)/file-\(number)".utf8) }
        for number in 0..<100_000 {
            #expect(table.add(path(number), package: UInt16(number % 800)) == .added)
            if number % 2 == 0 {
                table.set(
                    MD5Digest(high: UInt64(number), low: 7), conffile: false, of: path(number),
                    package: UInt16(number % 800))
            }
        }
        table.finish()
        for number in 0..<100_000 {
            var found: [PackagePathTable.Entry] = []
            table.owners(of: path(number)) {
                found.append($0); return true
            }
            #expect(found.map(\.package) == [UInt16(number % 800)])
            #expect(found.first?.digest == (number % 2 == 0 ? MD5Digest(high: UInt64(number), low: 7) : nil))
        }
        for number in 100_000..<101_000 {
            table.owners(of: path(number)) { _ in
                Issue.record("found"); return false
            }
        }
    }

    @Test("Paths with the same hash would still be told apart, by folder and by name")
    func compared() {
        var table = PackagePathTable()
        #expect(table.add(Array("/usr/bin/tool".utf8), package: 1) == .added)
        table.owners(of: Array("/usr/bin/tool".utf8)) { entry in
            #expect(table.isPath(Array("/usr/bin/tool".utf8), of: entry))
            for other in ["/usr/bim/tool", "/usr/bin/took", "/usr/binxtool", "/usr/bin/tool2", "/usr/bin/too", ""] {
                #expect(!table.isPath(Array(other.utf8), of: entry), "\(other)")
            }
            return true
        }
    }

    @Test("Only the package that claimed a path last, and claims it, gets the digest; the first digest stays")
    func digests() {
        var table = PackagePathTable()
        let path = Array("/a/b".utf8)
        #expect(table.add(path, package: 1) == .added)
        #expect(table.add(path, package: 1) == .known)
        table.set(MD5Digest(high: 1, low: 1), conffile: false, of: path, package: 2)
        table.set(MD5Digest(high: 2, low: 2), conffile: false, of: path, package: 1)
        table.set(MD5Digest(high: 3, low: 3), conffile: true, of: path, package: 1)
        table.set(MD5Digest(high: 4, low: 4), conffile: false, of: Array("/a/c".utf8), package: 1)
        table.owners(of: path) { entry in
            #expect(entry.digest == MD5Digest(high: 2, low: 2))
            #expect(entry.flags.contains(.conffile))
            return true
        }
        #expect(table.count == 1)
    }

    @Test(
        "What is no path of a file is refused",
        arguments: [
            "", "a", "/", "/a/", "/" + String(repeating: "n", count: 256), String(repeating: "/n", count: 2048),
        ])
    func malformed(path: String) {
        var table = PackagePathTable()
        #expect(table.add(Array(path.utf8), package: 0) == .malformed)
    }

    @Test("A digest is 32 digits of either case and gives its 16 bytes back")
    func digest() {
        func read(_ text: String) -> [UInt8]? { MD5Digest(hexadecimal: Array(text.utf8).span)?.bytes }
        #expect(
            read("900150983CD24fb0d6963f7d28e17f72") == Hexadecimal.bytes("900150983cd24fb0d6963f7d28e17f72".utf8))
        for text in ["", "90", "900150983cd24fb0d6963f7d28e17f7g", "900150983cd24fb0d6963f7d28e17f720"] {
            #expect(read(text) == nil)
        }
    }
}
