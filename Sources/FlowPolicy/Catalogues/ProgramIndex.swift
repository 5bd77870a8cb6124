// SPDX-License-Identifier: Apache-2.0

// Finds the rows of a proved name without a walk through all of them.

internal import CodeIdentity

/// The places of program rows by what they match.
struct ProgramIndex: Sendable {
    private var byIdentifier: [String: [Int]] = [:]
    private var byTeam: [String: [Int]] = [:]
    private var byPackage: [String: [Int]] = [:]

    init(_ rows: [ProgramRow]) {
        for (place, row) in rows.enumerated() {
            switch row.match {
            case .applePlatform(let identifier): byIdentifier[identifier, default: []].append(place)
            case .team(let team, _): byTeam[team, default: []].append(place)
            case .package(let package, _): byPackage[package, default: []].append(place)
            }
        }
    }

    /// The places of rows that may match; `ProgramRow.matches` has the last word.
    func candidates(_ name: CodeEvidence.Name) -> [Int] {
        switch name {
        case .apple(.platform(let identifier)), .apple(.apple(let identifier)): byIdentifier[identifier] ?? []
        case .apple(.team(let team, _)): byTeam[team] ?? []
        case .linux(let package, _): byPackage[package] ?? []
        }
    }
}

extension Catalogues {
    /// The rows of a proved name, in order.
    func rows(of name: CodeEvidence.Name) -> [ProgramRow] {
        programIndex.candidates(name).map { programs[$0] }.filter { $0.matches(name) }
    }
}

extension ProgramRow {
    /// Whether the row speaks of a program with this proved name.
    func matches(_ name: CodeEvidence.Name) -> Bool {
        switch (match, name) {
        case (.applePlatform(let mine), .apple(.platform(let theirs))),
            (.applePlatform(let mine), .apple(.apple(let theirs))):
            mine == theirs
        case (.team(let mine, let identifier), .apple(.team(let theirs, let its))):
            mine == theirs && identifier.map { $0 == its } ?? true
        case (.package(let mine, let paths), .linux(let theirs, let path)):
            mine == theirs && (paths.isEmpty || paths.contains { Self.merged($0) == Self.merged(path) })
        case (.applePlatform, _), (.team, _), (.package, _): false
        }
    }

    /// The path as it is on a system that has merged `/bin`, `/sbin` and `/lib` into `/usr`, without the `/usr`.
    static func merged(_ path: String) -> Substring { path.hasPrefix("/usr/") ? path.dropFirst(4) : path[...] }
}
