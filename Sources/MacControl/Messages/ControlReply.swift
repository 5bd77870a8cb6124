// SPDX-License-Identifier: Apache-2.0

// What the extension answers.

internal import FlowModel
internal import Foundation

/// How the extension stands.
public struct ControlState: Codable, Hashable, Sendable {
    /// What it does with new flows.
    public enum Condition: String, Codable, Sendable, CaseIterable {
        case running, paused, off
        /// It died too often, and takes nothing until it is re-armed.
        case disarmed
        /// A word of a later version.
        case unknown

        public init(from decoder: any Decoder) throws {
            self = Self(rawValue: try decoder.singleValueContainer().decode(String.self)) ?? .unknown
        }
    }

    public var condition: Condition
    /// Milliseconds since 1970-01-01 UTC; set when it is paused.
    public var pausedUntil: Int64?
    /// The mode in which the policy is carried out.
    public var mode: String
    /// Why the mode is less than the policy says; words that follow "because".
    public var modeCause: String?
    /// What the policy was read from.
    public var policy: String
    public var policyDigest: String
    /// Why the last reload was refused; nil when it was not.
    public var policyProblem: String?
    public var liveFlows: Int
    /// The build of the extension.
    public var build: String

    public init(
        condition: Condition, pausedUntil: Int64? = nil, mode: String, modeCause: String? = nil, policy: String,
        policyDigest: String, policyProblem: String? = nil, liveFlows: Int, build: String
    ) {
        self.condition = condition
        self.pausedUntil = pausedUntil
        self.mode = mode
        self.modeCause = modeCause?.shortened
        self.policy = policy.shortened
        self.policyDigest = policyDigest
        self.policyProblem = policyProblem?.shortened
        self.liveFlows = liveFlows
        self.build = build
    }
}

/// How many flows were bypassed for one reason since the extension started.
public struct BypassCount: Codable, Hashable, Sendable, Identifiable {
    public var id: String { code }
    /// The code of the reason.
    public var code: String
    /// The reason in words, of the last such flow.
    public var detail: String
    public var count: Int

    public init(code: String, detail: String, count: Int) {
        self.code = code.shortened
        self.detail = detail.shortened
        self.count = count
    }
}

/// A flow that has ended, as a person sees it; nothing in it is content.
public struct ControlEvent: Codable, Hashable, Sendable, Identifiable {
    /// The flow's identifier.
    public var id: String
    /// Milliseconds since 1970-01-01 UTC.
    public var time: Int64
    public var host: String
    /// The proved name of the program, or where it lies; nil when neither is known.
    public var program: String?
    public var lane: String
    public var reason: String
    public var outcome: String
    public var findings: Int

    public init(
        id: String, time: Int64, host: String, program: String?, lane: String, reason: String, outcome: String,
        findings: Int
    ) {
        self.id = id
        self.time = time
        self.host = host.shortened
        self.program = program?.shortened
        self.lane = lane
        self.reason = reason.shortened
        self.outcome = outcome
        self.findings = findings
    }
}

/// Why a request is not done.
public struct ControlRefusal: Error, Hashable, Sendable {
    public enum Code: String, Sendable, CaseIterable {
        case tooLarge = "too-large"
        case unreadable
        case noCommonVersion = "no-common-version"
        case unknownRequest = "unknown-request"
        /// The caller is not this product's app.
        case notOurs = "not-ours"
        case needsAdministrator = "needs-administrator"
        /// Too many requests at a time.
        case busy
        /// The extension tried, and it did not work.
        case failed
        /// A word of a later version.
        case unknown
    }

    public let code: Code
    /// What to do, in a sentence; it may be empty.
    public let detail: String

    public init(_ code: Code, _ detail: String = "") {
        self.code = code
        self.detail = detail.shortened
    }
}

/// An answer of the extension.
public enum ControlReply: Hashable, Sendable {
    case state(ControlState)
    case bypasses([BypassCount])
    /// `isLast` when nothing older is left.
    case events([ControlEvent], isLast: Bool)
    case done
    case refused(ControlRefusal)
    /// A word of a later version, shortened.
    case unknown(String)
}

/// An answer as it is sent, in the version that both sides speak.
struct ReplyMessage: Equatable, Sendable {
    /// 0 when there is no version that both speak.
    var version: Int
    var reply: ControlReply

    private struct Form: Codable {
        var version: Int
        var say: String
        var state: ControlState?
        var bypasses: [BypassCount]?
        var events: [ControlEvent]?
        var isLast: Bool?
        var code: String?
        var detail: String?
    }

    init(_ reply: ControlReply, version: Int) {
        self.reply = reply
        self.version = version
    }

    /// Nil when the bytes are no answer.
    init?(_ bytes: Data) {
        guard bytes.count <= MacControlLimits.message.value,
            let form = try? JSONDecoder().decode(Form.self, from: bytes)
        else { return nil }
        version = form.version
        switch form.say {
        case "state":
            guard let state = form.state else { return nil }
            reply = .state(state)
        case "bypasses": reply = .bypasses(form.bypasses ?? [])
        case "events": reply = .events(form.events ?? [], isLast: form.isLast ?? true)
        case "done": reply = .done
        case "refused":
            let code = form.code.flatMap { ControlRefusal.Code(rawValue: $0) } ?? .unknown
            reply = .refused(ControlRefusal(code, form.detail ?? ""))
        default: reply = .unknown(form.say.shortened)
        }
    }

    /// The bytes; an answer that would be too large loses its oldest events, which the next page then gives.
    func bytes() throws -> Data {
        var form = Form(version: version, say: "")
        switch reply {
        case .state(let state): (form.say, form.state) = ("state", state)
        case .bypasses(let counts):
            form.say = "bypasses"
            form.bypasses = Array(counts.sorted { $0.count > $1.count }.prefix(MacControlLimits.reasons.value))
        case .events(let events, let isLast):
            form.say = "events"
            (form.events, form.isLast) = (events, isLast)
        case .done: form.say = "done"
        case .refused(let refusal):
            form.say = "refused"
            (form.code, form.detail) = (refusal.code.rawValue, refusal.detail)
        case .unknown(let word): form.say = word
        }
        var bytes = try JSONEncoder().encode(form)
        while bytes.count > MacControlLimits.message.value, let events = form.events, !events.isEmpty {
            form.events = Array(events.prefix(events.count / 2))
            form.isLast = false
            bytes = try JSONEncoder().encode(form)
        }
        return bytes
    }
}
