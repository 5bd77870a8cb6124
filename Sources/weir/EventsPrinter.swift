// SPDX-License-Identifier: Apache-2.0

// How events look to people: an aligned table, safe for a terminal.

import ArgumentParser
import EngineAssembly
import EventStore
import FlowModel
import Foundation

/// Lines of the table of events.
enum EventsPrinter {
    /// The findings printed below one flow, the newest; `weir events list --format json --flow ID` has them all.
    static let findingsBelow = 100

    static let heading = row("TIME", "LANE", "HOST", "PROTOCOLS", "OUT", "IN", "OUTCOME", ["PROGRAM, FINDINGS, NOTES"])

    /// An event by itself; a finding or a notice stands in the columns of the flows.
    static func line(_ event: StoredEvent) -> String {
        switch event {
        case .flow(let flow):
            let summary = flow.findings == 0 ? [] : [flow.findings == 1 ? "1 finding" : "\(flow.findings) findings"]
            return line(flow, summary)
        case .finding(let finding):
            return row(time(finding.at), "", finding.host, "", "", "", "finding", [describe(finding)])
        case .notice(let notice):
            return row(time(notice.at), "", "", "", "", "", "notice", describe(notice))
        case .message(let message):
            let status = message.status == 0 ? "no answer" : String(message.status)
            return row(
                time(message.at), message.verdict.lane.rawValue, message.host, message.method, "", "", status,
                message.notes.map(\.description))
        }
    }

    /// A flow with its findings indented below.
    static func lines(_ flow: FlowRecord, _ findings: [FindingRecord], isFiltered: Bool) -> [String] {
        let counts = Dictionary(grouping: findings, by: \.finding.type).mapValues(\.count)
        let summary = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { type, count in "\(count) \(type)" }.joined(separator: ", ")
        var lines = [line(flow, summary.isEmpty ? [] : [summary])]
        lines += findings.map { "    " + describe($0).terminalSafe }
        // With a filter the number of those left out is not known.
        if findings.count == findingsBelow || (!isFiltered && findings.count < flow.findings) {
            let more = isFiltered ? "older ones" : "\(max(0, flow.findings - findings.count)) more"
            lines.append(
                "    … \(more) that are not shown or no longer kept: see --format json --flow \(flow.facts.id)")
        }
        return lines
    }

    /// `warning: coverage-gap: …; program 12 curl (proved package curl)`.
    private static func describe(_ notice: NoticeRecord) -> [String] {
        ["\(notice.severity.rawValue): \(notice.reason)"]
            + notice.facts.map { fact in
                let program = fact.executable.flatMap { $0.split(separator: "/").last }.map { " \($0)" } ?? ""
                let proof = fact.provedName.map { " (proved \($0))" } ?? ""
                return "\(fact.code) \(fact.count)\(program)\(proof)"
            }
    }

    private static func line(_ flow: FlowRecord, _ findings: [String]) -> String {
        let reason = flow.verdict.lane == .inspect ? [] : [flow.verdict.reason.description]
        return row(
            time(flow.endedAt), flow.verdict.lane.rawValue, flow.facts.displayHost,
            flow.protocols.joined(separator: "+"), bytes(flow.bytesOutbound), bytes(flow.bytesInbound),
            flow.outcome.rawValue, maker(flow.facts.identity) + findings + reason + flow.notes.map(\.description))
    }

    /// `curl (platform-interactive, proved package curl)`; nothing where the intake cannot know.
    private static func maker(_ identity: IdentitySummary) -> [String] {
        let codeClass: String
        switch identity.codeClass {
        case .known(let known): codeClass = known.rawValue
        case .unknown(.notAsked): return []
        case .unknown(let cause): codeClass = cause.rawValue
        }
        let program = identity.executable.flatMap { $0.split(separator: "/").last } ?? "a program"
        let proof = identity.provedName.map { ", proved \($0)" } ?? ""
        return ["\(program) (\(codeClass)\(proof))"]
    }

    private static func describe(_ record: FindingRecord) -> String {
        let finding = record.finding
        let done = finding.restraint.map { "\(finding.action.rawValue) (\($0))" } ?? finding.action.rawValue
        let place = record.message > 0 ? "message \(record.message), \(record.part)" : "\(record.part)"
        return "\(done): \(finding.type) “\(finding.excerpt)” \(record.direction.rawValue), \(place) "
            + "at \(finding.offset), \(finding.confidence.rawValue)"
    }

    private static func row(
        _ time: String, _ lane: String, _ host: String, _ protocols: String, _ out: String, _ into: String,
        _ outcome: String, _ rest: [String]
    ) -> String {
        let columns = [
            time.padded(19), lane.padded(7), host.terminalSafe.padded(32), protocols.terminalSafe.padded(12),
            out.padded(7, right: true), into.padded(7, right: true), outcome.padded(11),
            rest.joined(separator: "; ").terminalSafe,
        ]
        let line = columns.joined(separator: "  ")
        return String(line[...(line.lastIndex { $0 != " " } ?? line.startIndex)])
    }

    /// The local time to the second.
    private static func time(_ milliseconds: Int64) -> String {
        var seconds = time_t(milliseconds / 1_000)
        var parts = tm()
        guard localtime_r(&seconds, &parts) != nil else { return EventTime.text(milliseconds) }
        var text = [CChar](repeating: 0, count: 64)
        let count = strftime(&text, text.count, "%Y-%m-%d %H:%M:%S", &parts)
        return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func bytes(_ count: UInt64) -> String {
        if count < 1_000 { return "\(count)B" }
        var value = Double(count)
        for unit in ["K", "M", "G", "T", "P"] {
            value /= 1_000
            if value < 999.5 { return String(format: value < 9.95 ? "%.1f%@" : "%.0f%@", value, unit) }
        }
        return String(format: "%.0fE", value / 1_000)
    }
}

extension String {
    /// This text in a column: filled with spaces, or its end, for a host ends in what tells most.
    fileprivate func padded(_ width: Int, right: Bool = false) -> String {
        if count > width { return "…" + suffix(width - 1) }
        let space = String(repeating: " ", count: width - count)
        return right ? space + self : self + space
    }
}
