// SPDX-License-Identifier: Apache-2.0

// Requirement trees as blobs, the same bytes as Apple's compiler writes.

import FlowModel

/// Writes requirements in Apple's binary form.
public enum RequirementCompiler {
    /// The blob of one requirement (magic fade0c00, kind 1).
    ///
    /// Throws `requirementNotApple` when a term of Linux is in it, `limit` when it is larger than `requirement.blob` or
    /// deeper than `requirement.depth`, and `requirementNotEncodable` for an `unknown` that no reader would read so.
    public static func blob(of expression: RequirementExpression) throws(CodeProblem) -> [UInt8] {
        switch try encoding(of: expression) {
        case .blob(let blob): return blob
        case .notApple(let term):
            throw CodeProblem(
                .requirementNotApple,
                "`\(term)` is a term of Linux and has no form that Apple's tools read: leave it out of this requirement"
            )
        }
    }

    /// The blob of a set (magic fade0c01) of requirements that are blobs already: sorted by kind, packed in that order.
    ///
    /// Where two are of one kind, the later counts. Throws `limit` when the set is larger than `requirement.blob`.
    public static func set(of requirements: [(kind: UInt32, blob: [UInt8])]) throws(CodeProblem) -> [UInt8] {
        let byKind = Dictionary(requirements.map { ($0.kind, $0.blob) }) { $1 }.sorted { $0.key < $1.key }
        let limit = CodeIdentityLimits.requirementBlob
        var offset = 12
        // Each blob is bounded by its own array; the sum is compared before it can grow far.
        for (_, blob) in byKind {
            guard blob.count <= limit.value, offset <= limit.value - blob.count - 8 else {
                throw CodeProblem(.limit, "\(limit.name): a set of more than \(limit.value) bytes")
            }
            offset += blob.count + 8
        }
        var writer = Writer()
        writer.word(RequirementMagic.set)
        writer.word(UInt32(offset))
        writer.word(UInt32(byKind.count))
        offset = 12 + 8 * byKind.count
        for (kind, blob) in byKind {
            writer.word(kind)
            writer.word(UInt32(offset))
            offset += blob.count
        }
        for (_, blob) in byKind { writer.bytes += blob }
        return writer.bytes
    }

    enum Encoding {
        case blob([UInt8])
        /// The first term of Linux in it.
        case notApple(term: String)
    }

