// SPDX-License-Identifier: Apache-2.0

// What Weir knows of protocols, programs and hosts before anybody writes a policy: data with evidence.

public import FlowModel

/// The catalogues: rows of facts, each with its source and how far to trust it.
///
/// A wrong row may make Weir look at less; it must never break the operating system. A row of a protocol or a program
/// with weak evidence decides nothing. A row of hosts decides wherever a policy names its catalogue.
public struct Catalogues: Sendable {
    /// What one catalogue is.
    public struct Description: Sendable, Hashable {
        /// For example `macos-daemons`.
        public var name: String
        /// The day of its last change, for example `2026-11-24`.
        public var edition: String
        public var about: String

        public init(name: String, edition: String, about: String) {
            self.name = name
            self.edition = edition
            self.about = about
        }
    }

    /// The day of the last change to any of them, for example `2026-11-24`.
    public var edition: String
    public var descriptions: [Description]
    public var protocols: [ProtocolRow]
    public var programs: [ProgramRow] { didSet { programIndex = ProgramIndex(programs) } }
    public var hosts: [HostRow]
    /// Finds the rows of a proved name without a walk.
    private(set) var programIndex: ProgramIndex

    public init(
        edition: String, descriptions: [Description] = [], protocols: [ProtocolRow] = [], programs: [ProgramRow] = [],
        hosts: [HostRow] = []
    ) {
        self.edition = edition
        self.descriptions = descriptions
        self.protocols = protocols
        self.programs = programs
        self.hosts = hosts
        programIndex = ProgramIndex(programs)
    }
}

/// How strictly a row is to be kept.
public enum CatalogueTier: String, Sendable, Hashable, CaseIterable {
    /// Left alone whatever the policy says, unless a key made for that names the row.
    case never
    /// Left alone where the policy takes the catalogue over.
    case `default`
    /// A matter for each site.
    case policy
    /// It carries what users send, so it must not be left alone as a whole.
    case inspect
}

/// The system that a row speaks of.
public enum CatalogueSystem: String, Sendable, Hashable, CaseIterable {
    case macos, linux, both

    /// The system that this build runs on.
    public static var current: CatalogueSystem {
        #if os(macOS)
        .macos
        #else
        .linux
        #endif
    }

    /// Whether a row of this system speaks of another; `both` speaks of each and is spoken of by each.
    public func speaks(of system: CatalogueSystem) -> Bool { self == system || self == .both || system == .both }
}

/// How well a row is attested.
public enum CatalogueEvidence: String, Sendable, Hashable, CaseIterable {
    /// Read on a real system or in the maker's own text or source.
    case seen
    /// The identifier is that of the launchd job: usually, not always, the program is signed with the same.
    case label
    /// Restated by others.
    case restated
    /// From memory or by inference.
    case recalled

    /// Whether a row of a protocol or a program with this evidence may decide anything.
    public var decides: Bool { self == .seen }
}

/// A protocol of the core of a system or a network.
public struct ProtocolRow: Sendable, Hashable {
    /// What a kernel may be told to leave alone.
    public enum Scope: String, Sendable, Hashable, CaseIterable {
        /// The prefixes of the row.
        case prefixes
        /// The ports of the row, within `Catalogues.localNetworks` only.
        case local
        /// Radio links to neighbours, by interface.
        case peerToPeer = "peer-to-peer"
        /// The ports of the row, to any address: an open port.
        case open
        /// Only programs of the system, by identity (the rows of programs say which): no kernel rule, because anybody
        /// may claim a name or use a port.
        case code
        /// It is no TCP or UDP flow, or it never leaves the machine: no rule at all.
        case none
    }

    /// The name of the catalogue: `core-protocols`, `apple-core-ports`, `apple-ports`.
    public var catalogue: String
    /// Unique within the catalogue, for example `apns`.
    public var id: String
    public var system: CatalogueSystem
    public var name: String
    /// Empty for neither TCP nor UDP.
    public var transports: [Transport]
    /// Empty for any port.
    public var ports: [ClosedRange<UInt16>]
    public var prefixes: [IPPrefix]
    public var hosts: [HostPattern]
    public var tier: CatalogueTier
    public var scope: Scope
    /// Why it is left alone.
    public var reason: String
    /// What breaks when it is taken.
    public var consequence: String
    /// What could leave unseen because it is left alone; empty unless the scope is `open`.
    public var unseen: String
    public var evidence: CatalogueEvidence
    public var source: String

