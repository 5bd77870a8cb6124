// SPDX-License-Identifier: Apache-2.0

// A folder of a test's own.

import Foundation

/// A new folder under the system's temporary folder, with a short path because sockets are made in it.
public struct TemporaryFolder: Sendable {
    public let path: String

    public init() throws {
        path = FileManager.default.temporaryDirectory.path + "/weir-" + UUID().uuidString.prefix(8).lowercased()
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    /// The path of a thing inside.
    public func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file, makes the folders it needs, and returns its path.
    @discardableResult
    public func write(_ contents: [UInt8], to name: String) throws -> String {
        let file = self(name)
        let folder = (file as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        guard FileManager.default.createFile(atPath: file, contents: Data(contents)) else {
            throw TestKitError("cannot write \(file)")
        }
        return file
    }

    @discardableResult
    public func write(_ text: String, to name: String) throws -> String {
        try write(Array(text.utf8), to: name)
    }

    /// Reads a file of any folder; nil when it is not there.
    public static func read(_ file: String) -> [UInt8]? {
        FileManager.default.contents(atPath: file).map { Array($0) }
    }

    public func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }
}
