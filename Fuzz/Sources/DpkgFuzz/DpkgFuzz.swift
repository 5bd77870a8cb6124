// SPDX-License-Identifier: Apache-2.0

// Looks for dpkg databases that trap the index, or that let it name owners and digests that no file of them names.

import CodeIdentity
import NamedParts

/// A database as parts: `status`, `diversions`, `info/NAME.list`, `updates/0000`, …, and `links` with the system's links.
private struct Files: PackageFiles {
    let parts: NamedParts
    let links: [String: String]

    init(_ input: [UInt8]) {
        parts = NamedParts(input)
        links = Dictionary(
            lines(parts["links"] ?? []).compactMap { line in
                let words = line.split(separator: " ")
                return words.count == 2 ? (String(words[0]), String(words[1])) : nil
            }, uniquingKeysWith: { first, _ in first })
    }

    private static let folder = "var/lib/dpkg/"

    func names(in folder: String, limit: Int) throws(CodeProblem) -> [String] {
        let paths = parts.names.map { Self.folder + $0 } + links.keys
        let start = folder.isEmpty ? "" : folder + "/"
        return Set(
            paths.filter { $0.hasPrefix(start) }.compactMap {
                $0.dropFirst(start.count).split(separator: "/").first.map(String.init)
            }
        ).sorted()
    }

    func read(_ path: String, limit: Int) throws(CodeProblem) -> [UInt8] {
        guard path.hasPrefix(Self.folder), let part = parts[String(path.dropFirst(Self.folder.count))] else {
            throw CodeProblem(.unreadable, path)
        }
        return part
    }

    func key(of path: String) -> FileKey? {
        parts.names.contains { (Self.folder + $0).hasPrefix(path) }
            ? FileKey(device: 1, inode: 1, changed: 1, size: 0) : nil
    }

    func link(at path: String) -> String? { links[path] }

    func isLocked(_ path: String) -> Bool { false }
}

private func lines(_ bytes: [UInt8]) -> [String] {
    bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
}

/// `tool` and its MD5.
private let content = MemoryBytes(Array("tool".utf8))
private let contentKey = FileKey(device: 1, inode: 2, changed: 3, size: content.count)
private let contentDigest: [UInt8] = [
    0x39, 0xAB, 0x32, 0xC5, 0xAE, 0xB5, 0x6C, 0x9F, 0x5A, 0xE1, 0x7F, 0x07, 0x3C, 0xE3, 0x10, 0x23,
]

private func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

/// Every path that some file of the database may name.
private func paths(_ files: Files) -> Set<String> {
    var paths: Set<String> = ["/usr/bin/tool"]
    for name in files.parts.names where name != "status" {
        for line in lines(files.parts[name] ?? []) {
            paths.insert(name.hasSuffix(".md5sums") ? "/" + line.dropFirst(34) : line)
        }
    }
    return paths
}

/// Every owner and every digest stands in some file, and only the digest makes a file intact.
private func check(_ owners: [PackageFile], of path: String, _ verifier: PackageVerifier, _ text: String) {
    for owner in owners {
        guard text.contains(owner.package) else { fatalError("an owner that nobody named") }
        if case .md5(let digest) = owner.digest, !text.contains(hexadecimal(digest)) {
            fatalError("a digest that nobody wrote")
        }
    }
    let claim = verifier.claim(path: path, bytes: content, key: { contentKey })
    // A crash is how libFuzzer learns of a failing case.
    guard (claim?.verdict == .intact) == owners.contains(where: { $0.digest == .md5(contentDigest) }) else {
        fatalError("intact, and no owner has its digest")
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    let files = Files(input)
    guard let index = try? DpkgIndex.read(from: files) else { return 0 }
    guard let again = try? DpkgIndex.read(from: files), again.count == index.count, again.problems == index.problems
    else { fatalError("read differently the second time") }
    guard index.isCurrent() else { fatalError("outdated although nothing changed") }
    let verifier = PackageVerifier(database: index, now: { 0 })
    // Digests may be written in capitals, and what is not UTF-8 is read as U+FFFD on both sides.
    let text = String(decoding: input, as: UTF8.self)
    let all = text + text.lowercased()
    for path in paths(files) {
        let owners = index.owners(of: path)
        guard again.owners(of: path) == owners, index.owner(of: path) == owners.first else {
            fatalError("other owners the second time")
        }
        if !owners.isEmpty { check(owners, of: path, verifier, all) }
    }
    return 0
}
