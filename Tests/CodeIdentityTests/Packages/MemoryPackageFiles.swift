// SPDX-License-Identifier: Apache-2.0

// A package database in memory, which a test can change and break.

import Synchronization

@testable import CodeIdentity

/// A file system of names and bytes.
final class MemoryPackageFiles: PackageFiles {
    private struct State {
        var files: [String: [UInt8]] = [:]
        var links: [String: String] = [:]
        var keys: [String: UInt64] = [:]
        var locked: Set<String> = []
        var writes: UInt64 = 0
        var afterRead: (@Sendable (MemoryPackageFiles, String) -> Void)?
    }

    private let state = Mutex(State())
    static let dpkg = "var/lib/dpkg/"

    init(_ dpkg: [String: String] = [:], links: [String: String] = [:]) {
        state.withLock { $0.links = links }
        for (name, text) in dpkg { set(Self.dpkg + name, Array(text.utf8)) }
    }

    /// Writes a file, or takes it away when there are no bytes, and changes the folder it lies in.
    func set(_ path: String, _ bytes: [UInt8]?) {
        state.withLock {
            $0.writes += 1
            $0.files[path] = bytes
            $0.keys[path] = bytes == nil ? nil : $0.writes
            if let cut = path.lastIndex(of: "/") { $0.keys[String(path[..<cut])] = $0.writes }
        }
    }

    func set(_ name: String, _ text: String) { set(Self.dpkg + name, Array(text.utf8)) }

    func lock(_ path: String) { state.withLock { _ = $0.locked.insert(path) } }

    /// Runs after each file that is read.
    func onRead(_ body: (@Sendable (MemoryPackageFiles, String) -> Void)?) { state.withLock { $0.afterRead = body } }

    func names(in folder: String, limit: Int) throws(CodeProblem) -> [String] {
        let start = folder.isEmpty ? "" : folder + "/"
        let paths = state.withLock { Array($0.files.keys) + Array($0.links.keys) }
        let names = Set(
            paths.filter { $0.hasPrefix(start) }
                .compactMap { $0.dropFirst(start.count).split(separator: "/").first.map(String.init) })
        guard names.count <= limit else { throw CodeProblem(.limit, folder) }
        return Array(names)
    }

    func read(_ path: String, limit: Int) throws(CodeProblem) -> [UInt8] {
        let (bytes, after) = state.withLock { ($0.files[path], $0.afterRead) }
        guard let bytes else { throw CodeProblem(.unreadable, path) }
        guard bytes.count <= limit else { throw CodeProblem(.limit, path) }
        after?(self, path)
        return bytes
    }

    func key(of path: String) -> FileKey? {
        state.withLock { state in
            state.keys[path].map { FileKey(device: 1, inode: $0, changed: Int64($0), size: 0) }
        }
    }

    func link(at path: String) -> String? { state.withLock { $0.links[path] } }

    func isLocked(_ path: String) -> Bool { state.withLock { $0.locked.contains(path) } }
}

/// The links of a system whose `/bin` and its like have moved into `/usr`.
let mergedLinks = ["bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"]

/// The status entry of a package.
func entry(
    _ name: String, _ state: String = "install ok installed", architecture: String = "amd64", more: String = ""
) -> String {
    """
    Package: \(name)
    Status: \(state)
    Architecture: \(architecture)
    Version: 1.0-1
    \(more)Description: a package
     more of it


    """
}

/// The digest whose 32 digits are this one.
func digits(_ digit: Character) -> String { String(repeating: digit, count: 32) }

/// Sixteen equal bytes.
func md5(_ byte: UInt8) -> PackageDigest { .md5([UInt8](repeating: byte, count: 16)) }
