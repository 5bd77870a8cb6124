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

    /// Whether it only records what it would do, and decides nothing.
    func isDormant(under policy: Policy.Mode) -> Bool {
        mode != policy && (mode == .off || mode == .decide)
    }

    /// Whether it holds for a flow; `open` is what may still be learnt.
    func truth(_ facts: FlowFacts, _ open: Awaited) -> Truth { conditions[...].truth(facts, open) }
}

extension ArraySlice<Condition> {
    /// Whether the conditions of a rule hold for a flow.
    ///
    /// Unlike inside `all`, an unknown fact settles it at once: nothing can make the rule match any more.
    func truth(_ facts: FlowFacts, _ open: Awaited) -> Truth {
        var waiting: Awaited = []
        for condition in self {
            switch condition.truth(facts, open) {
            case .yes: continue
            case .no: return .no
            case .unknown: return .unknown
            case .waits(let awaited): waiting.formUnion(awaited)
            }
        }
        return waiting.isEmpty ? .yes : .waits(waiting)
    }
}
