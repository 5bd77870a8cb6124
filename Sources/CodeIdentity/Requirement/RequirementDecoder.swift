// SPDX-License-Identifier: Apache-2.0

// Requirement blobs as trees.

import FlowModel

/// Reads requirements in Apple's binary form.
///
/// Nothing recurses, and every value is checked against the end before it is read. Offsets count from the start of the
/// array that the slice belongs to, so that a problem in a set's entry names its place in the set.
enum RequirementDecoder {
    /// What a blob holds.
    struct Decoded {
        var expression: RequirementExpression
        /// The blob without what follows it.
        var blob: [UInt8]
        /// What Apple's reader passes over, each kind of thing once.
        var problems: [CodeProblem]
    }

    /// Reads one requirement.
    ///
    /// Throws `requirementWrongMagic`, `requirementCut`, `requirementUnknownKind`, `requirementLightweight`,
    /// `requirementUnknownOpcode`, and `limit` when it is larger than `requirement.blob` or deeper than
    /// `requirement.depth`.
    static func requirement(_ bytes: ArraySlice<UInt8>) throws(CodeProblem) -> Decoded {
        let blob = try body(of: bytes, magics: [RequirementMagic.requirement])
        var reader = Reader(blob, at: blob.startIndex + 8)
        let kind = try reader.word()
        guard kind != 2 else {
            throw CodeProblem(
                .requirementLightweight, at: UInt64(blob.startIndex + 8),
                "a lightweight code requirement (kind 2), which only the system itself can evaluate")
        }
        guard kind == 1 else {
            throw CodeProblem(
                .requirementUnknownKind, at: UInt64(blob.startIndex + 8), "the kind \(kind) where 1 is known")
        }
        let nodes = try reader.nodes()
        if reader.offset < blob.endIndex {
            reader.note(.requirementTrailingBytes, at: reader.offset, "bytes after the expression, which nobody reads")
        }
        if blob.endIndex < bytes.endIndex {
            reader.note(.requirementTrailingBytes, at: blob.endIndex, "bytes after the blob, which nobody reads")
        }
        return Decoded(expression: try tree(nodes), blob: Array(blob), problems: reader.problems)
    }

    /// The blob itself, from its magic to the end that its length gives.
    static func body(of bytes: ArraySlice<UInt8>, magics: [UInt32]) throws(CodeProblem) -> ArraySlice<UInt8> {
        var reader = Reader(bytes, at: bytes.startIndex)
        let magic = try reader.word()
        guard magics.contains(magic) else {
            throw CodeProblem(
                .requirementWrongMagic, at: UInt64(bytes.startIndex),
                "the magic \(String(magic, radix: 16)) where \(String(magics[0], radix: 16)) is wanted")
        }
        let length = Int(try reader.word())
        let limit = CodeIdentityLimits.requirementBlob
        guard length <= limit.value else {
            throw CodeProblem(.limit, at: UInt64(bytes.startIndex + 4), "\(limit.name): a blob of \(length) bytes")
        }
        guard length >= 12, length <= bytes.count else {
            throw CodeProblem(
                .requirementCut, at: UInt64(bytes.startIndex + 4),
                "a length of \(length) where \(bytes.count) bytes are there")
        }
        return bytes.prefix(length)
    }

    /// The kinds and offsets of a set; `set` is what `body` gave.
    static func index(of set: ArraySlice<UInt8>) throws(CodeProblem) -> [(kind: UInt32, offset: Int)] {
        var reader = Reader(set, at: set.startIndex + 8)
        let count = Int(try reader.word())
        let limit = CodeIdentityLimits.requirementSetEntries
        guard count <= limit.value else {
            throw CodeProblem(.limit, at: UInt64(set.startIndex + 8), "\(limit.name): a set of \(count) entries")
        }
        var index: [(kind: UInt32, offset: Int)] = []
        for _ in 0..<count { index.append((try reader.word(), Int(try reader.word()))) }
        return index
    }

    /// A node without the expressions that follow it.
    fileprivate enum Node {
        case leaf(RequirementExpression)
        case not
        case and
        case or
        case skipped(opcode: UInt32, operand: [UInt8])
    }

    /// Builds the tree from the end: each node finds its operands built, the first of them on top.
    private static func tree(_ nodes: [Node]) throws(CodeProblem) -> RequirementExpression {
        var built: [RequirementExpression] = []
        func operand() throws(CodeProblem) -> RequirementExpression {
            guard let operand = built.popLast() else {
                throw CodeProblem(.requirementCut, "an operator without its operand")
            }
            return operand
        }
        for node in nodes.reversed() {
            switch node {
            case .leaf(let expression): built.append(expression)
            case .not: built.append(.not(try operand()))
            case .and: built.append(.and(try operand(), try operand()))
            case .or: built.append(.or(try operand(), try operand()))
            case .skipped(let opcode, let bytes): built.append(.skipped(opcode: opcode, operand: bytes, try operand()))
            }
        }
        return try operand()
    }
}

