// SPDX-License-Identifier: Apache-2.0

// A package database that is cut, random or made to be slow: never a trap, never a false owner, always an end.

import FlowModel
import Testing

@testable import CodeIdentity

@Suite("Hostile dpkg database") struct DpkgHostileTests {
    private static let texts = [
        "status": entry(
            "tool", more: "Conffiles:\n /etc/tool \(digits("3"))\n /etc/with space \(digits("4")) obsolete\n")
            + entry("other", "install ok unpacked", more: "Multi-Arch: same\n"),
        "info/tool.list": "/.\n/usr\n/usr/bin\n/usr/bin/tool\n/etc/tool\n/etc/with space\n",
        "info/tool.md5sums": "\(digits("1"))  usr/bin/tool\n",
        "info/other:amd64.list": "/usr\n/usr/bin\n/usr/bin/other\n/usr/bin/tool\n",
        "info/other:amd64.md5sums": "\(digits("2"))  usr/bin/tool\n",
        "diversions": "/usr/bin/tool\n/usr/bin/tool.real\nother\n/usr/bin/x\n/usr/bin/y\n:\n",
        "updates/0000": entry("other"),
    ]
    /// What may own which path whatever is cut off: less than the whole may, and the diverted names.
    private static let owners: [String: Set<String>] = [
        "/usr/bin/tool": ["tool", "other"], "/usr/bin/tool.real": ["tool"], "/etc/tool": ["tool"],
        "/etc/with space": ["tool"], "/usr/bin/other": ["other"],
    ]

    @Test("Every cut of every file leaves owners only where the whole has them", arguments: texts.keys.sorted())
    func everyCut(name: String) throws {
        let text = Array(try #require(Self.texts[name]).utf8)
        let files = MemoryPackageFiles(Self.texts, links: mergedLinks)
        for length in 0..<text.count {
            files.set(MemoryPackageFiles.dpkg + name, Array(text[..<length]))
            let index = try DpkgIndex.read(from: files)
            for (path, allowed) in Self.owners {
                let found = index.owners(of: path)
                #expect(allowed.isSuperset(of: found.map(\.package)), "\(name) cut to \(length): \(path)")
                // A digest is a whole one or none.
                let digests = ["1", "2", "3", "4"].map { md5(UInt8($0 + $0, radix: 16) ?? 0) }
                #expect(found.allSatisfy { $0.digest.map(digests.contains) ?? true })
            }
            #expect(index.owner(of: "/usr/bin") == nil || length < text.count)
        }
    }

    @Test("Random bytes in any file are read to their end", arguments: 0..<64 as Range<UInt64>)
    func random(seed: UInt64) throws {
        var random = SeededRandom(state: seed)
        let files = MemoryPackageFiles(Self.texts, links: mergedLinks)
        for name in Self.texts.keys.sorted() {
            // Often a line feed, a slash, a space, a colon: what the readers look for.
            let alphabet = Array("\n\n/ :aA0\t\u{0}.".utf8)
            let bytes = (0..<512).map { _ in
                let draw = random.next()
                return draw & 3 == 0 ? UInt8(truncatingIfNeeded: draw >> 8) : alphabet[Int(draw >> 16) % alphabet.count]
            }
            files.set(MemoryPackageFiles.dpkg + name, bytes)
            let index = try DpkgIndex.read(from: files)
            #expect(index.problems.count <= CodeIdentityLimits.packageProblems.value + 1)
            _ = index.owners(of: "/usr/bin/tool")
        }
    }

    @Test("Flipped bytes in real files are survived", arguments: 0..<64 as Range<UInt64>)
    func flips(seed: UInt64) throws {
        var random = SeededRandom(state: seed)
        let files = MemoryPackageFiles(Self.texts, links: mergedLinks)
        for (name, text) in Self.texts.sorted(by: { $0.key < $1.key }) {
            var bytes = Array(text.utf8)
            for _ in 0..<4 {
                bytes[Int(random.next() % UInt64(bytes.count))] ^= UInt8(truncatingIfNeeded: random.next()) | 1
            }
            files.set(MemoryPackageFiles.dpkg + name, bytes)
        }
        let index = try DpkgIndex.read(from: files)
        for path in Self.owners.keys { #expect(index.owners(of: path).count <= 2) }
    }

    @Test("Very long lines are left out, and what follows them is read")
    func longLines() throws {
        let long = String(repeating: "x", count: 1_000_000)
        let files = MemoryPackageFiles([
            "status": "Package: tool\nDepends: \(long)\n\(long): \(long)\n\(long)\n \(long)\nVersion: \(long)\n"
                + "Conffiles:\n /\(long) \(digits("1"))\nStatus: install ok installed\n",
            "info/tool.list": "/\(long)\n/\(long)/\(long)\n/usr/bin/tool\n",
            "info/tool.md5sums": "\(digits("1"))  \(long)\n\(digits("2"))  usr/bin/tool\n",
            "diversions": "/\(long)\n/\(long)\n\(long)\n",
        ])
        let index = try DpkgIndex.read(from: files)
        #expect(index.owner(of: "/usr/bin/tool") == PackageFile(package: "tool", digest: md5(0x22)))
        #expect(index.count == 1)
        #expect(index.problems.allSatisfy { $0.detail.utf8.count < 200 })
    }

    @Test("A hundred thousand packages are read up to the limit, and their problems are counted, not kept")
    func manyPackages() throws {
        var status = ""
        for number in 0..<100_000 { status += "Package: p\(number)\nStatus: install ok installed\n\n" }
        let index = try DpkgIndex.read(from: MemoryPackageFiles(["status": status, "info/p9.list": "/usr/bin/p9\n"]))
        #expect(index.owner(of: "/usr/bin/p9")?.package == "p9")
        #expect(index.problems.count == CodeIdentityLimits.packageProblems.value + 1)
    }

    @Test("Ten thousand packages that claim one path cost ten thousand steps, not their square")
    func manyOwners() throws {
        var texts = ["status": ""]
        for number in 0..<10_000 {
            texts["status", default: ""] += "Package: p\(number)\nStatus: install ok installed\n\n"
            texts["info/p\(number).list"] = "/usr/bin/tool\n"
            texts["info/p\(number).md5sums"] = "\(digits("1"))  usr/bin/tool\n"
        }
        let owners = try DpkgIndex.read(from: MemoryPackageFiles(texts)).owners(of: "/usr/bin/tool")
        #expect(owners.count == CodeIdentityLimits.packageOwners.value)
        #expect(owners.first?.package == "p0")
    }

    @Test("A package name cannot lead out of the database")
    func traversal() throws {
        let files = MemoryPackageFiles(["status": entry("../../../etc/secret")])
        files.set("etc/secret.list", Array("/usr/bin/tool\n".utf8))
        #expect(try DpkgIndex.read(from: files).owner(of: "/usr/bin/tool") == nil)
    }
}
