// SPDX-License-Identifier: Apache-2.0

// A requirement laid out flat, so that evaluating it neither allocates nor recurses.

/// A requirement made ready for evaluation.
///
/// Building it costs allocations, evaluating it none: the tree becomes an array of nodes whose operands lie in one byte
/// array, and an order of evaluation in which 32 places are stack enough for any tree.
public struct CompiledRequirement: Sendable {
    /// What was compiled.
    public let expression: RequirementExpression

    /// In prefix order, as the binary form has them: the left operand of `nodes[i]` is `nodes[i + 1]`.
    let nodes: [Node]
    /// Indices of `nodes`, operands before their operator.
    let order: [Int]
    /// Every operand, one behind the other.
    let operands: [UInt8]
    /// Keys of property lists.
    let keys: [String]
    /// For each operand of `contains`, the length of the longest proper border of each of its beginnings.
    let borders: [Int]
    /// What is wrong with the nodes of operation `invalid`.
    let defects: [CodeProblem]

    /// Lays the tree out.
    ///
    /// Throws `evaluationTooDeep` where Apple's evaluator would give up whatever the subject, and `limit`. Other defects
    /// (unknown opcodes, an impossible operand) make each evaluation an error, so that they can still be explained.
    public init(_ expression: RequirementExpression) throws(CodeProblem) {
        var layout = Layout()
        try layout.add(expression)
        self.expression = expression
        nodes = layout.nodes
        order = layout.evaluationOrder()
        operands = layout.operands
        keys = layout.keys
        borders = layout.borders
        defects = layout.defects
    }

    /// A range of `operands`.
    struct Bytes {
        var start = 0
        var count = 0
    }

    enum Operation: UInt8 {
        case and, or, not
        case never, always
        /// True or false for no subject: `number` is an index of `defects`.
        case invalid
        // Apple's.
        case identifier, cdhash, platform, notarized, legacyDeveloperID
        case appleAnchor, appleGenericAnchor, anchorTrusted, certificateTrusted
        case certificateHash, certificateField, certificateExtension, certificatePolicy, certificateTimestamp
        case info, entitlement
        // Linux's.
        case osAnchor, package, unit, path, digest, interpreter, user
    }

    enum Match: UInt8 {
        case exists, absent, equal, contains, beginsWith, endsWith, less, greater, lessOrEqual, greaterOrEqual
        case on, before, after, onOrBefore, onOrAfter
        case unknown
    }

    /// One atom or operator, without references so that it is read without counting them.
    struct Node {
        var operation: Operation
        var match = Match.exists
        /// The right operand of `and` and `or`, a slot, a platform, a user, or an index of `keys` or `defects`.
        var number = 0
        /// An object identifier: of an extension, a policy, or an attribute of a subject name (empty for an unknown one).
        var key = Bytes()
        var operand = Bytes()
        /// Where the operand's part of `borders` begins.
        var borders = 0
        /// Seconds since 2001-01-01 UTC.
        var moment: Int64 = 0
    }

    func slice(_ range: Bytes) -> ArraySlice<UInt8> { operands[range.start..<range.start + range.count] }
}

/// The attributes of a subject name that can be asked for (`certFieldValue` in Apple's `reqinterp.cpp`).
enum SubjectField {
    static let objectIdentifiers: [(name: String, oid: [UInt8])] = [
        ("C", ObjectIdentifiers.country), ("CN", ObjectIdentifiers.commonName), ("D", [0x55, 4, 13]),
        ("L", ObjectIdentifiers.locality), ("O", ObjectIdentifiers.organization),
        ("C-O", ObjectIdentifiers.organization + [1]), ("OU", ObjectIdentifiers.organizationalUnit),
        ("C-OU", ObjectIdentifiers.organizationalUnit + [1]), ("ST", ObjectIdentifiers.stateOrProvince),
        ("C-ST", ObjectIdentifiers.stateOrProvince + [1]), ("STREET", [0x55, 4, 9]), ("C-STREET", [0x55, 4, 9, 1]),
        ("UID", ObjectIdentifiers.userID),
    ]

    /// Nil for a name that Apple's table does not have either.
    static func objectIdentifier(_ key: [UInt8]) -> [UInt8]? {
        objectIdentifiers.first { key.elementsEqual("subject.\($0.name)".utf8) }?.oid
    }
}
