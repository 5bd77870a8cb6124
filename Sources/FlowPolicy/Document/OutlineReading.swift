// SPDX-License-Identifier: Apache-2.0

// What checks ask of a document beside its rules: where its keys stand, and what nothing refers to.

internal import FlowModel

extension PolicyOutline {
    /// The outline of a document all files of which are read; `rules` has read its rules.
    init(_ merged: MergedPolicy, _ rules: RuleReader, _ sources: SourceFiles) {
        func place(_ node: DocumentNode) -> SourcePlace {
            SourcePlace(file: sources.name(node.place), line: node.place.line, column: node.place.column)
        }
        guard case .mapping(let pairs) = merged.settings.content else { return }
        let used: [String: (kind: Declaration.Kind, names: Set<String>)] = [
            "requirements": (.requirement, rules.conditions.requirements.used),
            "lists": (.list, rules.conditions.destinations.used), "profiles": (.profile, rules.used),
        ]
        for (key, value) in pairs {
            guard let word = key.word else { continue }
            keys[word] = place(key)
            if let (kind, names) = used[word] {
                declarations += value.pairs.compactMap { key, _ in
                    key.word.map { .init(kind: kind, name: $0, place: place(key), isUsed: names.contains($0)) }
                }
            } else {
                for (key, value) in value.pairs {
                    guard let inner = key.word else { continue }
                    keys["\(word).\(inner)"] = place(key)
                    guard case .list(let items) = value.content else { continue }
                    for item in items { if let text = item.word { keys["\(word).\(inner).\(text)"] = place(item) } }
                }
            }
        }
        if let (node, _) = merged.rules { keys["rules"] = place(node) }
        if let node = merged.catalogues.last { keys["catalogues"] = place(node) }
    }
}

extension DocumentNode {
    /// The keys of a mapping with their values; none for everything else.
    fileprivate var pairs: [Pair] {
        if case .mapping(let pairs) = content { pairs } else { [] }
    }
}
