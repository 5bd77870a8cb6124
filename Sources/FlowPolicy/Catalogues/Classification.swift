// SPDX-License-Identifier: Apache-2.0

// What the catalogues add to the class of a proved program.

internal import CodeIdentity
public import FlowModel

extension Catalogues {
    /// The program as the catalogues know it: its class with the reason, its proved name, and whether it is never taken.
    ///
    /// Rows are asked only for names that are proved, and a row whose evidence is weak is mentioned and decides nothing.
    /// The administrator's word on vendors comes first, then pinned programs that carry what users send, then programs
    /// of the system that do what a user wants; the facts alone decide the rest. A class that is not known stays so.
    public func classified(
        _ evidence: CodeEvidence, _ settings: PolicySettings = PolicySettings()
    ) -> IdentitySummary {
        var summary = evidence.summary
        guard let name = evidence.name else { return summary }
        summary.provedName = name.description
        guard case .known(let facts) = summary.codeClass, facts != .unsigned else { return summary }
        let rows = rows(of: name)
        let deciding = rows.filter(\.evidence.decides)
        var reasons: [String] = []
        if let vendor = settings.vendor(name) {
            summary.codeClass = .known(.vendor)
            reasons.append("\(vendor) is named as a vendor")
        } else if let row = deciding.first(where: { $0.codeClass == .userCarryingPinned })
            ?? deciding.first(where: { $0.codeClass != nil }), let codeClass = row.codeClass
        {
            summary.codeClass = .known(codeClass)
            reasons.append("row \(row.row): \(row.role)")
        } else if let known = summary.classReason {
            reasons.append(known)
        }
        if summary.codeClass == .known(.os),
            let row = deciding.first(where: { $0.tier == .never && !settings.inspects(row: $0.row, id: $0.id) })
        {
            summary.neverRow = row.row
            reasons.append("row \(row.row): \(row.role)")
        }
        for row in rows where !row.evidence.decides {
            reasons.append("row \(row.row) is not confirmed (\(row.evidence.rawValue)), so it decides nothing")
        }
        summary.classReason = reasons.isEmpty ? nil : reasons.joined(separator: "; ")
        return summary
    }
}

extension PolicySettings {
    /// Whether the administrator has taken a row out of the never set, by its id or its name in full.
    func inspects(row name: String, id: String) -> Bool {
        inspectedNeverRows.contains { $0 == id || $0 == name }
    }

    /// The team or package of a proved name, where the administrator calls it a vendor's.
    fileprivate func vendor(_ name: CodeEvidence.Name) -> String? {
        switch name {
        case .apple(.team(let team, _)): vendorTeams.contains(team) ? "team \(team)" : nil
        case .linux(let package, _): vendorPackages.contains(package) ? "package \(package)" : nil
        case .apple(.platform), .apple(.apple): nil
        }
    }
}
