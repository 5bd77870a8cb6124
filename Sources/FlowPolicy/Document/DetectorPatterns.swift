// SPDX-License-Identifier: Apache-2.0

// Expands patterns of detectors: `payment-card`, `secret/*`, `*`.

/// The detectors that exist, looked up by pattern.
struct DetectorPatterns {
    private let ids: Set<String>
    private let families: [String: [String]]
    /// Every pattern that selects less than all, in order.
    private let words: [String]

    init(_ detectors: [DetectorName]) {
        ids = Set(detectors.map(\.id))
        families = Dictionary(grouping: detectors, by: \.family).mapValues { $0.map(\.id) }
        words = ids.sorted() + families.keys.sorted().map { "\($0)/*" }
    }

    /// The ids that a pattern selects, and how closely it names them: 2 by id, 1 by family, 0 by `*`.
    ///
    /// Nil when it selects none.
    func expand(_ pattern: String) -> (ids: [String], closeness: Int)? {
        if pattern == "*" { return ids.isEmpty ? nil : (Array(ids), 0) }
        if pattern.hasSuffix("/*") { return families[String(pattern.dropLast(2))].map { ($0, 1) } }
        return ids.contains(pattern) ? ([pattern], 2) : nil
    }

    /// Expands a pattern that stands in the document, or notes that it selects nothing.
    func expand(_ pattern: String, _ node: DocumentNode, _ reading: inout NodeReading) -> (
        ids: [String], closeness: Int
    )? {
        if let found = expand(pattern) { return found }
        let hint =
            families[pattern] == nil ? reading.hint(pattern, among: words) : " Did you mean `\(pattern)/*`?"
        reading.note(
            .unknownDetector, node,
            "no detector is called `\(Quoted.short(pattern))`.\(hint) "
                + "Name one by its id, a family as `family/*`, or all as `\"*\"`.")
        return nil
    }

    /// The ids that a list of patterns selects, sorted, each once.
    func expandList(_ node: DocumentNode, _ what: String, _ reading: inout NodeReading) -> [String] {
        var found: Set<String> = []
        for item in reading.list(node, what) {
            guard let pattern = reading.text(item, what) else { continue }
            found.formUnion(expand(pattern, item, &reading)?.ids ?? [])
        }
        return found.sorted()
    }
}
