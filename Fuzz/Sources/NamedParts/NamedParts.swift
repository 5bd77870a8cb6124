// SPDX-License-Identifier: Apache-2.0

// An input that stands for several files, and can still be read.

/// The parts of an input: a line `=== NAME` begins the part of that name, which ends before the next such line.
///
/// What stands before the first is lost, and of two parts of one name the first counts.
public struct NamedParts: Sendable {
    public private(set) var names: [String] = []
    private var parts: [String: [UInt8]] = [:]

    public init(_ input: [UInt8]) {
        var name: String?
        var part: [UInt8] = []
        func keep(_ parts: inout Self) {
            guard let name, parts.parts[name] == nil else { return }
            parts.names.append(name)
            parts.parts[name] = part
        }
        for line in input.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if line.starts(with: "=== ".utf8) {
                keep(&self)
                name = String(decoding: line.dropFirst(4), as: UTF8.self)
                part = []
            } else {
                part += line
                part.append(UInt8(ascii: "\n"))
            }
        }
        keep(&self)
    }

    public subscript(name: String) -> [UInt8]? { parts[name] }
}
