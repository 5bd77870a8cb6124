// SPDX-License-Identifier: Apache-2.0

// Which field of a record stands in which column.

internal import FlowModel
internal import GRDB

extension FlowRecord: StoredRow {
    static let columns = [
        "flow", "at", "started_at", "transport", "intake", "source", "destination_host", "destination_port",
        "name_resolved", "name_claimed", "name_proved",
        "code_class", "unknown_cause", "executable", "process_id", "user_id",
        "user_pseudonym", "proved_name", "class_reason",
        "lane", "profile", "rule", "reason_code", "reason_detail",
        "protocols", "bytes_out", "bytes_in", "messages", "findings", "outcome", "notes",
    ]
    static let access = RowAccess(.flow, columns)

    var values: [(any DatabaseValueConvertible)?] {
        let codeClass: String?
        let unknownCause: String?
        switch facts.identity.codeClass {
        case .known(let known): (codeClass, unknownCause) = (known.rawValue, nil)
        case .unknown(let cause): (codeClass, unknownCause) = (nil, cause.rawValue)
        }
        let name = { (proof: NameProof) in facts.names.last { $0.proof == proof }?.name.description }
        return [
            Int64(bitPattern: facts.id.value), endedAt, facts.startedAt, facts.transport.rawValue,
            facts.intake.rawValue, facts.source?.description, facts.destination.host.description,
            facts.destination.port,
            name(.resolved), name(.claimed), name(.proved),
            codeClass, unknownCause, facts.identity.executable.map(clipped), facts.identity.processID,
            facts.identity.userID, facts.identity.userPseudonym, facts.identity.provedName.map(clipped),
            facts.identity.classReason.map(clipped),
            verdict.lane.rawValue, verdict.profile.map(clipped), verdict.rule.map(clipped),
            clipped(verdict.reason.code),
            clipped(verdict.reason.detail),
            JSONText.array(protocols.prefix(16).map { JSONText.string(clipped($0)) }),
            Int64(clamping: bytesOutbound), Int64(clamping: bytesInbound), messages, findings, outcome.rawValue,
            JSONText.notes(notes),
        ]
    }

    init(_ row: EventRow) throws(EventStoreError) {
        let destination = Endpoint(
            host: try row.parsed("destination_host") { Host($0) }, port: try row.value("destination_port"))
        var codeClass = IdentitySummary.Class.unknown(.notAsked)
        if let known = try row.optionallyParsed("code_class", CodeClass.init(rawValue:)) {
            codeClass = .known(known)
        } else if let cause = try row.optionallyParsed("unknown_cause", UnknownCause.init(rawValue:)) {
            codeClass = .unknown(cause)
        }
        var facts = FlowFacts(
            id: try row.flowID(), transport: try row.parsed("transport", Transport.init(rawValue:)),
            intake: try row.parsed("intake", IntakeKind.init(rawValue:)),
            source: try row.optionallyParsed("source") { Endpoint($0) }, destination: destination,
            identity: IdentitySummary(
                codeClass, executable: try row.optional("executable"), processID: try row.optional("process_id"),
                userID: try row.optional("user_id"), provedName: try row.optional("proved_name"),
                classReason: try row.optional("class_reason")),
            startedAt: try row.value("started_at"))
        facts.identity.userPseudonym = try row.optional("user_pseudonym")
        facts.names = []
        for (column, proof) in [
            ("name_resolved", NameProof.resolved), ("name_claimed", .claimed), ("name_proved", .proved),
        ] {
            if let name = try row.optionallyParsed(column, { HostName($0) }) { facts.learn(name, proof) }
        }
        self.init(facts: facts, verdict: try row.verdict())
        protocols = try row.strings("protocols")
        bytesOutbound = UInt64(clamping: try row.value("bytes_out") as Int64)
        bytesInbound = UInt64(clamping: try row.value("bytes_in") as Int64)
        messages = try row.value("messages")
        findings = try row.value("findings")
        endedAt = try row.value("at")
        outcome = try row.parsed("outcome", FlowOutcome.init(rawValue:))
        notes = try row.reasons("notes")
    }
}

extension MessageRecord: StoredRow {
    static let columns = [
        "flow", "at", "message", "method", "host", "status", "lane", "profile", "rule", "reason_code",
        "reason_detail", "notes",
    ]
    static let access = RowAccess(.message, columns)

    var values: [(any DatabaseValueConvertible)?] {
        [
            Int64(bitPattern: flow.value), at, message, clipped(method), clipped(host), status, verdict.lane.rawValue,
            verdict.profile.map(clipped), verdict.rule.map(clipped), clipped(verdict.reason.code),
            clipped(verdict.reason.detail), JSONText.notes(notes),
        ]
    }

    init(_ row: EventRow) throws(EventStoreError) {
        self.init(
            flow: try row.flowID(), at: try row.value("at"), message: try row.value("message"),
            method: try row.value("method"), host: try row.value("host"), status: try row.value("status"),
            verdict: try row.verdict(), notes: try row.reasons("notes"))
    }
}

extension FindingRecord: StoredRow {
    static let columns = [
        "flow", "at", "message", "direction", "part", "host", "type", "confidence", "offset", "length", "excerpt",
        "digest", "action", "restraint_code", "restraint_detail",
    ]
    static let access = RowAccess(.finding, columns)

    var values: [(any DatabaseValueConvertible)?] {
        [
            Int64(bitPattern: flow.value), at, message, direction.rawValue, clipped(part.description), clipped(host),
            clipped(finding.type), finding.confidence.rawValue, Int64(clamping: finding.offset), finding.length,
            clipped(finding.excerpt), clipped(finding.digest), finding.action.rawValue,
            finding.restraint.map { clipped($0.code) }, finding.restraint.map { clipped($0.detail) },
        ]
    }

    init(_ row: EventRow) throws(EventStoreError) {
        var restraint: Reason?
        if let code: String = try row.optional("restraint_code") {
            restraint = Reason(code, try row.value("restraint_detail"))
        }
        self.init(
            flow: try row.flowID(), at: try row.value("at"), message: try row.value("message"),
            direction: try row.parsed("direction", Direction.init(rawValue:)),
            part: try row.parsed("part") { MessagePart(text: $0) }, host: try row.value("host"),
            finding: Finding(
                type: try row.value("type"), confidence: try row.parsed("confidence", Confidence.init(rawValue:)),
                offset: UInt64(clamping: try row.value("offset") as Int64), length: try row.value("length"),
                excerpt: try row.value("excerpt"), digest: try row.value("digest"),
                action: try row.parsed("action", ContentAction.init(rawValue:)), restraint: restraint))
    }
}

extension NoticeRecord: StoredRow {
    static let columns = ["at", "severity", "reason_code", "reason_detail", "facts"]
    static let access = RowAccess(.notice, columns)

    var values: [(any DatabaseValueConvertible)?] {
        [at, severity.rawValue, clipped(reason.code), clipped(reason.detail), JSONText.facts(facts)]
    }

    init(_ row: EventRow) throws(EventStoreError) {
        self.init(
            at: try row.value("at"), try row.parsed("severity", Severity.init(rawValue:)),
            Reason(try row.value("reason_code"), try row.value("reason_detail")), facts: try row.facts("facts"))
    }
}

extension MessagePart {
    /// Reads what `description` prints.
    fileprivate init?(text: String) {
        switch text {
        case "target": self = .target
        case "body": self = .body
        case "stream": self = .stream
        default:
            guard text.hasPrefix("header:") else { return nil }
            self = .header(String(text.dropFirst("header:".count)))
        }
    }
}
