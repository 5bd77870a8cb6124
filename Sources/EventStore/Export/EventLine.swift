// SPDX-License-Identifier: Apache-2.0

// Events as lines of JSON: a promise to other programs.

internal import FlowModel

extension StoredEvent {
    /// The event as one line of JSON, without the line's end.
    ///
    /// Every key of a kind is always there, in this order; what is not known is null. Keys may be added, never changed.
    /// - all: `kind` ("flow", "message", "finding" or "notice"), `time` (RFC 3339, UTC, milliseconds), `flow` (16 hex
    ///   digits; null for a notice)
    /// - flow: `started`, `transport`, `intake`, `source`, `destination`, `host`, `names` [{`name`, `proof`}],
    ///   `identity` {`class`, `unknown`, `executable`, `pid`, `uid`, `user`, `proved`, `reason`}, `verdict`, `protocols`,
    ///   `bytes_out`, `bytes_in`, `messages`, `findings`, `outcome`, `notes`; its `time` is its end;
    ///   `proved` is the name of the program that is proved, `reason` why it has its class;
    ///   `uid` is the user's number and `user` a pseudonym: one of them is null, as the policy says
    /// - message: `message`, `method`, `host`, `status` (0: no answer), `verdict`, `notes`
    /// - finding: `message`, `direction`, `part`, `host`, `type`, `confidence`, `offset`, `length`, `excerpt`,
    ///   `digest`, `action`, `restraint` ({`code`, `detail`} or null)
    /// - notice: `severity` ("info", "warning" or "error"), `reason` {`code`, `detail`},
    ///   `facts` [{`code`, `count`, `executable`, `proved`}]
    /// - `verdict` {`lane`, `profile`, `rule`, `reason` {`code`, `detail`}}; `notes` [{`code`, `detail`}]
    public var jsonLine: String {
        switch self {
        case .flow(let record): return record.jsonLine
        case .message(let record): return record.jsonLine
        case .finding(let record): return record.jsonLine
        case .notice(let record): return record.jsonLine
        }
    }
}

extension FlowRecord {
    fileprivate var jsonLine: String {
        let identity = facts.identity
        var known: String?
        var unknown: String?
        switch identity.codeClass {
        case .known(let codeClass): known = codeClass.rawValue
        case .unknown(let cause): unknown = cause.rawValue
        }
        let names = facts.names.map { evidence in
            JSONText.object([
                "name": JSONText.string(evidence.name.description), "proof": JSONText.string(evidence.proof.rawValue),
            ])
        }
        return JSONText.object([
            "kind": "\"flow\"",
            "time": JSONText.string(EventTime.text(endedAt)),
            "flow": JSONText.string(facts.id.description),
            "started": JSONText.string(EventTime.text(facts.startedAt)),
            "transport": JSONText.string(facts.transport.rawValue),
            "intake": JSONText.string(facts.intake.rawValue),
            "source": JSONText.string(facts.source?.description),
            "destination": JSONText.string(facts.destination.description),
            "host": JSONText.string(facts.displayHost),
            "names": JSONText.array(names),
            "identity": JSONText.object([
                "class": JSONText.string(known), "unknown": JSONText.string(unknown),
                "executable": JSONText.string(identity.executable),
                "pid": identity.processID.map(String.init) ?? "null",
                "uid": identity.userID.map(String.init) ?? "null",
                "user": JSONText.string(identity.userPseudonym),
                "proved": JSONText.string(identity.provedName),
                "reason": JSONText.string(identity.classReason),
            ]),
            "verdict": verdict.json,
            "protocols": JSONText.array(protocols.map { JSONText.string($0) }),
            "bytes_out": String(bytesOutbound),
            "bytes_in": String(bytesInbound),
            "messages": String(messages),
            "findings": String(findings),
            "outcome": JSONText.string(outcome.rawValue),
            "notes": JSONText.notes(notes),
        ])
    }
}

extension MessageRecord {
    fileprivate var jsonLine: String {
        JSONText.object([
            "kind": "\"message\"",
            "time": JSONText.string(EventTime.text(at)),
            "flow": JSONText.string(flow.description),
            "message": String(message),
            "method": JSONText.string(method),
            "host": JSONText.string(host),
            "status": String(status),
            "verdict": verdict.json,
            "notes": JSONText.notes(notes),
        ])
    }
}

extension FindingRecord {
    fileprivate var jsonLine: String {
        JSONText.object([
            "kind": "\"finding\"",
            "time": JSONText.string(EventTime.text(at)),
            "flow": JSONText.string(flow.description),
            "message": String(message),
            "direction": JSONText.string(direction.rawValue),
            "part": JSONText.string(part.description),
            "host": JSONText.string(host),
            "type": JSONText.string(finding.type),
            "confidence": JSONText.string(finding.confidence.rawValue),
            "offset": String(finding.offset),
            "length": String(finding.length),
            "excerpt": JSONText.string(finding.excerpt),
            "digest": JSONText.string(finding.digest),
            "action": JSONText.string(finding.action.rawValue),
            "restraint": finding.restraint.map(JSONText.reason) ?? "null",
        ])
    }
}

extension NoticeRecord {
    fileprivate var jsonLine: String {
        JSONText.object([
            "kind": "\"notice\"",
            "time": JSONText.string(EventTime.text(at)),
            "flow": "null",
            "severity": JSONText.string(severity.rawValue),
            "reason": JSONText.reason(reason),
            "facts": JSONText.facts(facts),
        ])
    }
}

extension Verdict {
    fileprivate var json: String {
        JSONText.object([
            "lane": JSONText.string(lane.rawValue), "profile": JSONText.string(profile),
            "rule": JSONText.string(rule), "reason": JSONText.reason(reason),
        ])
    }
}
