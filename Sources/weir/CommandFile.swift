// SPDX-License-Identifier: Apache-2.0

// Files of the state directory that a command under `weir exec` reads.

#if os(Linux)
import EngineAssembly
import Foundation
import LinuxIntake

enum CommandFile {
    /// Writes a file under a name made of its content, so that runs at the same time never disturb each other.
    static func write(_ content: [UInt8], named name: String, type: String, in directory: String) throws -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in content { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let path = "\(directory)/\(name)-\(String(hash, radix: 16))\(type)"
        if FileManager.default.contents(atPath: path) == Data(content) { return path }
        let draft = "\(path).\(getpid())"
        guard
            FileManager.default.createFile(
                atPath: draft, contents: Data(content), attributes: [.posixPermissions: 0o644]),
            rename(draft, path) == 0
        else { throw Problem.refused("\(path): cannot be written; check the state directory's permissions") }
        return path
    }
}

/// How wget is told of Weir's authority: Debian's reads no variable for that, but one for its system-wide settings.
///
/// The user's own `~/.wgetrc` is read after it and wins.
enum WgetSettings {
    static let variable = "SYSTEM_WGETRC"

    /// The settings that wget would have read, and one more; nil when they cannot be read, and are better left alone.
    static func text(naming bundle: String, environment: CommandEnvironment) -> [UInt8]? {
        let named = environment[variable]
        let path = named ?? "/etc/wgetrc"
        let settings = FileManager.default.contents(atPath: path)
        if settings == nil, named != nil || FileManager.default.fileExists(atPath: path) { return nil }
        return Array(settings ?? Data()) + Array("\nca_certificate = \(bundle)\n".utf8)
    }
}
#endif
