// SPDX-License-Identifier: Apache-2.0

// What an overlay does to the rules of the document that it extends.

internal import FlowModel

/// The rules of a document while an overlay changes, removes and adds some.
struct RuleChanges {
    static let changeKeys = ["change", "set"]
    static let removeKeys = ["remove"]
    static let addKeys = ["add", "before", "after", "first"]

    var rules: [DocumentNode]

    init(_ rules: [DocumentNode]) { self.rules = rules }

    /// Carries out the entries of an overlay's `rules` in order; an entry that is a rule itself is added.
    mutating func apply(_ items: [DocumentNode], _ node: DocumentNode, _ reading: inout NodeReading) {
        guard items.count <= PolicyLimits.changes.value else {
            reading.note(
                .tooMany, node,
                "this overlay changes \(items.count) rules; at most \(PolicyLimits.changes.value) are read: "
                    + "write a policy of its own")
            return
        }
        // Refused later, as any document with so many; each change looks through all of them.
        guard rules.count <= PolicyLimits.rules.value else { return }
        for item in items {
            if item["change"] != nil {
                change(item, &reading)
            } else if item["remove"] != nil {
                guard let fields = reading.fields(item, "a removal", known: Self.removeKeys),
                    let node = fields["remove"], let index = index(node, "`remove`", &reading)
                else { continue }
                rules.remove(at: index)
            } else if item["add"] != nil {
                add(item, &reading)
            } else {
                rules.insert(item, at: beforeCatchAll)
            }
        }
    }

    private mutating func change(_ item: DocumentNode, _ reading: inout NodeReading) {
        guard let fields = reading.fields(item, "a change", known: Self.changeKeys), let node = fields["change"] else {
            return
        }
        guard let set = fields["set"] else {
            reading.note(.missingKey, item, "a change needs `set`: the keys of the rule that are to be others")
            return
        }
        // What is wrong with the new keys is found with the rule they belong to.
        guard let index = index(node, "`change`", &reading) else { return }
        rules[index] = rules[index].patched(by: set, isDeep: false)
    }

    private mutating func add(_ item: DocumentNode, _ reading: inout NodeReading) {
        guard let fields = reading.fields(item, "an addition", known: Self.addKeys), let rule = fields["add"] else {
            return
        }
        let places = ["before", "after", "first"].compactMap { fields[$0] == nil ? nil : $0 }
        if places.count > 1 {
            reading.note(
                .contradiction, fields.key(places[1]),
                "a rule is added in one place: keep `\(places[0])` or `\(places[1])`")
        }
        var place: Int? = beforeCatchAll
        if let node = fields["before"] {
            place = index(node, "`before`", &reading)
        } else if let node = fields["after"] {
            place = index(node, "`after`", &reading).map { $0 + 1 }
        } else if let node = fields["first"], reading.boolean(node, "`first`") == true {
            place = 0
        }
        rules.insert(rule, at: place ?? beforeCatchAll)
    }

    /// In front of the first rule without `when`, which takes every flow.
    private var beforeCatchAll: Int { rules.firstIndex { $0["when"] == nil } ?? rules.endIndex }

    /// The rule of this name.
    private func index(_ node: DocumentNode, _ what: String, _ reading: inout NodeReading) -> Int? {
        guard let name = reading.text(node, what) else { return nil }
        if let index = rules.firstIndex(where: { $0["name"]?.word == name }) { return index }
        let hint = reading.hint(name, among: rules.compactMap { $0["name"]?.word })
        reading.noteMissing(
            .unknownName, node,
            "\(what) names a rule `\(Quoted.short(name))`, and the document that this one extends has none.\(hint)")
        return nil
    }
}
