// SPDX-License-Identifier: Apache-2.0

// Reads the regular expression of a seal's rule into a tree.

import FlowModel

indirect enum SealPatternNode {
    case byte(UInt8)
    case any
    /// A bit for each of the 256 bytes.
    case set(SIMD4<UInt64>)
    case begin
    case end
    case sequence([SealPatternNode])
    case choice([SealPatternNode])
    case zeroOrOne(SealPatternNode)
    case zeroOrMore(SealPatternNode)
    case oneOrMore(SealPatternNode)
}

/// Reads the extended regular expressions that `SealPattern` tells of, and refuses the rest.
struct SealPatternReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ source: String) { bytes = Array(source.utf8) }

    mutating func whole() throws(CodeProblem) -> SealPatternNode {
        let node = try choice(depth: 0)
        guard position == bytes.count else { throw problem("a ) that closes no group") }
        return node
    }

    /// The depth bounds the recursion.
    private mutating func choice(depth: Int) throws(CodeProblem) -> SealPatternNode {
        let limit = CodeIdentityLimits.sealPatternDepth
        guard depth <= limit.value else { throw .beyond(limit, at: position, "groups inside each other") }
        var branches = [try branch(depth: depth)]
        while take("|") { branches.append(try branch(depth: depth)) }
        return .choice(branches)
    }

    private mutating func branch(depth: Int) throws(CodeProblem) -> SealPatternNode {
        var nodes: [SealPatternNode] = []
        while let byte = peek, byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
            nodes.append(try piece(depth: depth))
        }
        guard !nodes.isEmpty else { throw problem("an alternative with nothing in it") }
        return .sequence(nodes)
    }

    private mutating func piece(depth: Int) throws(CodeProblem) -> SealPatternNode {
        // To repeat an anchor, or a repetition, is not defined.
        if take("^") { return try unrepeated(.begin) }
        if take("$") { return try unrepeated(.end) }
        let atom = try atom(depth: depth)
        if take("*") { return try unrepeated(.zeroOrMore(atom)) }
        if take("+") { return try unrepeated(.oneOrMore(atom)) }
        if take("?") { return try unrepeated(.zeroOrOne(atom)) }
        return atom
    }

    private func unrepeated(_ node: SealPatternNode) throws(CodeProblem) -> SealPatternNode {
        guard peek.map({ "*+?{".utf8.contains($0) }) != true else { throw problem("a repetition of what cannot be") }
        return node
    }

    private mutating func atom(depth: Int) throws(CodeProblem) -> SealPatternNode {
        if take("(") {
            let node = try choice(depth: depth + 1)
            guard take(")") else { throw problem("a group that is not closed") }
            return node
        }
        if take("[") { return try set() }
        if take(".") { return .any }
        if take("\\") {
            // A letter or digit after it means something else on each system.
            guard let byte = peek, ".[]{}()\\*+?^$|/-_ ".utf8.contains(byte) else { throw problem("an unknown escape") }
            position += 1
            return .byte(byte)
        }
        guard let byte = peek, !"*+?{".utf8.contains(byte) else { throw problem("a repetition of nothing") }
        position += 1
        return .byte(byte)
    }

    /// A bracket expression after its `[`.
    private mutating func set() throws(CodeProblem) -> SealPatternNode {
        let isNegated = take("^")
        var members = SIMD4<UInt64>.zero
        let start = position
        // A ] that comes first stands for itself.
        while let first = peek, first != UInt8(ascii: "]") || position == start {
            // A [ may begin a class by name; a backslash is literal to some and escapes to others.
            guard 0x20..<0x7F ~= first, first != UInt8(ascii: "["), first != UInt8(ascii: "\\") else { break }
            position += 1
            var last = first
            if peek == UInt8(ascii: "-"), position + 1 < bytes.count, bytes[position + 1] != UInt8(ascii: "]") {
                last = bytes[position + 1]
                guard Self.isRange(first, last) else { throw problem("a range whose order depends on the language") }
                position += 2
            }
            for member in first...last { members[Int(member >> 6)] |= 1 << UInt64(member & 63) }
        }
        guard position > start, take("]") else { throw problem("a bracket expression that is not understood") }
        return .set(isNegated ? ~members : members)
    }

    /// Whether both are digits, or letters of one case, in order.
    private static func isRange(_ first: UInt8, _ last: UInt8) -> Bool {
        let kinds: [ClosedRange<UInt8>] = [0x30...0x39, 0x41...0x5A, 0x61...0x7A]
        return first <= last && kinds.contains { $0.contains(first) && $0.contains(last) }
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private func problem(_ detail: String) -> CodeProblem {
        CodeProblem(.sealRule, at: UInt64(position), "the pattern \(String(decoding: bytes, as: UTF8.self)): \(detail)")
    }
}
