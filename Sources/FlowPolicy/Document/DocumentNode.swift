// SPDX-License-Identifier: Apache-2.0

// A document as a tree that knows where each part stands, whichever file it came from.

/// A place in one of the files of a policy: line and column, both from 1.
struct Place: Hashable {
    /// Which file, in the order in which they were read.
    var file = 0
    var line = 1
    var column = 1
}

/// A value of a document.
///
/// Parts of several files make one tree, so each node carries its file: a problem, or a rule that an overlay has
/// changed, is shown where it was written.
struct DocumentNode {
    typealias Pair = (key: DocumentNode, value: DocumentNode)

    enum Content {
        /// A single value; numbers, `off` and `null` are texts until somebody reads them.
        case text(String, isPlain: Bool)
        case list([DocumentNode])
        /// Keys are different from each other.
        case mapping([Pair])
        /// A value with a tag such as `!include`, which must not be dropped without a word.
        case tagged(String)
    }

    var content: Content
    var place: Place

    /// The text of a single value, when it is one.
    var word: String? {
        if case .text(let text, _) = content { return text }
        return nil
    }

    /// Nothing at all, `~` or `null`.
    var isNull: Bool {
        guard case .text(let text, let isPlain) = content else { return false }
        return isPlain && ["", "~", "null"].contains(text)
    }

    /// The value of a key of a mapping.
    subscript(_ key: String) -> DocumentNode? {
        guard case .mapping(let pairs) = content else { return nil }
        return pairs.first { $0.key.word == key }?.value
    }

    /// This value with the changes of another: a JSON Merge Patch (RFC 7396).
    ///
    /// Mappings are merged key by key, null takes a key out, everything else is replaced. Where `isDeep` is false, the
    /// values of keys are replaced whole.
    func patched(by change: DocumentNode, isDeep: Bool = true) -> DocumentNode {
        guard case .mapping(let mine) = content, case .mapping(let theirs) = change.content else { return change }
        var pairs: [Pair?] = mine
        var indices: [String: Int] = [:]
        for (index, pair) in mine.enumerated() { indices[pair.key.word ?? ""] = index }
        for (key, value) in theirs {
            guard let index = indices[key.word ?? ""], let old = pairs[index]?.value else {
                pairs.append((key, value))
                continue
            }
            pairs[index] = value.isNull ? nil : (key, isDeep ? old.patched(by: value) : value)
        }
        return DocumentNode(content: .mapping(pairs.compactMap(\.self)), place: place)
    }
}