    /// The blob, or why there is none; a tree with terms of Linux is held to the same limits.
    static func encoding(of expression: RequirementExpression) throws(CodeProblem) -> Encoding {
        let (size, depth) = (CodeIdentityLimits.requirementBlob, CodeIdentityLimits.requirementDepth)
        var writer = Writer()
        writer.word(RequirementMagic.requirement)
        writer.word(0)
        writer.word(1)
        var linuxTerm: String?
        // The nodes still to write, the next one last.
        var nodes = [(expression, level: 1)]
        while let (node, level) = nodes.popLast() {
            guard level <= depth.value else {
                throw CodeProblem(.limit, "\(depth.name): more than \(depth.value) levels")
            }
            switch try writer.node(node) {
            case .children(let children): nodes += children.reversed().map { ($0, level + 1) }
            case .linux(let term): linuxTerm = linuxTerm ?? term
            }
            guard writer.bytes.count <= size.value else {
                throw CodeProblem(.limit, "\(size.name): a requirement of more than \(size.value) bytes")
            }
        }
        if let linuxTerm { return .notApple(term: linuxTerm) }
        var blob = writer.bytes
        let length = UInt32(blob.count)
        for index in 0..<4 { blob[4 + index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * index)) }
        return .blob(blob)
    }

    /// Bytes being written.
    private struct Writer {
        enum Written {
            /// The node is written; these expressions follow.
            case children([RequirementExpression])
            case linux(term: String)
        }

        var bytes: [UInt8] = []

        mutating func word(_ value: UInt32) {
            for shift: UInt32 in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
        }

        /// A length, the bytes and zeros up to a multiple of four.
        mutating func data(_ data: [UInt8]) throws(CodeProblem) {
            try checkSize(data)
            word(UInt32(data.count))
            bytes += data
            bytes += repeatElement(0, count: (4 - data.count % 4) % 4)
        }

        mutating func node(_ node: RequirementExpression) throws(CodeProblem) -> Written {
            switch node {
            case .never: opcode(.never)
            case .always: opcode(.always)
            case .appleAnchor: opcode(.appleAnchor)
            case .appleGenericAnchor: opcode(.appleGenericAnchor)
            case .anchorTrusted: opcode(.anchorTrusted)
            case .notarized: opcode(.notarized)
            case .legacyDeveloperID: opcode(.legacyDeveloperID)
            case .identifier(let identifier): try opcode(.identifier, identifier)
            case .cdhash(let hash): try opcode(.cdhash, hash)
            case .namedAnchor(let name): try opcode(.namedAnchor, name)
            case .namedCode(let name): try opcode(.namedCode, name)
            case .platform(let number): opcode(.platform, slot: number)
            case .certificateTrusted(let slot): opcode(.certificateTrusted, slot: slot)
            case .certificateHash(let slot, let hash):
                opcode(.certificateHash, slot: slot)
                try data(hash)
            case .legacyInfoValue(let key, let value):
                try opcode(.legacyInfoValue, key)
                try data(value)
            case .info(let key, let match):
                try opcode(.info, key)
                try self.match(match)
            case .entitlement(let key, let match):
                try opcode(.entitlement, key)
                try self.match(match)
            case .certificateField(let slot, let name, let match):
                try field(.certificateField, slot, name, match)
            case .certificateExtension(let slot, let oid, let match):
                try field(.certificateExtension, slot, oid, match)
            case .certificatePolicy(let slot, let oid, let match):
                try field(.certificatePolicy, slot, oid, match)
            case .certificateTimestamp(let slot, let oid, let match):
                try field(.certificateTimestamp, slot, oid, match)
            case .not(let operand):
                opcode(.not)
                return .children([operand])
            case .and(let left, let right):
                opcode(.and)
                return .children([left, right])
            case .or(let left, let right):
                opcode(.or)
                return .children([left, right])
            case .unknown(let opcode, let operand):
                try unknown(opcode, operand, wanted: opcode & RequirementOpcode.genericFalse != 0)
            case .skipped(let opcode, let operand, let next):
                let flags = opcode & (RequirementOpcode.genericFalse | RequirementOpcode.genericSkip)
                try unknown(opcode, operand, wanted: flags == RequirementOpcode.genericSkip)
                return .children([next])
            case .osAnchor: return .linux(term: "anchor os")
            case .package: return .linux(term: "package")
            case .unit: return .linux(term: "unit")
            case .path: return .linux(term: "path")
            case .digest: return .linux(term: "digest")
            case .interpreter: return .linux(term: "interpreter")
            case .user: return .linux(term: "user")
            }
            return .children([])
        }

        private mutating func opcode(_ opcode: RequirementOpcode) { word(opcode.rawValue) }

        private mutating func opcode(_ opcode: RequirementOpcode, slot: Int32) {
            word(opcode.rawValue)
            word(UInt32(bitPattern: slot))
        }

        private mutating func opcode(_ opcode: RequirementOpcode, _ data: [UInt8]) throws(CodeProblem) {
            word(opcode.rawValue)
            try self.data(data)
        }

        private mutating func field(
            _ opcode: RequirementOpcode, _ slot: Int32, _ name: [UInt8], _ match: RequirementMatch
        ) throws(CodeProblem) {
            self.opcode(opcode, slot: slot)
            try data(name)
            try self.match(match)
        }

        /// An opcode that a reader of ours would find unknown again; its operand is not padded.
        private mutating func unknown(_ opcode: UInt32, _ operand: [UInt8], wanted: Bool) throws(CodeProblem) {
            guard wanted, RequirementOpcode(rawValue: opcode & ~RequirementOpcode.flags) == nil else {
                throw CodeProblem(.requirementNotEncodable, "the opcode \(opcode) would be read as something else")
            }
            try checkSize(operand)
            word(opcode)
            word(UInt32(operand.count))
            bytes += operand
        }

        private func checkSize(_ data: [UInt8]) throws(CodeProblem) {
            let limit = CodeIdentityLimits.requirementBlob
            guard data.count <= limit.value else {
                throw CodeProblem(.limit, "\(limit.name): a value of \(data.count) bytes")
            }
        }

        private mutating func match(_ match: RequirementMatch) throws(CodeProblem) {
            switch match {
            case .exists: word(RequirementMatchCode.exists.rawValue)
            case .absent: word(RequirementMatchCode.absent.rawValue)
            case .equal(let value): try matchCode(.equal, value)
            case .contains(let value): try matchCode(.contains, value)
            case .beginsWith(let value): try matchCode(.beginsWith, value)
            case .endsWith(let value): try matchCode(.endsWith, value)
            case .less(let value): try matchCode(.less, value)
            case .greater(let value): try matchCode(.greater, value)
            case .lessOrEqual(let value): try matchCode(.lessOrEqual, value)
            case .greaterOrEqual(let value): try matchCode(.greaterOrEqual, value)
            case .on(let seconds): matchCode(.on, seconds)
            case .before(let seconds): matchCode(.before, seconds)
            case .after(let seconds): matchCode(.after, seconds)
            case .onOrBefore(let seconds): matchCode(.onOrBefore, seconds)
            case .onOrAfter(let seconds): matchCode(.onOrAfter, seconds)
            case .unknown(let code, let operand):
                guard RequirementMatchCode(rawValue: code) == nil else {
                    throw CodeProblem(.requirementNotEncodable, "the match \(code) would be read as something else")
                }
                word(code)
                try data(operand)
            }
        }

        private mutating func matchCode(_ code: RequirementMatchCode, _ value: [UInt8]) throws(CodeProblem) {
            word(code.rawValue)
            try data(value)
        }

        private mutating func matchCode(_ code: RequirementMatchCode, _ seconds: Int64) {
            word(code.rawValue)
            let bits = UInt64(bitPattern: seconds)
            word(UInt32(truncatingIfNeeded: bits >> 32))
            word(UInt32(truncatingIfNeeded: bits))
        }
    }
}
