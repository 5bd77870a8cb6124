// SPDX-License-Identifier: Apache-2.0

// What a policy says once for all rules, what nothing refers to, and what time brings.

internal import FlowModel

extension PolicyCheck {
    mutating func settings() {
        for checked in active {
            for window in checked.rule.conditions.compactMap(\.window) { expiry(checked, window) }
        }
        looks()
        neverRows()
        privacy()
        if let edition = CivilDay(policy.catalogues.edition), today.number - edition.number > 365 {
            note(
                PolicyFinding(
                    .catalogueOld, .warning, place(of: "catalogues"),
                    "the catalogues are of \(edition): systems and services have changed since",
                    mend: "update Weir, or run `weir policy catalogue verify` on each system that you have"))
        }
        if policy.settings.dns == .block {
            note(
                PolicyFinding(
                    .dnsBlocked, .note, place(of: "dns"),
                    "`dns: others: block` refuses the queries of every program but the system's resolver: "
                        + "browsers with a resolver of their own, containers and VPN clients find no names any more",
                    mend: "write `report` first, and see who asks"))
        }
        for declaration in policy.outline.declarations where !declaration.isUsed {
            note(
                PolicyFinding(
                    .unused, .note, declaration.place,
                    "the \(declaration.kind.rawValue) \(Quoted.short(declaration.name)) is declared, and no rule "
                        + "uses it",
                    mend: "use it, or take it out"))
        }
    }

    private var today: CivilDay { CivilDay(milliseconds: now) }

    private mutating func expiry(_ checked: Checked, _ window: TimeWindow) {
        guard let end = window.notAfter else { return }
        let day = CivilDay(milliseconds: end)
        if end <= now {
            note(
                .expired, .warning, checked, "held until \(day) and holds no more: its flows go to later rules",
                mend: "give it a later `until`, or take it out")
        } else if day.number - today.number <= 30 {
            note(
                .expiresSoon, .note, checked, "holds until \(day): its flows then go to later rules",
                mend: "give it a later `until`, or make sure that what follows is meant")
        }
    }

    private mutating func looks() {
        guard policy.mode == .observe || policy.mode == .enforce, !active.contains(where: { $0.lane == .inspect }),
            !policy.unknown.values.contains(where: \.inspects)
        else { return }
        note(
            PolicyFinding(
                .inspectsNothing, .warning, place(of: "mode"),
                "the mode is \(policy.mode.rawValue), and no rule inspects: nothing is ever looked for in what passes",
                mend: "add a rule with `then: inspect`, or `mode: off` if nothing shall be taken"))
    }

    private mutating func neverRows() {
        for row in policy.settings.inspectedNeverRows {
            // An id may stand in more than one catalogue, and then all of its rows are taken out.
            let facts =
                policy.catalogues.protocols.filter { $0.tier == .never && [$0.id, $0.row].contains(row) }
                .map { "\($0.reason), and this breaks: \($0.consequence)" }
                + policy.catalogues.programs.filter { $0.tier == .never && [$0.id, $0.row].contains(row) }
                .map { "\($0.role), and this breaks: \($0.consequence)" }
            note(
                PolicyFinding(
                    .neverRowTaken, .warning, place(of: "capture.inspect-never.\(row)"),
                    "the row \(Quoted.short(row)) is taken out of the never set"
                        + ": " + (facts.isEmpty ? "what that breaks, no row says" : facts.joined(separator: "; ")),
                    mend: "leave it in the never set, or try it on one machine first and run `weir doctor` there"))
        }
    }

    private mutating func privacy() {
        let privacy = policy.settings.privacy
        if privacy.users == .name, privacy.retainDays == nil {
            note(
                PolicyFinding(
                    .usersNamed, .note, place(of: "privacy"),
                    "`users: name` writes who did what into every event, and nothing says for how long it is kept",
                    mend: "write `users: pseudonym`, or `retain` with the days that your works agreement allows"))
        }
        if let days = privacy.retainDays, days > 180 {
            note(
                PolicyFinding(
                    .retainedLong, .note, place(of: "privacy"), "events are kept for \(days) days",
                    mend: "write down why that long, or keep them for at most 180 days"))
        }
    }
}

extension Condition {
    /// The window that ends the whole rule when it ends; one inside `any` or `not` ends only a part.
    fileprivate var window: TimeWindow? {
        switch self {
        case .time(let window): window
        case .all(let conditions): conditions.lazy.compactMap(\.window).first
        default: nil
        }
    }
}

/// A day of the Gregorian calendar, in UTC.
struct CivilDay: CustomStringConvertible {
    /// Days since 1970-01-01.
    let number: Int

    init(milliseconds: Int64) {
        let day: Int64 = 86_400_000
        number = Int(milliseconds / day) - (milliseconds % day < 0 ? 1 : 0)
    }

    /// Reads `2026-11-24`; nil for all else.
    init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { part in
            part.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(part) : nil
        }
        guard parts.count == 3, let year = parts[0], let month = parts[1], let day = parts[2],
            (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        // Years that begin in March have their leap day last; 719,468 days lie between 0000-03-01 and 1970-01-01.
        let shifted = month > 2 ? year : year - 1
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        number = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    }

    /// `2026-11-24`; the number of the day where the year has not four digits.
    var description: String {
        let day = number + 719_468
        guard (719_468...3_652_424).contains(day) else { return "day \(number) since 1970" }
        let era = day / 146_097
        let dayOfEra = day % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        let two = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
        return "\(year)-\(two(month))-\(two(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1))"
    }
}
