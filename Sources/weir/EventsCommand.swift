// SPDX-License-Identifier: Apache-2.0

// `weir events`: what happened.

import ArgumentParser
import Dispatch
import EngineAssembly
import EventStore
import FlowModel
import Foundation

/// Shows the events in the store of a state directory.
struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Show what happened: flows, their messages and findings, and notices about Weir itself.",
        discussion: """
            As text, a line is a flow, its findings below it, or a notice. As JSON, a line is an event of the kind \
            "flow", "message", "finding" or "notice", and its keys are stable. A notice is about Weir itself: a \
            filter by anything but time leaves it out.
            """,
        subcommands: [List.self, Follow.self, Export.self],
        defaultSubcommand: List.self)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    /// Which events, of which store.
    struct Filter: ParsableArguments {
        @Option(help: ArgumentHelp("The state directory.", valueName: "dir"))
        var state: String?

        @Option(
            help: ArgumentHelp("Since so long ago (90s, 5m, 1h, 2d) or since an RFC 3339 time.", valueName: "when"),
            transform: Filter.moment)
        var since: Int64?

        @Option(
            help: ArgumentHelp("To this host; *.example.com for the names below one.", valueName: "host"),
            transform: { text in
                guard let pattern = HostPattern(text) else { throw ValidationError("'\(text)' is not a host") }
                return pattern
            })
        var host: HostPattern?

        @Option(
            help: ArgumentHelp("With a finding of this type, or of a family such as 'secret/*'.", valueName: "type"))
        var type: String?

        @Option(
            help: ArgumentHelp("With a finding that this was done about: report, redact, block.", valueName: "action"),
            transform: Filter.choice)
        var action: ContentAction?

        @Option(
            help: ArgumentHelp(
                "Flows or messages that went this way: bypass, relay, inspect, block.", valueName: "lane"),
            transform: Filter.choice)
        var lane: Lane?

        @Option(
            help: ArgumentHelp("Of this flow alone.", valueName: "id"),
            transform: { text in
                guard let flow = FlowID(text) else {
                    throw ValidationError("'\(text)' is not a flow: 16 hexadecimal digits")
                }
                return flow
            })
        var flow: FlowID?

        @Option(help: ArgumentHelp("At most so many lines, the newest.", valueName: "n"))
        var limit: Int?

        func validate() throws {
            if let limit, limit < 0 { throw ValidationError("--limit cannot be negative") }
        }

        var query: EventQuery {
            var query = EventQuery()
            query.since = since
            query.host = host
            query.findingType = type
            query.action = action
            query.lane = lane
            query.flow = flow
            query.limit = limit
            return query
        }

        func open() throws -> EventReader {
            try EventReader.open(at: StateDirectory.resolve(state))
        }

        private static func choice<Value: RawRepresentable & CaseIterable>(_ text: String) throws -> Value
        where Value.RawValue == String {
            guard let value = Value(rawValue: text) else {
                let known = Value.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("'\(text)' is none of \(known)")
            }
            return value
        }

        private static func moment(_ text: String) throws -> Int64 {
            let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800]
            if let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()), count >= 0 {
                let (seconds, isTooLong) = count.multipliedReportingOverflow(by: unit * 1_000)
                if !isTooLong { return EventTime.now - seconds }
            }
            let whole = Date.ISO8601FormatStyle()
            for style in [whole, whole.year().month().day().time(includingFractionalSeconds: true)] {
                if let date = try? style.parse(text) { return Int64((date.timeIntervalSince1970 * 1_000).rounded()) }
            }
            throw ValidationError("'\(text)' is neither a span such as 1h nor a time such as 2026-01-31T12:00:00Z")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the events that are stored.")

        @OptionGroup var filter: Filter
        @Option(help: ArgumentHelp("text or json.", valueName: "format"))
        var format = Format.text

        func run() async throws {
            try await explained {
                let reader = try filter.open()
                var output = StandardOutput()
                switch format {
                case .json:
                    for try await event in reader.events(filter.query) { try output.line(event.jsonLine) }
                case .text:
                    try await list(reader, &output)
                }
                try output.flush()
            }
        }

        private func list(_ reader: EventReader, _ output: inout StandardOutput) async throws {
            var lines = filter.query
            lines.kinds = [.notice, .flow, .finding]
            lines.onlyFindingsOfOpenFlows = true
            var isEmpty = true
            for try await event in reader.events(lines) {
                if isEmpty { try output.line(EventsPrinter.heading) }
                isEmpty = false
                guard case .flow(let flow) = event, flow.findings > 0 else {
                    try output.line(EventsPrinter.line(event))
                    continue
                }
                var below = EventQuery()
                below.flow = flow.facts.id
                below.kinds = [.finding]
                below.findingType = filter.type
                below.action = filter.action
                below.limit = EventsPrinter.findingsBelow
                var findings: [FindingRecord] = []
                for try await case .finding(let finding) in reader.events(below) { findings.append(finding) }
                for line in EventsPrinter.lines(flow, findings, isFiltered: filter.type != nil || filter.action != nil)
                {
                    try output.line(line)
                }
            }
            if isEmpty { try output.line("no events") }
        }
    }

    struct Follow: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show events as they are stored, until interrupted.",
            discussion: "Without --since or --limit it starts with what is new.")

        @OptionGroup var filter: Filter
        @Option(help: ArgumentHelp("text or json.", valueName: "format"))
        var format = Format.text

        func run() async throws {
            try await explained {
                let reader = try filter.open()
                var query = filter.query
                if query.since == nil, query.limit == nil { query.limit = 0 }
                // As text a finding has its own line here: its flow may not end for hours.
                if format == .text { query.kinds = [.notice, .flow, .finding] }
                let events = reader.follow(query)
                let format = format
                try await untilInterrupted {
                    var output = StandardOutput()
                    for try await event in events {
                        try output.line(format == .json ? event.jsonLine : EventsPrinter.line(event))
                        try output.flush()
                    }
                }
            }
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Write all that matches as lines of JSON.")

        @OptionGroup var filter: Filter

        func run() async throws {
            try await explained {
                let reader = try filter.open()
                var output = StandardOutput()
                for try await event in reader.events(filter.query) { try output.line(event.jsonLine) }
                try output.flush()
            }
        }
    }
}

/// Turns an error of the store into one line and exit status 1.
private func explained(_ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let error as EventStoreError {
        FileHandle.standardError.write(Data("weir events: \(error)\n".utf8))
        throw ExitCode(1)
    }
}

/// Runs until SIGINT or SIGTERM, which end it in order.
private func untilInterrupted(_ body: @escaping @Sendable () async throws -> Void) async throws {
    let task = Task(operation: body)
    let sources = [SIGINT, SIGTERM].map { number in
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler { task.cancel() }
        source.resume()
        return source
    }
    defer { for source in sources { source.cancel() } }
    try await task.value
}
