// SPDX-License-Identifier: Apache-2.0

// What the app can ask of the extension.

internal import FlowModel
internal import Foundation

/// A request to the extension; each may be sent twice without another effect.
public enum ControlRequest: Hashable, Sendable {
    /// How it stands: condition, mode, policy.
    case state
    /// What is bypassed, counted by reason.
    case bypasses
    /// A page of events, newest first: those before a moment, in milliseconds since 1970-01-01 UTC.
    case events(before: Int64?, limit: Int)
    /// Take no new flows until a moment, in milliseconds since 1970-01-01 UTC.
    case pause(until: Int64)
    case resume
    /// Take no new flows until told otherwise, also after a restart.
    case off
    /// Take flows again after `off`, or after too many deaths.
    case rearm
    /// Read the policy anew.
    case reload
    /// A word of a later version, shortened.
    case unknown(String)

    /// The word that stands for it in a message.
    public var word: String {
        switch self {
        case .state: "state"
        case .bypasses: "bypasses"
        case .events: "events"
        case .pause: "pause"
        case .resume: "resume"
        case .off: "off"
        case .rearm: "rearm"
        case .reload: "reload"
        case .unknown(let word): word
        }
    }
}

/// A request as it is sent, with the versions that the sender speaks.
struct RequestMessage: Equatable, Sendable {
    var versions: ControlVersions
    var request: ControlRequest

    private struct Form: Codable {
        var oldest: Int
        var newest: Int
        var ask: String
        var until: Int64?
        var before: Int64?
        var limit: Int?
    }

    init(_ request: ControlRequest, _ versions: ControlVersions) {
        self.request = request
        self.versions = versions
    }

    /// Reads a message; throws what to answer when it is none.
    init(_ bytes: Data) throws(ControlRefusal) {
        guard bytes.count <= MacControlLimits.message.value else { throw ControlRefusal(.tooLarge) }
        guard let form = try? JSONDecoder().decode(Form.self, from: bytes),
            let versions = ControlVersions(oldest: form.oldest, newest: form.newest)
        else { throw ControlRefusal(.unreadable) }
        self.versions = versions
        switch (form.ask, form.until) {
        case ("state", _): request = .state
        case ("bypasses", _): request = .bypasses
        case ("events", _):
            let most = MacControlLimits.events.value
            request = .events(before: form.before, limit: min(max(form.limit ?? most, 0), most))
        case ("pause", let until?): request = .pause(until: until)
        case ("pause", nil): throw ControlRefusal(.unreadable)
        case ("resume", _): request = .resume
        case ("off", _): request = .off
        case ("rearm", _): request = .rearm
        case ("reload", _): request = .reload
        default: request = .unknown(form.ask.shortened)
        }
    }

    func bytes() throws -> Data {
        var form = Form(oldest: versions.oldest, newest: versions.newest, ask: request.word)
        switch request {
        case .events(let before, let limit): (form.before, form.limit) = (before, limit)
        case .pause(let until): form.until = until
        case .state, .bypasses, .resume, .off, .rearm, .reload, .unknown: break
        }
        return try JSONEncoder().encode(form)
    }
}

extension String {
    /// At most `control.text` bytes of it, whole characters.
    var shortened: String {
        let most = MacControlLimits.text.value
        guard utf8.count > most else { return self }
        var short = ""
        var room = most
        for character in self {
            room -= character.utf8.count
            guard room >= 0 else { break }
            short.append(character)
        }
        return short
    }
}
