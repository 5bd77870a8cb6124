// SPDX-License-Identifier: Apache-2.0

// What a policy changes in the catalogues that ship.

internal import FlowModel

extension Catalogues {
    static let changeKeys = ["add", "remove"]

    /// A copy in which each `catalogues` of a policy has taken hosts out and put hosts in, the base's first.
    func changed(by changes: [DocumentNode], _ reading: inout NodeReading) -> Catalogues {
        guard !changes.isEmpty else { return self }
        let names = hostCatalogues
        return changes.reduce(into: self) { catalogues, node in
            for (name, key, value) in reading.entries(node, "`catalogues`") {
                guard names.contains(name) else {
                    let hint = reading.hint(name, among: names)
                    reading.note(
                        .unknownName, key,
                        "no catalogue of hosts is called `\(Quoted.short(name))`.\(hint) "
                            + "There are \(NodeReading.list(names)).")
                    continue
                }
                catalogues.change(name, value, &reading)
            }
        }
    }

    private mutating func change(_ name: String, _ node: DocumentNode, _ reading: inout NodeReading) {
        guard let fields = reading.fields(node, "catalogue `\(Quoted.short(name))`", known: Self.changeKeys) else {
            return
        }
        var patterns = Set(hosts.filter { $0.catalogue == name }.map(\.pattern))
        var removed: Set<HostPattern> = []
        for item in fields["remove"].map({ reading.list($0, "`remove`") }) ?? [] {
            guard let pattern = pattern(item, "`remove`", &reading) else { continue }
            if patterns.remove(pattern) != nil {
                removed.insert(pattern)
            } else {
                let hint = reading.hint(pattern.description, among: patterns.map(\.description).sorted())
                reading.note(
                    .unknownName, item, "`\(pattern)` does not stand in catalogue `\(name)`.\(hint)")
            }
        }
        hosts.removeAll { $0.catalogue == name && removed.contains($0.pattern) }
        for item in fields["add"].map({ reading.list($0, "`add`") }) ?? [] {
            guard let pattern = pattern(item, "`add`", &reading), patterns.insert(pattern).inserted else { continue }
            let place = "\(reading.sources.name(item.place)):\(item.place.line)"
            hosts.append(
                HostRow(
                    catalogue: name, pattern: pattern, category: "added", reason: "the policy adds it",
                    evidence: .seen, source: place))
        }
    }

    private func pattern(_ node: DocumentNode, _ what: String, _ reading: inout NodeReading) -> HostPattern? {
        guard let text = reading.text(node, what) else { return nil }
        if let pattern = HostPattern(text) { return pattern }
        reading.note(
            .badValue, node,
            "`\(Quoted.short(text))` is no host: write bank.example, or \"*.bank.example\" for all below it")
        return nil
    }
}
