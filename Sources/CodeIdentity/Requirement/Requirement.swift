// SPDX-License-Identifier: Apache-2.0

// One code signing requirement, whatever it was read from.

/// A code signing requirement.
///
/// To tell two apart compare blobs, not texts: the text does not show how chains of `and` and `or` are nested.
public struct Requirement: Sendable, Hashable, CustomStringConvertible {
    public let expression: RequirementExpression
    /// Apple's binary form: as it was read, else as Apple's compiler writes it; nil when a term of Linux is in it.
    public let blob: [UInt8]?
    /// What is odd about the blob although it can be read: bytes that nobody reads, flags that mean nothing.
    public let problems: [CodeProblem]

    /// A requirement from its tree.
    ///
    /// Throws `limit` when it is larger than `requirement.blob` or deeper than `requirement.depth`.
    public init(_ expression: RequirementExpression) throws(CodeProblem) {
        self.expression = expression
        blob = if case .blob(let blob) = try RequirementCompiler.encoding(of: expression) { blob } else { nil }
        problems = []
    }

    /// Reads one requirement from text, in the grammar that `RequirementParser` gives.
    ///
    /// Throws a problem with the offset in the text's UTF-8; its detail has line and column and what to write instead.
    public init(text: String) throws(CodeProblem) {
        var parser = try RequirementParser(Array(text.utf8))
        try self.init(parser.requirement())
    }

    /// Reads one requirement from Apple's binary form.
    ///
    /// Throws a problem with the offset in the blob.
    public init(blob: [UInt8]) throws(CodeProblem) {
        try self.init(slice: blob[...])
    }

    init(slice: ArraySlice<UInt8>) throws(CodeProblem) {
        let decoded = try RequirementDecoder.requirement(slice)
        expression = decoded.expression
        blob = decoded.blob
        problems = decoded.problems
    }

    /// The canonical text.
    public var text: String { RequirementPrinter.text(expression) }

    /// What `csreq -t` prints.
    public var appleText: String { RequirementPrinter.text(expression, style: .apple) }

    public var description: String { text }
}
