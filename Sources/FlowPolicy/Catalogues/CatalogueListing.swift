// SPDX-License-Identifier: Apache-2.0

// A catalogue printed for people and for programs.

internal import FlowModel

/// A list of rows, each with fields in a fixed order.
public struct CatalogueListing: Sendable, Hashable {
    public struct Row: Sendable, Hashable {
        /// The row in full, for example `core-protocols/apns`.
        public let name: String
        /// What it says, by name; a field that says nothing is left out.
        public let fields: [Field]

        init(_ name: String, _ fields: [(String, String)]) {
            self.name = name
            self.fields = fields.filter { !$0.1.isEmpty }.map { Field(name: $0.0, text: $0.1) }
        }
    }

    public struct Field: Sendable, Hashable {
        public let name: String
        public let text: String
    }

    public struct Section: Sendable, Hashable {
        /// A sentence without its full stop.
        public let title: String
        public let rows: [Row]
    }

    public let title: String
    public let sections: [Section]

    /// For people: each row with its fields below it.
    public var text: String {
        var lines = [title]
        for section in sections {
            lines += ["", "\(section.title) (\(section.rows.count))"]
            for row in section.rows {
                lines.append("  " + Self.line(row.name))
                lines += row.fields.map { "    \($0.name): \(Self.line($0.text))" }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// For programs: one JSON object for each row.
    public var jsonLines: [String] {
        sections.flatMap { section in
            section.rows.map { row in
                JSONLine(
                    [("row", .text(row.name)), ("section", .text(section.title))]
                        + row.fields.map { ($0.name, .text($0.text)) }
                ).text
            }
        }
    }

    /// What came from a file or a disk stays on its line and moves no cursor.
    private static func line(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{fffd}" : $0 }))
    }
}

extension Catalogues {
    /// What `listing(of:)` can print: the never set, the open ports, and every catalogue.
    public var listingNames: [String] {
        let home = hosts.contains { $0.catalogue.hasPrefix("home/") } ? ["home"] : []
        let catalogues = protocols.map(\.catalogue) + programs.map(\.catalogue) + hosts.map(\.catalogue)
        return ["never", "open-ports"] + Set(catalogues + home).sorted()
    }

    /// A catalogue by its name, `never`, `open-ports`, or `home` for all homes; nil for anything else.
    ///
    /// Rows of both systems.
    public func listing(of name: String) -> CatalogueListing? {
        switch name {
        case "never": return never
        case "open-ports":
            let rows = protocols.filter { $0.scope == .open && ($0.tier == .never || $0.tier == .default) }
            return CatalogueListing(
                title: title("open-ports", "ports that stay open to any address, and what could leave unseen"),
                sections: [
                    section("Always open", rows.filter { $0.tier == .never }),
                    section("Open where a policy leaves the catalogue alone", rows.filter { $0.tier == .default }),
                ])
        default:
            let rows =
                protocols.filter { $0.catalogue == name }.map(CatalogueListing.Row.init(_:))
                + programs.filter { $0.catalogue == name }.map(CatalogueListing.Row.init(_:))
                + hosts.filter { $0.catalogue == name || $0.catalogue.hasPrefix(name + "/") }
                .map(CatalogueListing.Row.init(_:))
            guard !rows.isEmpty else { return nil }
            let about = descriptions.first { $0.name == name }?.about ?? "rows"
            return CatalogueListing(
                title: title(name, about), sections: [CatalogueListing.Section(title: "Rows", rows: rows)])
        }
    }

    /// Exactly the rows of tier never.
    private var never: CatalogueListing {
        let rows = protocols.filter { $0.tier == .never }
        let programs = programs.filter { $0.tier == .never }
        let told = rows.filter { $0.evidence.decides && Exclusion($0) != nil }
        let byIdentity = rows.filter { $0.scope == .code }
        return CatalogueListing(
            title: title("never", "what is left alone whatever a policy says"),
            sections: [
                section("The kernel leaves these alone, by local scope or prefixes", told.filter { $0.scope != .open }),
                section("Open ports: the kernel leaves these alone to any address", told.filter { $0.scope == .open }),
                section("Left alone by who asks, not by a kernel rule", byIdentity),
                section(
                    "No TCP or UDP flow, or none that leaves; nothing is told to the kernel",
                    rows.filter { $0.scope == .none }),
                section(
                    "Not confirmed, so nothing is told to the kernel",
                    rows.filter { !$0.evidence.decides && Exclusion($0) != nil }),
                CatalogueListing.Section(
                    title: "Programs of the system, where the class is os",
                    rows: programs.filter(\.evidence.decides).map(CatalogueListing.Row.init(_:))),
                CatalogueListing.Section(
                    title: "Programs whose rows are not confirmed, so they decide nothing",
                    rows: programs.filter { !$0.evidence.decides }.map(CatalogueListing.Row.init(_:))),
            ].filter { !$0.rows.isEmpty })
    }

    private func section(_ title: String, _ rows: [ProtocolRow]) -> CatalogueListing.Section {
        CatalogueListing.Section(title: title, rows: rows.map(CatalogueListing.Row.init(_:)))
    }

    private func title(_ name: String, _ about: String) -> String {
        let edition = descriptions.first { $0.name == name }?.edition ?? edition
        return "\(name): \(about) (edition \(edition))"
    }
}

extension CatalogueListing.Row {
    fileprivate init(_ row: ProtocolRow) {
        self.init(
            row.row,
            [
                ("system", row.system.rawValue), ("tier", row.tier.rawValue), ("protocol", row.name),
                ("kernel", row.kernelRule), ("hosts", row.hosts.listed), ("why", row.reason),
                ("breaks", row.consequence), ("unseen", row.unseen), ("evidence", row.evidence.rawValue),
                ("source", row.source),
            ])
    }

    fileprivate init(_ row: ProgramRow) {
        self.init(
            row.row,
            [
                ("proof", row.match.description), ("tier", row.tier.rawValue),
                ("class", row.codeClass?.rawValue ?? ""), ("hosts", row.hosts.listed), ("ports", row.ports.listed),
                ("pinned", row.isPinned ? "yes" : ""), ("turned off by", row.restriction ?? ""), ("role", row.role),
                ("breaks", row.consequence), ("evidence", row.evidence.rawValue), ("source", row.source),
            ])
    }

    fileprivate init(_ row: HostRow) {
        self.init(
            "\(row.catalogue)/\(row.pattern)",
            [
                ("ports", row.ports.listed), ("category", row.category),
                ("why", row.reason == row.category ? "" : row.reason), ("evidence", row.evidence.rawValue),
                ("source", row.source),
            ])
    }
}

extension ProtocolRow {
    /// What a kernel is told, in words: `udp port 123 to any address`; empty when it is told nothing.
    fileprivate var kernelRule: String {
        guard let exclusion = Exclusion(self) else { return "" }
        let what =
            transports.map(\.rawValue).joined(separator: " and ") + (ports.isEmpty ? "" : " port \(ports.listed)")
        switch exclusion.scope {
        case .open: return what + " to any address"
        case .peerToPeer: return what + " on radio links to neighbours"
        case .prefixes(let prefixes): return what + " to " + prefixes.map(\.description).joined(separator: ", ")
        }
    }
}

extension ProgramRow.Match: CustomStringConvertible {
    /// `program of Apple's own com.apple.apsd`, `team AB12CD34EF: com.example.app`, `package curl: /usr/bin/curl`.
    public var description: String {
        switch self {
        case .applePlatform(let identifier): "program of Apple's own \(identifier)"
        case .team(let team, let identifier): "team \(team)" + (identifier.map { ": \($0)" } ?? "")
        case .package(let package, let paths):
            "package \(package)" + (paths.isEmpty ? "" : ": " + paths.joined(separator: ", "))
        }
    }
}

extension [HostPattern] {
    fileprivate var listed: String { map(\.description).joined(separator: ", ") }
}

extension [ClosedRange<UInt16>] {
    fileprivate var listed: String {
        map { $0.lowerBound == $0.upperBound ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ", ")
    }
}
