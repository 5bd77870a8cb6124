// SPDX-License-Identifier: Apache-2.0

// The catalogues that ship, read once from the data files beside this one.

extension Catalogues {
    /// The catalogues that ship with this build.
    public static let shipped = Catalogues(
        edition: "none",
        hosts: ["bank.example", "*.bank.example"].compactMap { HostPattern($0) }.map {
            HostRow(
                catalogue: "private-life", pattern: $0, category: "bank", reason: "a stand-in", evidence: .seen,
                source: "none")
        })

    /// The names that `to: catalogue NAME` may take.
    public var hostCatalogues: [String] { Set(hosts.map(\.catalogue)).sorted() }

    /// The hosts of a catalogue; nil when there is none of this name.
    func hosts(in catalogue: String) -> HostSet? {
        let rows = hosts.filter { $0.catalogue == catalogue }
        guard !rows.isEmpty else { return nil }
        var set = HostSet()
        for row in rows { set.insert(row.pattern) }
        return set
    }
}
