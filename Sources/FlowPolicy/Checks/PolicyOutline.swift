// SPDX-License-Identifier: Apache-2.0

// What stands in a document beside its rules, where, and whether anything refers to it.

/// What only checks ask of a document: the places of its keys, and its declarations with their use.
struct PolicyOutline: Sendable {
    /// Something that a document names so that rules can refer to it.
    struct Declaration: Sendable {
        enum Kind: String, Sendable { case requirement, list, profile }

        let kind: Kind
        let name: String
        let place: SourcePlace
        let isUsed: Bool
    }

    var declarations: [Declaration] = []
    /// Where keys stand that are no rules', by their path: `mode`, `dns`, `unknown.exited`, `capture.inspect-never`.
    var keys: [String: SourcePlace] = [:]
}
