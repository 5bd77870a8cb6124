// SPDX-License-Identifier: Apache-2.0

// A requirement or a set, whichever a text or a blob holds.

/// What was read where a requirement or a set may stand.
public enum RequirementSource: Sendable, Hashable {
    case requirement(Requirement)
    case set(RequirementSet)

    /// What a text is expected to hold.
    public enum Entry: String, Sendable, Hashable, CaseIterable {
        case requirement
        case set
        /// Whichever the first word says: a set begins with a kind or a number, a requirement never does.
        case either
    }

    /// Reads text; throws as `Requirement.init(text:)` does, `requirementSetExpected` and `requirementSetUnexpected` when
    /// it holds the other.
    public static func read(text: String, entry: Entry = .either) throws(CodeProblem) -> RequirementSource {
        var parser = try RequirementParser(Array(text.utf8))
        let isSet = entry == .set || entry == .either && parser.beginsSet
        return isSet ? .set(try RequirementSet(parser.set())) : .requirement(try Requirement(parser.requirement()))
    }

    /// Reads a blob, by its magic; throws as the initialisers of `Requirement` and `RequirementSet` do.
    public static func read(blob: [UInt8]) throws(CodeProblem) -> RequirementSource {
        switch blob.prefix(4).reduce(0, { $0 << 8 | UInt32($1) }) {
        case RequirementMagic.set, RequirementMagic.librarySet: .set(try RequirementSet(blob: blob))
        default: .requirement(try Requirement(blob: blob))
        }
    }

    /// Apple's binary form; throws `requirementNotApple` when a term of Linux is in it.
    public func appleBlob() throws(CodeProblem) -> [UInt8] {
        switch self {
        case .requirement(let requirement):
            if let blob = requirement.blob { return blob }
            return try RequirementCompiler.blob(of: requirement.expression)
        case .set(let set):
            if let blob = set.blob { return blob }
            var blobs: [(kind: UInt32, blob: [UInt8])] = []
            for entry in set.entries {
                blobs.append((entry.kind, try RequirementSource.requirement(entry.content.get()).appleBlob()))
            }
            return try RequirementCompiler.set(of: blobs)
        }
    }

    /// Apple's binary form as lower-case hexadecimal digits; throws as `appleBlob` does.
    public func hex() throws(CodeProblem) -> String { Hexadecimal.text(try appleBlob()) }

    /// The canonical text; each line of a set ends with a line feed.
    public var text: String {
        switch self {
        case .requirement(let requirement): requirement.text
        case .set(let set): set.text
        }
    }

    /// What `csreq -t` prints.
    public var appleText: String {
        switch self {
        case .requirement(let requirement): requirement.appleText
        case .set(let set): set.appleText
        }
    }
}
