// SPDX-License-Identifier: Apache-2.0

// The catalogues that ship, read once from the data files beside this one.

internal import CCatalogues

extension Catalogues {
    /// The catalogues that ship with this build.
    public static let shipped = reading.catalogues

    /// Rows of the shipped files that could not be used; none in a build that passed its tests.
    public static let shippedProblems = reading.problems

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

    private static let reading = read(
        (0..<weir_catalogue_count()).compactMap { number in
            let file = weir_catalogue_at(number)
            guard let name = file.name else { return nil }
            return (String(cString: name), Array(UnsafeBufferPointer(start: file.bytes, count: file.count)))
        })

    /// Reads catalogue files by name; what cannot be read is dropped and told.
    static func read(_ files: [(name: String, bytes: [UInt8])]) -> (
        catalogues: Catalogues, problems: [CatalogueProblem]
    ) {
        var catalogues = Catalogues(edition: "none")
        var programs: [ProgramRow] = []
        var problems: [CatalogueProblem] = []
        for (name, bytes) in files {
            var table = CatalogueTable(name, bytes)
            switch name {
            case "index": catalogues.descriptions += table.map(Description.init(_:))
            case "known-bad": continue  // `KnownBadTable`
            case "core-protocols": catalogues.protocols += table.map(ProtocolRow.init(core:))
            case "apple-ports": catalogues.protocols += table.map(ProtocolRow.init(applePort:))
            case "macos-daemons": programs += table.map(ProgramRow.init(macDaemon:))
            case "linux-daemons": programs += table.map(ProgramRow.init(linuxDaemon:))
            case "platform-interactive": programs += table.map(ProgramRow.init(interactive:))
            case "pinned-apps": programs += table.map(ProgramRow.init(pinned:))
            default: catalogues.hosts += table.map { fields throws(CatalogueProblem) in try hostRow(name, fields) }
            }
            problems += table.problems
        }
        catalogues.programs = programs
        catalogues.edition = catalogues.descriptions.map(\.edition).max() ?? "none"
        return (catalogues, problems)
    }

    /// `read` for a fuzzer, which is no part of this package's tests.
    @_spi(Fuzzing) public static func readFiles(_ files: [(name: String, bytes: [UInt8])]) -> (
        catalogues: Catalogues, problems: [CatalogueProblem]
    ) {
        read(files)
    }

    private static func hostRow(_ name: String, _ fields: CatalogueFields) throws(CatalogueProblem) -> HostRow {
        switch name {
        case "apple-hosts": try HostRow(fields, category: "category", reason: "purpose")
        case "private-life": try HostRow(fields, category: "category", reason: "about", hasPorts: false)
        case "home":
            // A token sent to its own issuer is at home there, whatever the port.
            try HostRow(
                fields, in: "home/" + fields.needed("detector"), category: "service", reason: "service", hasPorts: false
            )
        default: try HostRow(fields, category: "why", reason: "why")
        }
    }
}

extension Catalogues.Description {
    fileprivate init(_ fields: CatalogueFields) throws(CatalogueProblem) {
        self.init(
            name: try fields.needed("catalogue"), edition: try fields.needed("edition"),
            about: try fields.needed("about"))
    }
}
