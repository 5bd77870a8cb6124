// SPDX-License-Identifier: Apache-2.0

// The rows of programs compared with what a system really holds.

public import CodeIdentity
internal import FlowModel

/// How the rows of programs stand to the inventory of one system.
public struct CatalogueVerification: Sendable, Hashable {
    public enum Outcome: String, Sendable, Hashable, CaseIterable {
        case confirmed
        /// Nothing in the inventory has the identifier, the team, the package or the path.
        case absent
        /// Something has it and is not what the row says.
        case contradicted
    }

    public struct Finding: Sendable, Hashable {
        public let row: ProgramRow
        public let outcome: Outcome
        /// The file that decided it, and what it is.
        public let detail: String
    }

    /// The system, for example `macOS 26.1 (25B78)`, whose build confirms or contradicts.
    public let system: String
    public let findings: [Finding]

    /// The rows by outcome, for people and for programs.
    public var listing: CatalogueListing {
        CatalogueListing(
            title: "rows of programs against the inventory of \(system)",
            sections: Outcome.allCases.map { outcome in
                CatalogueListing.Section(
                    title: outcome.rawValue,
                    rows: findings.filter { $0.outcome == outcome }.map {
                        CatalogueListing.Row(
                            $0.row.row,
                            [
                                ("proof", $0.row.match.description), ("evidence", $0.row.evidence.rawValue),
                                ("found", $0.detail), ("system", system),
                            ])
                    })
            })
    }
}

extension Catalogues {
    /// Compares the rows of programs with an inventory of the system they speak of.
    ///
    /// A file cannot say what the kernel would: an identifier counts as Apple's where every slice that has it is proved
    /// to be signed by Apple itself. Only as much is absent as the inventory searched.
    public func verify(against inventory: Inventory) -> CatalogueVerification {
        let found = FoundPrograms(inventory)
        let isMac = inventory.header.system.hasPrefix("macOS")
        return CatalogueVerification(
            system: inventory.header.system,
            findings: programs.compactMap { row in
                if case .package = row.match { if isMac { return nil } } else if !isMac { return nil }
                let (outcome, detail) = found.judge(row.match)
                return CatalogueVerification.Finding(row: row, outcome: outcome, detail: detail)
            })
    }
}

/// The programs of an inventory by what rows ask for.
private struct FoundPrograms {
    private typealias Slice = InventoryProgram.Slice
    private var byIdentifier: [String: [InventoryProgram]] = [:]
    private var byTeam: [String: [InventoryProgram]] = [:]
    private var byPackage: [String: [InventoryProgram]] = [:]
    private var byPath: [Substring: InventoryProgram] = [:]

    init(_ inventory: Inventory) {
        for program in inventory.programs {
            for identifier in Set(program.slices.compactMap(\.identifier)) {
                byIdentifier[identifier, default: []].append(program)
            }
            for team in Set(program.slices.compactMap(\.team)) { byTeam[team, default: []].append(program) }
            if let package = program.package { byPackage[package.name, default: []].append(program) }
            byPath[ProgramRow.merged(program.path)] = program
        }
    }

    func judge(_ match: ProgramRow.Match) -> (CatalogueVerification.Outcome, String) {
        switch match {
        case .applePlatform(let identifier):
            return judge(byIdentifier[identifier]) { $0.signer == SignerClass.apple.rawValue }
        case .team(let team, let identifier?):
            return judge(byIdentifier[identifier]) { Self.isCertified($0, team) }
        case .team(let team, nil): return judge(byTeam[team]) { Self.isCertified($0, team) }
        case .package(let package, let paths):
            return paths.isEmpty ? judge(package) : judge(paths, of: package)
        }
    }

    /// Whether Apple certified the team that the slice names.
    private static func isCertified(_ slice: Slice, _ team: String) -> Bool {
        slice.team == team && slice.signer.map(certifying.contains) ?? false
    }

    private static let certifying = Set(
        [SignerClass.appStore, .testFlight, .developerID, .development, .distribution].map(\.rawValue))

    /// One good program, good in all its slices, confirms the row: an impostor elsewhere proves nothing and matches
    /// nothing.
    private func judge(
        _ programs: [InventoryProgram]?, isGood: (Slice) -> Bool
    ) -> (CatalogueVerification.Outcome, String) {
        guard let programs, let first = programs.first else { return (.absent, "") }
        if let good = programs.first(where: { $0.slices.allSatisfy(isGood) }) { return (.confirmed, good.path) }
        guard let bad = first.slices.first(where: { !isGood($0) }) else { return (.absent, "") }
        let signer = bad.signer ?? "nobody that could be proved (\(bad.signing))"
        return (.contradicted, "\(first.path) is signed by \(signer)\(bad.team.map { ", team \($0)" } ?? "")")
    }

    private func judge(_ package: String) -> (CatalogueVerification.Outcome, String) {
        guard let programs = byPackage[package], let first = programs.first else { return (.absent, "") }
        if let intact = programs.first(where: { $0.package?.verdict == .intact }) { return (.confirmed, intact.path) }
        return (.contradicted, "\(first.path) is not as the package brought it")
    }

    /// Any path of the row confirms it, unless another contradicts it.
    private func judge(_ paths: [String], of package: String) -> (CatalogueVerification.Outcome, String) {
        var confirmed: String?
        for path in paths {
            guard let program = byPath[ProgramRow.merged(path)] else { continue }
            guard let claim = program.package else { return (.contradicted, "no package owns \(program.path)") }
            guard claim.name == package else {
                return (.contradicted, "\(program.path) is of package \(claim.name)")
            }
            guard claim.verdict == .intact else {
                return (.contradicted, "\(program.path): \(claim.verdict.rawValue)")
            }
            confirmed = confirmed ?? program.path
        }
        return confirmed.map { (.confirmed, $0) } ?? (.absent, "")
    }
}
