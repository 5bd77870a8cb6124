// SPDX-License-Identifier: Apache-2.0

// Where the bytes of a file under examination come from: never a memory map, which a truncated file turns into a trap.

/// Random access to bytes that may change or lie.
///
/// A read gives exactly the bytes asked for or throws; nothing is cached, so what was verified is what was read.
public protocol ByteSource: Sendable {
    /// The length in bytes, fixed when the source was opened.
    var count: UInt64 { get }

    /// Reads `count` bytes at `offset`.
    ///
    /// Throws `outOfBounds` when the range does not lie inside the source, `unreadable` when the system refuses and
    /// `changed` when the file has become shorter. A caller bounds `count` before it asks.
    func read(at offset: UInt64, count: Int) throws(CodeProblem) -> [UInt8]

    /// Whether all reads so far were of one state of the source; true for what cannot change.
    var isUnchanged: Bool { get }
}

extension ByteSource {
    public var isUnchanged: Bool { true }
}

/// Bytes in memory.
public struct MemoryBytes: ByteSource {
    public let bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public var count: UInt64 { UInt64(bytes.count) }

    public func read(at offset: UInt64, count: Int) throws(CodeProblem) -> [UInt8] {
        guard count >= 0, offset <= self.count, UInt64(count) <= self.count - offset else {
            throw CodeProblem(.outOfBounds, at: offset, "\(count) bytes wanted, the source has \(self.count)")
        }
        let start = Int(offset)
        return Array(bytes[start..<start + count])
    }
}

/// A part of another source, itself numbered from 0: a slice of a universal file.
public struct SourceRange: ByteSource {
    private let whole: any ByteSource
    /// Where the part begins in the whole.
    public let offset: UInt64
    public let count: UInt64

    /// Throws `outOfBounds` when the part does not lie inside the whole.
    public init(_ whole: any ByteSource, offset: UInt64, count: UInt64) throws(CodeProblem) {
        guard offset <= whole.count, count <= whole.count - offset else {
            throw CodeProblem(.outOfBounds, at: offset, "a part of \(count) bytes, the source has \(whole.count)")
        }
        self.whole = whole
        self.offset = offset
        self.count = count
    }

    public func read(at offset: UInt64, count: Int) throws(CodeProblem) -> [UInt8] {
        guard count >= 0, offset <= self.count, UInt64(count) <= self.count - offset else {
            throw CodeProblem(.outOfBounds, at: offset, "\(count) bytes wanted, the part has \(self.count)")
        }
        return try whole.read(at: self.offset + offset, count: count)
    }

    public var isUnchanged: Bool { whole.isUnchanged }
}
