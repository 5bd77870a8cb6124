// SPDX-License-Identifier: Apache-2.0

// What can be wrong with code under examination: thrown where nothing can go on, collected where something can.

/// One thing that is wrong with a file, a signature, a requirement or a process.
///
/// Two problems are equal when code and offset are; `detail` is for people.
public struct CodeProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// A stable name such as `superblob-cut`.
    ///
    /// Each folder declares its own in an extension.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        public init(_ name: String) { rawValue = name }
    }

    public let code: Code
    /// Bytes from the start of whatever is being read, said in `detail` where that is not the file.
    public let offset: UInt64?
    /// What was found and what was wanted; never the content of a secret.
    public let detail: String

    public init(_ code: Code, at offset: UInt64? = nil, _ detail: String) {
        self.code = code
        self.offset = offset
        self.detail = detail
    }

    public var description: String {
        offset.map { "\(code.rawValue) at \($0): \(detail)" } ?? "\(code.rawValue): \(detail)"
    }

    public static func == (a: CodeProblem, b: CodeProblem) -> Bool { a.code == b.code && a.offset == b.offset }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(code)
        hasher.combine(offset)
    }
}

extension CodeProblem.Code {
    /// A range does not lie inside what is being read.
    public static let outOfBounds = Self("out-of-bounds")
    /// The system does not let the file be read.
    public static let unreadable = Self("unreadable")
    /// The file is not the one that was opened any more.
    public static let changed = Self("changed")
    /// A bound of ours was reached; the detail names the limit.
    public static let limit = Self("limit")
}
