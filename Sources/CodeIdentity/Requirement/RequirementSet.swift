// SPDX-License-Identifier: Apache-2.0

// The requirements that code brings with it, by kind.

/// A set of requirements: the internal requirements of a signature, or those on a program's libraries.
public struct RequirementSet: Sendable, Hashable, CustomStringConvertible {
    /// One requirement of a set.
    public struct Entry: Sendable, Hashable {
        /// A `RequirementKind`, or a number that has no name.
        public let kind: UInt32
        /// The requirement, or why it cannot be read.
        ///
        /// An entry that cannot be read stays an entry: a requirement that is there and one that is not are not the
        /// same.
        public let content: Result<Requirement, CodeProblem>

        public init(kind: UInt32, content: Result<Requirement, CodeProblem>) {
            self.kind = kind
            self.content = content
        }
    }

    /// In the order of the blob; by kind when the set was read from text.
    public let entries: [Entry]
    /// Apple's binary form; nil when a term of Linux is in it.
    public let blob: [UInt8]?
    /// What is odd about the set although it can be read.
    public let problems: [CodeProblem]

    /// Reads a set from text: `designated => anchor apple library => …`.
    ///
    /// Of two entries of one kind the later counts. Throws as `Requirement.init(text:)` does.
    public init(text: String) throws(CodeProblem) {
        var parser = try RequirementParser(Array(text.utf8))
        try self.init(parser.set())
    }

    init(_ expressions: [UInt32: RequirementExpression]) throws(CodeProblem) {
        var entries: [Entry] = []
        var blobs: [(kind: UInt32, blob: [UInt8])] = []
        for (kind, expression) in expressions.sorted(by: { $0.key < $1.key }) {
            let requirement = try Requirement(expression)
            entries.append(Entry(kind: kind, content: .success(requirement)))
            if let blob = requirement.blob { blobs.append((kind, blob)) }
        }
        self.entries = entries
        blob = blobs.count == entries.count ? try RequirementCompiler.set(of: blobs) : nil
        problems = []
    }

    /// Reads a set from Apple's binary form (magic fade0c01, or fade0c05 for a library set).
    ///
    /// Throws a problem with the offset in the blob when the set itself cannot be read; what is wrong with one entry
    /// stays with the entry.
    public init(blob bytes: [UInt8]) throws(CodeProblem) {
        let blob = try RequirementDecoder.body(
            of: bytes[...], magics: [RequirementMagic.set, RequirementMagic.librarySet])
        let index = try RequirementDecoder.index(of: blob)
        var problems: [CodeProblem] = []
        var total = 12 + 8 * index.count
        var entries: [Entry] = []
        for (position, (kind, offset)) in index.enumerated() {
            let place = UInt64(12 + 8 * position)
            if entries.contains(where: { $0.kind == kind }) {
                problems.append(CodeProblem(.requirementSetDuplicate, at: place, "the kind \(kind) again"))
            }
            let content: Result<Requirement, CodeProblem>
            do throws(CodeProblem) {
                guard offset >= 12 + 8 * index.count, offset < blob.count else {
                    throw CodeProblem(
                        .requirementSetEntry, at: place, "the offset \(offset) is outside the set's blobs")
                }
                let slice = try RequirementDecoder.body(of: blob[offset...], magics: [RequirementMagic.requirement])
                total += slice.count
                // Entries that share bytes could make a small set a large tree, and no tool writes them.
                guard total <= blob.count else {
                    throw CodeProblem(.requirementSetOverlap, at: place, "the entries overlap")
                }
                content = .success(try Requirement(slice: slice))
            } catch {
                content = .failure(error)
            }
            entries.append(Entry(kind: kind, content: content))
        }
        if blob.count < bytes.count {
            problems.append(
                CodeProblem(
                    .requirementTrailingBytes, at: UInt64(blob.count), "bytes after the set, which nobody reads"))
        }
        self.entries = entries
        self.blob = Array(blob)
        self.problems = problems
    }

    /// The requirement of a kind: the first entry of that kind; nil when there is none.
    ///
    /// Throws what is wrong with that entry when it cannot be read.
    public func requirement(_ kind: RequirementKind) throws(CodeProblem) -> Requirement? {
        try entries.first { $0.kind == kind.rawValue }?.content.get()
    }

    /// The canonical text: one line, ended by a line feed, for each entry.
    public var text: String { text(.canonical) }

    /// What `csreq -t` prints.
    public var appleText: String { text(.apple) }

    public var description: String { text }

    private func text(_ style: RequirementTextStyle) -> String {
        entries.map { entry in
            let text =
                switch entry.content {
                case .success(let requirement): RequirementPrinter.line(requirement.expression, style)
                case .failure(let problem): "/* \(problem.code.rawValue) */"
                }
            return RequirementPrinter.entry(entry.kind, text, style: style)
        }.joined()
    }
}
