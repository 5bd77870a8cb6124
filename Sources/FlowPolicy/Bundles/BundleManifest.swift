// SPDX-License-Identifier: Apache-2.0

// The signed part of a bundle: who made it, which version it is, and what files it holds.

internal import Crypto
internal import FlowModel

/// The signed lines of a bundle; there is exactly one text for each manifest.
struct BundleManifest: Sendable, Hashable {
    /// A file and what it must be.
    struct File: Sendable, Hashable {
        var path: String
        var bytes: Int
        /// 64 hexadecimal digits.
        var sha256: String
    }

    static let versions = 1...999_999_999

    var key: BundleKey
    var name: String
    var version: Int
    /// `2026-11-24`; for people, nothing is decided by it.
    var created: String
    /// At least one, the policy document first.
    var files: [File]

    var text: String {
        let head = "key \(key)\nname \(name)\nversion \(version)\ncreated \(created)\n"
        return head + files.map { "file \($0.bytes) \($0.sha256) \($0.path)\n" }.joined() + "\n"
    }

    /// Reads what `text` gives, and nothing else.
    static func read(_ text: String) throws(BundleProblem) -> BundleManifest {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: true)[...]
        func value(_ word: String) throws(BundleProblem) -> Substring {
            guard let line = lines.popFirst(), line.hasPrefix(word + " ") else {
                throw BundleProblem(.syntax, "the manifest has no `\(word)` where it must stand: make the bundle again")
            }
            return line.dropFirst(word.utf8.count + 1)
        }
        guard let key = BundleKey(try value("key")) else {
            throw BundleProblem(.syntax, "the key of the manifest is no Ed25519 key: make the bundle again")
        }
        let name = String(try value("name"))
        let version = Int(try value("version")) ?? 0
        let created = String(try value("created"))
        var files: [File] = []
        while !lines.isEmpty {
            let parts = try value("file").split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, let bytes = Int(parts[0]) else {
                throw BundleProblem(.syntax, "file \(files.count + 1) of the manifest is malformed: make it again")
            }
            files.append(File(path: String(parts[2]), bytes: bytes, sha256: String(parts[1])))
        }
        let manifest = BundleManifest(key: key, name: name, version: version, created: created, files: files)
        try manifest.check()
        // Numbers and spaces have other spellings that mean the same; one bundle shall have one digest.
        guard manifest.text == text else {
            throw BundleProblem(.syntax, "the manifest is not spelt as Weir spells it: make the bundle again")
        }
        return manifest
    }

    /// Refuses what neither a reader nor a maker of bundles may let through.
    func check() throws(BundleProblem) {
        guard (1...PolicyLimits.bundleName.value).contains(name.utf8.count), name.utf8.allSatisfy(Self.isNameByte)
        else {
            throw BundleProblem(
                .badValue,
                "`\(Quoted.short(name))` is no name of a bundle: use a-z, 0-9, `.` and `-`, "
                    + "at most \(PolicyLimits.bundleName.value)")
        }
        guard Self.versions.contains(version) else {
            throw BundleProblem(.badValue, "the version of a bundle is a whole number, 1 to 999999999: raise it by one")
        }
        guard Self.isDate(created) else {
            throw BundleProblem(
                .badValue, "`\(Quoted.short(created))` is no day of creation: write it as 2026-11-24")
        }
        guard (1...PolicyLimits.bundleFiles.value).contains(files.count) else {
            throw BundleProblem(
                .badValue,
                "a bundle holds 1 to \(PolicyLimits.bundleFiles.value) files, this one \(files.count): join some")
        }
        var seen: Set<String> = []
        for file in files {
            guard Self.isPath(file.path) else {
                throw BundleProblem(
                    .badPath,
                    "`\(Quoted.short(file.path))` is no path inside a bundle: write names of letters, digits, `.`, `_` "
                        + "and `-`, joined by `/`, that lead neither up nor to the root")
            }
            guard seen.insert(file.path).inserted else {
                throw BundleProblem(.duplicatePath, "`\(file.path)` stands twice in the bundle: keep one of them")
            }
            guard file.bytes >= 0, file.bytes <= PolicyLimits.bundleBytes.value, file.sha256.utf8.count == 64,
                file.sha256.utf8.allSatisfy(Self.isHexDigit)
            else {
                throw BundleProblem(.syntax, "size or digest of `\(file.path)` is malformed: make the bundle again")
            }
        }
    }

    /// The SHA-256 of some bytes as 64 hexadecimal digits.
    static func sha256(_ bytes: some Collection<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        let hash = SHA256.hash(data: Array(bytes))
        return String(decoding: hash.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static func isPath(_ path: String) -> Bool {
        guard (1...PolicyLimits.bundlePath.value).contains(path.utf8.count) else { return false }
        return path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { name in
            !name.isEmpty && name != "." && name != ".." && name.utf8.allSatisfy(isPathByte)
        }
    }

    private static func isPathByte(_ byte: UInt8) -> Bool {
        isNameByte(byte) || (0x41...0x5a).contains(byte) || byte == UInt8(ascii: "_")
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "."): return true
        default: return false
        }
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }

    private static func isDate(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [4, 2, 2] else { return false }
        guard parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else { return false }
        return (1...12).contains(Int(parts[1]) ?? 0) && (1...31).contains(Int(parts[2]) ?? 0)
    }
}
