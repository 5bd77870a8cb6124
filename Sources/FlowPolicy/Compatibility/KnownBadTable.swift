// SPDX-License-Identifier: Apache-2.0

// Combinations of system, hardware and other extensions that are known to go wrong with a transparent proxy.

internal import CCatalogues

/// What the table is asked about: a machine.
public struct SystemFacts: Hashable, Sendable {
    public var build: SystemBuild
    /// What the machine calls its hardware: its model, its processor.
    public var hardware: [String]
    /// Other things in the path, for example `content-filter`, `vpn`; nil when nobody could find out.
    public var others: Set<String>?

    public init(build: SystemBuild, hardware: [String], others: Set<String>?) {
        self.build = build
        self.hardware = hardware
        self.others = others
    }
}

/// A combination that is known to go wrong.
public struct KnownBadRow: Hashable, Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        /// The kernel stops.
        case panic
        /// Connections fail.
        case breaks
        /// Something is slower, or missing.
        case degrades
    }

    /// Unique, for example `skmem-content-filter`.
    public var id: String
    /// `macos` or `linux`.
    public var system: CatalogueSystem
    /// Names of builds, a `*` at the end for all that begin so; empty for any.
    public var builds: [String]
    /// Words of the hardware's name, any of them; empty for any.
    public var hardware: [String]
    /// What else has to be there, all of it.
    public var others: [String]
    public var kind: Kind
    /// The most that a policy may do; nil where the row only warns.
    public var cap: Policy.Mode?
    /// What goes wrong.
    public var reason: String
    /// What the owner of the machine can do.
    public var remedy: String
    public var evidence: CatalogueEvidence
    public var source: String
    /// Nil for any.
    var versions: VersionRange?

    /// From the first to the last version, both whole: 26.4.1 lies in 26.3-26.4.
    struct VersionRange: Hashable, Sendable {
        var first: [Int]
        var last: [Int]

        func contains(_ version: [Int]) -> Bool {
            !version.isEmpty && !version.lexicographicallyPrecedes(first)
                && !last.lexicographicallyPrecedes(version.prefix(last.count))
        }
    }

    /// Whether a machine is such a combination.
    ///
    /// What could not be found out counts as there where the row holds the mode down, since such machines stop, and as
    /// absent where it only warns.
    public func matches(_ facts: SystemFacts) -> Bool {
        guard facts.build.system == system, versions?.contains(facts.build.version) ?? true else { return false }
        let identifier = facts.build.identifier
        let isBuild =
            builds.isEmpty
            || builds.contains { pattern in
                pattern.hasSuffix("*") ? identifier.hasPrefix(pattern.dropLast()) : identifier == pattern
            }
        let words = facts.hardware.flatMap { $0.split { !$0.isLetter && !$0.isNumber } }
        let isHardware = hardware.isEmpty || words.contains { word in hardware.contains { $0 == word } }
        let isAmong = facts.others.map { $0.isSuperset(of: others) } ?? (others.isEmpty || cap != nil)
        return isBuild && isHardware && isAmong
    }

    /// The cap with its words.
    public var modeCap: ModeCap? {
        cap.map { ModeCap($0, because: "this combination is known to go wrong (\(id)): \(reason)") }
    }
}

/// The table of what is known to go wrong.
public struct KnownBadTable: Sendable {
    public let rows: [KnownBadRow]

    init(_ rows: [KnownBadRow]) { self.rows = rows }

    /// The table that ships with this build.
    public static let shipped: KnownBadTable = {
        for number in 0..<weir_catalogue_count() {
            let file = weir_catalogue_at(number)
            guard let name = file.name, String(cString: name) == "known-bad" else { continue }
            let text = String(decoding: UnsafeBufferPointer(start: file.bytes, count: file.count), as: UTF8.self)
            // A test reads the shipped file: in a program that was built, it can be read.
            return (try? KnownBadTable(csv: text)) ?? KnownBadTable([])
        }
        return KnownBadTable([])
    }()

    /// The rows that a machine matches, in the table's order.
    public func rows(for facts: SystemFacts) -> [KnownBadRow] { rows.filter { $0.matches(facts) } }

    /// The most that a policy may do on a machine; nil for all of it.
    public func cap(for facts: SystemFacts) -> ModeCap? { ModeCap.lowest(rows(for: facts).compactMap(\.modeCap)) }
}