    public init(
        catalogue: String = "core-protocols", id: String, system: CatalogueSystem, name: String,
        transports: [Transport], ports: [ClosedRange<UInt16>] = [],
        prefixes: [IPPrefix] = [], hosts: [HostPattern] = [], tier: CatalogueTier, scope: Scope, reason: String,
        consequence: String, unseen: String = "", evidence: CatalogueEvidence, source: String
    ) {
        self.catalogue = catalogue
        self.id = id
        self.system = system
        self.name = name
        self.transports = transports
        self.ports = ports
        self.prefixes = prefixes
        self.hosts = hosts
        self.tier = tier
        self.scope = scope
        self.reason = reason
        self.consequence = consequence
        self.unseen = unseen
        self.evidence = evidence
        self.source = source
    }
}

extension ProtocolRow {
    /// The row in full, for example `core-protocols/apns`.
    public var row: String { "\(catalogue)/\(id)" }
}

/// A program, told by what it can prove.
public struct ProgramRow: Sendable, Hashable {
    public enum Match: Sendable, Hashable {
        /// A program of Apple's own: the identifier counts by the kernel's word that the program is part of the system,
        /// or where `anchor apple` is proved.
        case applePlatform(identifier: String)
        /// A program of a team that Apple certified; nil for every program of the team.
        case team(String, identifier: String?)
        /// A file of a Linux package; without paths, every program of the package.
        ///
        /// A path with and without `/usr` before it is the same.
        case package(String, paths: [String])
    }

    /// The name of the catalogue, for example `macos-daemons`.
    public var catalogue: String
    /// Unique within the catalogue, for example `com.apple.apsd`.
    public var id: String
    public var match: Match
    /// The class that the row gives to the program it matches; nil when it gives none.
    public var codeClass: CodeClass?
    public var tier: CatalogueTier
    /// The hosts it talks to, where they are part of the row: process, host and port together.
    public var hosts: [HostPattern]
    /// Empty for any port.
    public var ports: [ClosedRange<UInt16>]
    public var role: String
    public var consequence: String
    /// Whether it accepts its own server's certificate only, so that it can be allowed or blocked, never inspected.
    public var isPinned: Bool
    /// The management restriction that turns the feature off, where there is one.
    public var restriction: String?
    public var evidence: CatalogueEvidence
    public var source: String

    public init(
        catalogue: String, id: String, match: Match, codeClass: CodeClass? = nil, tier: CatalogueTier,
        hosts: [HostPattern] = [], ports: [ClosedRange<UInt16>] = [], role: String, consequence: String = "",
        isPinned: Bool = false, restriction: String? = nil, evidence: CatalogueEvidence, source: String
    ) {
        self.catalogue = catalogue
        self.id = id
        self.match = match
        self.codeClass = codeClass
        self.tier = tier
        self.hosts = hosts
        self.ports = ports
        self.role = role
        self.consequence = consequence
        self.isPinned = isPinned
        self.restriction = restriction
        self.evidence = evidence
        self.source = source
    }
}

extension ProgramRow {
    /// The row in full, for example `macos-daemons/com.apple.apsd`.
    public var row: String { "\(catalogue)/\(id)" }
}

/// A host, or everything below one.
public struct HostRow: Sendable, Hashable {
    /// The name of the catalogue, for example `private-life`, `pinned-hosts`, `private-relay`, `home/payment-card`.
    public var catalogue: String
    public var pattern: HostPattern
    /// Empty for any port.
    public var ports: [ClosedRange<UInt16>]
    /// A word for what the host is, for example `bank`.
    public var category: String
    public var reason: String
    public var evidence: CatalogueEvidence
    public var source: String

    public init(
        catalogue: String, pattern: HostPattern, ports: [ClosedRange<UInt16>] = [], category: String, reason: String,
        evidence: CatalogueEvidence, source: String
    ) {
        self.catalogue = catalogue
        self.pattern = pattern
        self.ports = ports
        self.category = category
        self.reason = reason
        self.evidence = evidence
        self.source = source
    }
}

/// `a.example`, or `*.a.example` for everything below it.
public struct HostPattern: Sendable, Hashable, CustomStringConvertible {
    public let name: HostName
    /// Whether it means what lies below the name and not the name itself.
    public let isBelow: Bool

    public init(_ name: HostName, isBelow: Bool = false) {
        self.name = name
        self.isBelow = isBelow
    }

    /// Reads `a.example` or `*.a.example`; nil for all else.
    public init?(_ text: some StringProtocol) {
        let isBelow = text.hasPrefix("*.")
        guard let name = HostName(isBelow ? text.dropFirst(2) : text[...]) else { return nil }
        self.init(name, isBelow: isBelow)
    }

    public var description: String { isBelow ? "*.\(name)" : name.description }
}
