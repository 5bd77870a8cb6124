// SPDX-License-Identifier: Apache-2.0

// A rule as evaluation sees it.

public import FlowModel

/// A rule on content that holds for a flow: what is done with what its detectors find.
///
/// The first content rule that covers a finding decides it, before the profile does.
public struct ContentRule: Sendable {
    /// The name of the rule.
    public let name: String
    /// The ids of the detectors it is about, sorted; inspection runs them beside those of the profile.
    public let detectors: [String]
    /// What to do, as the mode of the policy allows.
    public let decision: ContentDecision
    public let reason: Reason

    public func covers(_ detector: String) -> Bool { detectors.contains(detector) }
}

/// One rule of the document.
struct Rule: Sendable {
    enum Consequence: Sendable {
        /// Decides the flow: what the document says, and what its mode makes of it.
        case flow(Lane, Verdict)
        /// Decides findings.
        case content(ContentRule)
    }

    /// Its place in the document, from 1.
    let number: Int
    let name: String
    /// Where it stands.
    let place: SourcePlace
    /// All must hold; none means that the rule holds for every flow.
    let conditions: [Condition]
    var consequence: Consequence
    /// How much of it is carried out: the policy's mode, or less where the rule says so.
    var mode: Policy.Mode
    /// The part of all devices that take it; nil for all of them.
    ///
    /// A rule that is not rolled out to this device stands in `Policy.rules` with the mode `decide`.
    let rollout: Rollout?
    /// The rule accepts that it allows on an unproved name.
    let isUnprovedAccepted: Bool

    init(
        number: Int, name: String, place: SourcePlace, conditions: [Condition], consequence: Consequence,
        mode: Policy.Mode, rollout: Rollout? = nil, isUnprovedAccepted: Bool = false
    ) {
        self.number = number
        self.name = name
        self.place = place
        self.conditions = conditions
        self.consequence = consequence
        self.mode = mode
        self.rollout = rollout
        self.isUnprovedAccepted = isUnprovedAccepted
    }

    /// Whether it holds for a flow.
    ///
    /// Unlike inside `all`, an unknown fact settles it at once: no name can make the rule match any more.
    func truth(_ facts: FlowFacts, _ stage: NameStage) -> Truth {
        var waiting: NameProof?
        for condition in conditions {
            switch condition.truth(facts, stage) {
            case .yes: continue
            case .no: return .no
            case .unknown: return .unknown
            case .waits(let proof): waiting = max(proof, waiting ?? proof)
            }
        }
        return waiting.map(Truth.waits) ?? .yes
    }

    /// The names that a flow must go to before this rule can match, when it asks for names and nothing else in `to`.
    var namesGate: (names: HostSet, proof: NameProof)? {
        for case .to(let destination, let proof) in conditions where destination.prefixes.isEmpty {
            return (destination.names, proof)
        }
        return nil
    }
}
