// SPDX-License-Identifier: Apache-2.0

// The environment that a command gets, byte for byte.

import CLinuxFlow

/// A list of variables as the kernel passes it: bytes, not text, so that nothing is lost on the way to the command.
public struct CommandEnvironment: Sendable {
    /// `NAME=value` each, without NUL.
    private(set) var entries: [[UInt8]]

    /// Reads entries of the form `NAME=value`.
    public init(_ entries: [String] = []) { self.entries = entries.map { Array($0.utf8) } }

    /// The environment of this process; read it before anything changes it.
    public static func current() -> CommandEnvironment {
        var environment = CommandEnvironment()
        guard var next = weir_environment() else { return environment }
        while let entry = next.pointee {
            environment.entries.append(bytes(of: entry))
            next += 1
        }
        return environment
    }

    /// The value of a variable (repaired where it is not UTF-8); setting nil removes it.
    public subscript(name: String) -> String? {
        get {
            let prefix = Array(name.utf8) + [UInt8(ascii: "=")]
            guard let entry = entries.first(where: { $0.starts(with: prefix) }) else { return nil }
            return String(decoding: entry.dropFirst(prefix.count), as: UTF8.self)
        }
        set {
            let prefix = Array(name.utf8) + [UInt8(ascii: "=")]
            entries.removeAll { $0.starts(with: prefix) }
            if let newValue { entries.append(prefix + Array(newValue.utf8)) }
        }
    }

    private static func bytes(of string: UnsafePointer<CChar>) -> [UInt8] {
        var bytes: [UInt8] = []
        var next = string
        while next.pointee != 0 {
            bytes.append(UInt8(bitPattern: next.pointee))
            next += 1
        }
        return bytes
    }
}

/// Calls `body` with the strings as C takes a list of them; nil when one holds a NUL, which C cannot say.
func withCStrings<R>(_ strings: [[UInt8]], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R) -> R? {
    guard !strings.contains(where: { $0.contains(0) }) else { return nil }
    var bytes: [CChar] = []
    var offsets: [Int] = []
    for string in strings {
        offsets.append(bytes.count)
        bytes.append(contentsOf: string.lazy.map { CChar(bitPattern: $0) })
        bytes.append(0)
    }
    // One byte at least, so that there is a base address.
    bytes.append(0)
    return bytes.withUnsafeMutableBufferPointer { buffer in
        let pointers = offsets.map { offset in buffer.baseAddress.map { $0 + offset } } + [nil]
        return pointers.withUnsafeBufferPointer { list in list.baseAddress.map(body) }
    }
}
