// SPDX-License-Identifier: Apache-2.0

// How the rows of each catalogue file become rows of the catalogues.

internal import FlowModel

extension ProtocolRow {
    /// A row of `core-protocols`.
    init(core fields: CatalogueFields) throws(CatalogueProblem) {
        self.init(
            id: try fields.needed("id"), system: try fields.word("os"), name: try fields.needed("protocol"),
            transports: try fields.transports("transports"), ports: try fields.ports("ports"),
            prefixes: try fields.prefixes("prefixes"), hosts: try fields.hosts("hosts"), tier: try fields.word("tier"),
            scope: try fields.word("scope"), reason: try fields.needed("reason"),
            consequence: try fields.needed("consequence"), unseen: try fields.text("unseen"),
            evidence: try fields.word("evidence"), source: try fields.needed("source"))
        try check(fields)
    }

    /// A row of `apple-ports`; the critical ones are a catalogue of their own, which a policy may leave alone.
    init(applePort fields: CatalogueFields) throws(CatalogueProblem) {
        let isCore = try fields.needed("critical") == "core"
        self.init(
            catalogue: isCore ? "apple-core-ports" : "apple-ports", id: try fields.needed("id"), system: .macos,
            name: try fields.needed("protocol"), transports: try fields.transports("transports"),
            ports: try fields.ports("port"), tier: isCore ? .default : .policy, scope: try fields.word("scope"),
            reason: try fields.needed("used_by"), consequence: "what Apple lists for this port stops",
            unseen: try fields.text("unseen"), evidence: try fields.word("evidence"),
            source: try fields.needed("source"))
        try check(fields)
    }

    /// A row whose scope and other fields contradict each other would be a hole, so it is none.
    private func check(_ fields: CatalogueFields) throws(CatalogueProblem) {
        if scope == .prefixes, prefixes.isEmpty { throw fields.problem("the scope is prefixes; name them") }
        if scope == .local || scope == .open, ports.isEmpty || !prefixes.isEmpty {
            throw fields.problem("the scope \(scope.rawValue) needs ports and no prefixes")
        }
        if scope == .open, unseen.isEmpty {
            throw fields.problem("the scope is open; say in 'unseen' what could leave")
        }
        if scope != .none, scope != .code, transports.isEmpty { throw fields.problem("'transports' is empty; fill it") }
    }
}

extension ProgramRow {
    /// A row of `macos-daemons`.
    init(macDaemon fields: CatalogueFields) throws(CatalogueProblem) {
        let identifier = try fields.needed("identifier")
        let tier = try fields.word("tier", CatalogueTier.self)
        self.init(
            catalogue: fields.catalogue, id: identifier, match: .applePlatform(identifier: identifier),
            // It carries what users send, so that the system runs it does not excuse it.
            codeClass: tier == .inspect ? .platformInteractive : nil, tier: tier, role: try fields.needed("role"),
            consequence: try fields.needed("consequence"), isPinned: try fields.text("pinned").hasPrefix("yes"),
            evidence: try fields.word("evidence"), source: try fields.needed("source"))
    }

    /// A row of `linux-daemons`.
    init(linuxDaemon fields: CatalogueFields) throws(CatalogueProblem) {
        let tier = try fields.word("tier", CatalogueTier.self)
        self.init(
            catalogue: fields.catalogue, id: try fields.needed("id"),
            match: .package(try fields.needed("package"), paths: try fields.texts("paths")),
            codeClass: tier == .inspect ? .platformInteractive : nil, tier: tier, role: try fields.needed("role"),
            consequence: try fields.needed("consequence"), evidence: try fields.word("evidence"),
            source: try fields.needed("source"))
    }

    /// A row of `platform-interactive`.
    init(interactive fields: CatalogueFields) throws(CatalogueProblem) {
        self.init(
            catalogue: fields.catalogue, id: try fields.needed("id"), match: try Match(fields),
            codeClass: .platformInteractive, tier: .inspect, role: try fields.needed("what"),
            evidence: try fields.word("evidence"), source: try fields.needed("source"))
    }

    /// A row of `pinned-apps`.
    init(pinned fields: CatalogueFields) throws(CatalogueProblem) {
        let isPinned = try fields.needed("pinned") == "yes"
        let carriesUsers = try fields.needed("carries") == "user"
        let restriction = try fields.text("restriction")
        self.init(
            catalogue: fields.catalogue, id: try fields.needed("id"), match: try Match(fields),
            codeClass: isPinned && carriesUsers ? .userCarryingPinned : nil, tier: .policy,
            hosts: try fields.hosts("hosts"), ports: try fields.ports("ports"), role: try fields.needed("name"),
            consequence: try fields.needed("why"), isPinned: isPinned,
            restriction: restriction.isEmpty ? nil : restriction, evidence: try fields.word("evidence"),
            source: try fields.needed("source"))
    }
}

extension ProgramRow.Match {
    /// By `system`, `identifier`, `team`, `package` and `paths`; an identifier without a team is Apple's own.
    fileprivate init(_ fields: CatalogueFields) throws(CatalogueProblem) {
        switch try fields.word("system", CatalogueSystem.self) {
        case .linux: self = .package(try fields.needed("package"), paths: try fields.texts("paths"))
        case .macos:
            let identifier = try fields.needed("identifier")
            let hasTeam = fields.columns["team"] != nil
            let team = hasTeam ? try fields.text("team") : ""
            self = team.isEmpty ? .applePlatform(identifier: identifier) : .team(team, identifier: identifier)
        case .both: throw fields.problem("a program is of macos or linux; write a row for each")
        }
    }
}

extension HostRow {
    /// A row of hosts: the column that says what the host is, and the one that says why it stands here.
    init(
        _ fields: CatalogueFields, in catalogue: String? = nil, category: String, reason: String, hasPorts: Bool = true
    ) throws(CatalogueProblem) {
        let host = try fields.needed("host")
        guard let pattern = HostPattern(host) else { throw fields.problem("'\(host)' is no host") }
        self.init(
            catalogue: catalogue ?? fields.catalogue, pattern: pattern,
            ports: hasPorts ? try fields.ports("ports") : [],
            category: try fields.needed(category), reason: try fields.needed(reason),
            evidence: try fields.word("evidence"), source: try fields.needed("source"))
    }
}
