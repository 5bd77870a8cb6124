// SPDX-License-Identifier: Apache-2.0

// What inspection does with what it finds.

public import FlowModel

/// What is done when Weir itself fails.
public enum Fallback: String, Sendable, Codable, CaseIterable {
    case relay, block
}

/// What inspection looks for and does, as the mode of the policy allows.
public struct Profile: Sendable {
    /// What is done with a finding that cannot be edited without breaking what carries it.
    public enum Uneditable: String, Sendable, Codable, CaseIterable {
        case report, block
    }

    /// What is done with a flow that Weir fails to inspect.
    public struct OnFailure: Hashable, Sendable {
        /// While nothing was changed, answered or decrypted by us.
        public var beforeTakeover: Fallback
        /// Afterwards.
        public var afterTakeover: Fallback
    }

    /// What a handshake that fails because of pinning leads to.
    public enum Learn: String, Sendable, Codable, CaseIterable {
        /// It is shown.
        case report
        /// The program and the host together are left alone from then on.
        case exempt
    }

    /// What is done with UDP to port 443.
    public enum QUIC: String, Sendable, Codable, CaseIterable {
        /// It is refused at once, so that the program falls back to TCP.
        case refuse
        case relay
    }

    /// What is done when the real name is encrypted (Encrypted Client Hello).
    public enum ECH: String, Sendable, Codable, CaseIterable {
        case relay, block
    }

    /// What is done with tunnels of Private Relay and its like.
    public enum PrivateRelay: String, Sendable, Codable, CaseIterable {
        case allowBlind = "allow-blind"
        case refuse
    }

    public let name: String
    /// The ids of the detectors to run, sorted.
    public let detect: [String]
    /// What is done with a finding, by the id of its detector; every id in `detect` has an entry.
    public let outbound: [String: ContentDecision]
    public let inbound: [String: ContentDecision]
    public let uneditable: Uneditable
    public let onFailure: OnFailure
    /// What is done with a flow that turns out not to be HTTP.
    public let nonHTTP: Fallback
    public let learn: Learn
    public let quic: QUIC
    public let ech: ECH
    public let privateRelay: PrivateRelay

    /// The ids of the detectors to run where these rules on content hold too, sorted.
    public func detectors(with rules: [ContentRule]) -> [String] {
        rules.isEmpty ? detect : Set(detect + rules.flatMap(\.detectors)).sorted()
    }

    /// What to do with a finding of a detector; one that this profile does not run is reported.
    public func decision(on detector: String, _ direction: Direction) -> ContentDecision {
        let decisions = direction == .outbound ? outbound : inbound
        return decisions[detector] ?? ContentDecision(action: .report, restraint: nil)
    }

    /// The strictest action of a direction: `report` means that nothing will ever be edited or refused.
    public func strictest(_ direction: Direction) -> ContentAction {
        let actions = (direction == .outbound ? outbound : inbound).values.map(\.action)
        return actions.contains(.block) ? .block : actions.contains(.redact) ? .redact : .report
    }
}

/// A profile as the document has it, before the mode.
struct WrittenProfile {
    var name: String
    var detect: [String]
    var outbound: [String: ContentAction]
    var inbound: [String: ContentAction]
    var uneditable: Profile.Uneditable
    var onFailure: Profile.OnFailure
    var nonHTTP: Fallback
    var learn = Profile.Learn.report
    var quic = Profile.QUIC.refuse
    var ech = Profile.ECH.relay
    var privateRelay = Profile.PrivateRelay.allowBlind

    /// The name of a profile where a rule only observes under a policy that enforces.
    static func observedName(_ name: String) -> String { name + " (observe)" }

    /// The profile of rules that only observe.
    var observed: Profile {
        var copy = self
        copy.name = Self.observedName(name)
        return copy.effective(.observe)
    }

    func effective(_ mode: Policy.Mode) -> Profile {
        let acts = mode == .enforce
        return Profile(
            name: name, detect: detect, outbound: outbound.mapValues(mode.decision),
            inbound: inbound.mapValues(mode.decision), uneditable: acts ? uneditable : .report,
            onFailure: acts ? onFailure : .init(beforeTakeover: .relay, afterTakeover: .relay),
            nonHTTP: acts ? nonHTTP : .relay, learn: learn, quic: acts ? quic : .relay, ech: acts ? ech : .relay,
            privateRelay: acts ? privateRelay : .allowBlind)
    }
}
