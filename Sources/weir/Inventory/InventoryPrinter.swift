// SPDX-License-Identifier: Apache-2.0

// Inventories and their differences for people.

import CodeIdentity
import EngineAssembly
import Foundation

enum InventoryPrinter {
    /// What a system runs, in short: numbers, the OS class, and what a person should look at.
    static func summary(_ inventory: Inventory) -> [String] {
        let programs = inventory.programs
        let system = programs.filter(\.isOSProgram)
        var lines = [
            "\(inventory.header.system): \(counted(programs.count, "program")), "
                + "\(counted(inventory.services.count, "service")), \(system.count) of the OS class",
            "  searched  " + inventory.header.folders.joined(separator: " "),
            "  kinds     " + tally(programs.map(\.kind.rawValue)),
        ]
        let verdicts = programs.filter { $0.kind != .machO }.map { $0.package?.verdict.rawValue ?? "no package" }
        if !verdicts.isEmpty { lines.append("  packages  " + tally(verdicts)) }
        let signers = programs.flatMap(\.slices).map { $0.signer ?? $0.signing }
        if !signers.isEmpty { lines.append("  slices    " + tally(signers)) }
        lines += section("Programs of the OS class", system) { "\($0.path)  \($0.runsFor.joined(separator: ", "))" }
        lines += section(
            "Modified since their package brought them", programs.filter { $0.package?.verdict == .modified }
        ) {
            "\($0.path)  \($0.package?.name ?? "")"
        }
        lines += section(
            "Run as another user, and no intact program of a package",
            programs.filter { $0.changesUser && $0.kind != .machO && $0.package?.verdict != .intact }, \.path)
        lines += section(
            "Run for the system, though others than root can change them",
            programs.filter { $0.kind != .machO && $0.runsForSystem && !$0.rootOwned }, \.path)
        lines += section(
            "Services that files besides the package's change", inventory.services.filter { !$0.dropIns.isEmpty }
        ) {
            "\($0.name)  \($0.dropIns.joined(separator: ", "))"
        }
        lines += section("Programs with problems", programs.filter { !$0.problems.isEmpty }) {
            "\($0.path)  \($0.problems.joined(separator: "; "))"
        }
        lines += section("Not looked at", inventory.header.problems) { $0 }
        return lines.map(\.terminalSafe)
    }

    /// The differences: what concerns the OS class first, then each kind.
    static func changes(_ changes: [InventoryChange], _ old: Inventory, _ new: Inventory) -> [String] {
        let system = changes.filter(concernsSystem)
        let others = changes.filter { !concernsSystem($0) }
        var lines = ["\(describe(old.header)) → \(describe(new.header))"]
        lines += section("OS class", system) { "\($0.kind.rawValue)  " + line($0) }
        for kind in InventoryChange.Kind.allCases {
            lines += section(title(kind), others.filter { $0.kind == kind }, line)
        }
        for (name, header) in [("old", old.header), ("new", new.header)] where !header.problems.isEmpty {
            lines.append("The \(name) record is not whole: \(counted(header.problems.count, "problem")) in its header.")
        }
        let counts = InventoryChange.Kind.allCases.compactMap { kind in
            let count = changes.count { $0.kind == kind }
            return count == 0 ? nil : "\(count) \(title(kind).lowercased())"
        }
        lines.append(
            changes.isEmpty
                ? "no differences"
                : counts.joined(separator: ", ") + "; \(system.count) of the OS class")
        return lines.map(\.terminalSafe)
    }

    /// Whether the program is of the OS class, or was.
    private static func concernsSystem(_ change: InventoryChange) -> Bool {
        change.isOSProgram || change.fields.contains { $0.name == "os-program" && $0.old == "true" }
    }

    private static func title(_ kind: InventoryChange.Kind) -> String {
        switch kind {
        case .appeared: "Appeared"
        case .vanished: "Vanished"
        case .moved: "Moved"
        case .identity: "Another identity"
        case .content: "Another content"
        }
    }

    private static func line(_ change: InventoryChange) -> String {
        let name = change.from.map { "\($0) → \(change.name)" } ?? change.name
        let fields: [String]
        switch change.kind {
        case .appeared, .vanished:
            // Of all that is known, who it is.
            fields = change.fields.compactMap { field in
                guard let value = field.new ?? field.old, told.contains(field.name), value != "false" else {
                    return nil
                }
                return "\(field.name) \(value)"
            }
        case .moved, .identity, .content:
            fields = change.fields.map { "\($0.name) \(short($0.old, $0.name)) → \(short($0.new, $0.name))" }
        }
        return fields.isEmpty ? name : "\(name): \(fields.joined(separator: "; "))"
    }

    private static let told: Set<String> = [
        "changes-user", "drop-ins", "identifier", "package", "problems", "programs", "runs-for", "signer", "team",
        "verdict", "version",
    ]

    /// A value, of a digest its beginning.
    private static func short(_ value: String?, _ name: String) -> String {
        guard let value else { return "none" }
        return name == "sha256" || name == "cdhash" ? String(value.prefix(12)) + "…" : value
    }

    private static func describe(_ header: InventoryHeader) -> String {
        let date = Date(timeIntervalSince1970: TimeInterval(header.takenAt)).formatted(.iso8601)
        return "\(header.system) (\(date))"
    }

    private static func section<Item>(_ title: String, _ items: [Item], _ line: (Item) -> String) -> [String] {
        items.isEmpty ? [] : ["", "\(title): \(items.count)"] + items.map { "  " + line($0) }
    }

    private static func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    private static func tally(_ names: [String]) -> String {
        Dictionary(grouping: names) { $0 }.mapValues(\.count)
            .sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($1) \($0)" }.joined(separator: ", ")
    }
}
