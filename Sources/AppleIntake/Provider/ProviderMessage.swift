// SPDX-License-Identifier: Apache-2.0

// What an app and a running provider say to each other: small, versioned, in JSON.

internal import Foundation

/// What is asked of a running provider.
public struct ProviderRequest: Codable, Sendable, Equatable {
    /// What is asked: how the provider stands.
    ///
    /// Orders do not come as messages, which do not say which user sent them: the program takes them.
    public enum Verb: String, Codable, Sendable { case status }

    /// The version of the language; another is refused as a whole, because half of a question has no answer.
    public static let version = 1

    public var version = Self.version
    public var verb: Verb

    public init(_ verb: Verb = .status) { self.verb = verb }

    /// Reads a message.
    init(message: Data) throws(ProviderFailure) {
        struct Envelope: Decodable { let version: Int }
        do {
            let version = try JSONDecoder().decode(Envelope.self, from: message).version
            guard version == Self.version else {
                throw ProviderFailure(
                    .version, "version \(version) is not spoken here, only \(Self.version): update app or extension")
            }
            self = try JSONDecoder().decode(Self.self, from: message)
        } catch let failure as ProviderFailure {
            throw failure
        } catch {
            throw ProviderFailure(.message, "the message is not one that is answered here: only `status` is")
        }
    }
}

/// What a provider answers: how it stands, or why it does not say so.
public struct ProviderReply: Codable, Sendable, Equatable {
    public struct Problem: Codable, Sendable, Equatable {
        /// A `ProviderFailure.Code`.
        public var code: String
        public var detail: String

        init(_ failure: ProviderFailure) {
            code = failure.code.rawValue
            detail = failure.detail
        }
    }

    public var version = ProviderRequest.version
    public var status: ProviderStatus?
    public var problem: Problem?

    init(_ status: ProviderStatus? = nil, _ failure: ProviderFailure? = nil) {
        self.status = status
        problem = failure.map(Problem.init)
    }
}

/// How a provider stands.
public struct ProviderStatus: Codable, Sendable, Equatable {
    /// How many rules the system has.
    public struct Rules: Codable, Sendable, Equatable {
        public var included = 0
        public var excluded = 0
        /// Exclusions of the plan that the system would refuse; what they name is declined one by one.
        public var dropped = 0
        /// False when the system left the last order unanswered, so that others may be in force.
        public var isCertain = true
    }

    /// `idle`, `making`, `setting`, `running`, `ending` or `ended`.
    public var phase: String
    /// Flows that the system offered to this provider, and how many of them it left to the system.
    public var offered = 0
    public var declined = 0
    /// Why nothing is taken, whatever the policy says; nil when it is armed.
    public var disarmed: String?
    /// The rest is set while it runs.
    public var rules: Rules?
    public var mode: String?
    /// The digest of the policy in force.
    public var policy: String?
    public var liveFlows: Int?
    public var heldFlows: Int?

    init(phase: String) { self.phase = phase }
}