extension RequirementDecoder {
    /// A place in a blob, and what was noticed on the way.
    fileprivate struct Reader {
        private let bytes: ArraySlice<UInt8>
        private(set) var offset: Int
        private(set) var problems: [CodeProblem] = []

        init(_ bytes: ArraySlice<UInt8>, at offset: Int) {
            self.bytes = bytes
            self.offset = offset
        }

        mutating func note(_ code: CodeProblem.Code, at offset: Int, _ detail: String) {
            if !problems.contains(where: { $0.code == code }) {
                problems.append(CodeProblem(code, at: UInt64(offset), detail))
            }
        }

        mutating func word() throws(CodeProblem) -> UInt32 {
            try take(4).reduce(0) { $0 << 8 | UInt32($1) }
        }

        private mutating func seconds() throws(CodeProblem) -> Int64 {
            Int64(bitPattern: try take(8).reduce(0) { $0 << 8 | UInt64($1) })
        }

        private mutating func slot() throws(CodeProblem) -> Int32 { Int32(bitPattern: try word()) }

        private mutating func data() throws(CodeProblem) -> [UInt8] {
            let data = try take(Int(try word()))
            let wanted = (4 - data.count % 4) % 4
            // Apple's reader moves on over padding that is not there, and fails only if it then wants more.
            let padding = bytes[offset...].prefix(wanted)
            if padding.count < wanted || padding.contains(where: { $0 != 0 }) {
                note(.requirementPadding, at: offset, "padding that is missing or not zero")
            }
            offset = padding.endIndex
            return Array(data)
        }

        private mutating func take(_ count: Int) throws(CodeProblem) -> ArraySlice<UInt8> {
            guard count <= bytes.endIndex - offset else {
                throw CodeProblem(
                    .requirementCut, at: UInt64(offset),
                    "\(count) bytes wanted, \(bytes.endIndex - offset) are there")
            }
            let taken = bytes[offset..<offset + count]
            offset = taken.endIndex
            return taken
        }

        /// All nodes of one expression, in the order of the blob.
        mutating func nodes() throws(CodeProblem) -> [Node] {
            let limit = CodeIdentityLimits.requirementDepth
            var nodes: [Node] = []
            // The levels of the expressions still to read, the next one last.
            var levels = [1]
            while let level = levels.popLast() {
                guard level <= limit.value else {
                    throw CodeProblem(.limit, at: UInt64(offset), "\(limit.name): more than \(limit.value) levels")
                }
                let node = try node()
                nodes.append(node)
                switch node {
                case .leaf: break
                case .not, .skipped: levels.append(level + 1)
                case .and, .or: levels += [level + 1, level + 1]
                }
            }
            return nodes
        }

        private mutating func node() throws(CodeProblem) -> Node {
            let start = offset
            let word = try word()
            guard let opcode = RequirementOpcode(rawValue: word & ~RequirementOpcode.flags) else {
                return try unknown(word, at: start)
            }
            if word & RequirementOpcode.flags != 0 {
                note(.requirementFlaggedOpcode, at: start, "flags on the known opcode \(opcode.rawValue)")
            }
            switch opcode {
            case .not: return .not
            case .and: return .and
            case .or: return .or
            case .never: return .leaf(.never)
            case .always: return .leaf(.always)
            case .appleAnchor: return .leaf(.appleAnchor)
            case .appleGenericAnchor: return .leaf(.appleGenericAnchor)
            case .anchorTrusted: return .leaf(.anchorTrusted)
            case .notarized: return .leaf(.notarized)
            case .legacyDeveloperID: return .leaf(.legacyDeveloperID)
            case .identifier: return .leaf(.identifier(try data()))
            case .cdhash: return .leaf(.cdhash(try data()))
            case .namedAnchor: return .leaf(.namedAnchor(try data()))
            case .namedCode: return .leaf(.namedCode(try data()))
            case .platform: return .leaf(.platform(try slot()))
            case .certificateTrusted: return .leaf(.certificateTrusted(slot: try slot()))
            case .certificateHash: return .leaf(.certificateHash(slot: try slot(), try data()))
            case .legacyInfoValue: return .leaf(.legacyInfoValue(key: try data(), value: try data()))
            case .info: return .leaf(.info(key: try data(), try match()))
            case .entitlement: return .leaf(.entitlement(key: try data(), try match()))
            case .certificateField:
                return .leaf(.certificateField(slot: try slot(), name: try data(), try match()))
            case .certificateExtension:
                return .leaf(.certificateExtension(slot: try slot(), oid: try data(), try match()))
            case .certificatePolicy:
                return .leaf(.certificatePolicy(slot: try slot(), oid: try data(), try match()))
            case .certificateTimestamp:
                return .leaf(.certificateTimestamp(slot: try slot(), oid: try data(), try match()))
            }
        }

        /// An opcode whose flags say how long its operand is; where both are set, the one for false counts.
        private mutating func unknown(_ opcode: UInt32, at start: Int) throws(CodeProblem) -> Node {
            guard opcode & (RequirementOpcode.genericFalse | RequirementOpcode.genericSkip) != 0 else {
                throw CodeProblem(
                    .requirementUnknownOpcode, at: UInt64(start),
                    "the opcode \(opcode), which does not say how to pass over it: this requirement can decide nothing")
            }
            let operand = Array(try take(Int(try word())))
            return opcode & RequirementOpcode.genericFalse != 0
                ? .leaf(.unknown(opcode: opcode, operand: operand)) : .skipped(opcode: opcode, operand: operand)
        }

        private mutating func match() throws(CodeProblem) -> RequirementMatch {
            let word = try word()
            switch RequirementMatchCode(rawValue: word) {
            case .exists: return .exists
            case .absent: return .absent
            case .equal: return .equal(try data())
            case .contains: return .contains(try data())
            case .beginsWith: return .beginsWith(try data())
            case .endsWith: return .endsWith(try data())
            case .less: return .less(try data())
            case .greater: return .greater(try data())
            case .lessOrEqual: return .lessOrEqual(try data())
            case .greaterOrEqual: return .greaterOrEqual(try data())
            case .on: return .on(try seconds())
            case .before: return .before(try seconds())
            case .after: return .after(try seconds())
            case .onOrBefore: return .onOrBefore(try seconds())
            case .onOrAfter: return .onOrAfter(try seconds())
            case nil: return .unknown(code: word, operand: try data())
            }
        }
    }
}
