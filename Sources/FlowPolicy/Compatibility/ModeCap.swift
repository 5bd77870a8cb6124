// SPDX-License-Identifier: Apache-2.0

// A mode that a policy may not exceed on this machine, and what it makes of the policy.

internal import FlowModel

/// The most that a policy may do on this machine for now, and why.
public struct ModeCap: Hashable, Sendable {
    public let mode: Policy.Mode
    /// Why, as words that follow "because".
    public let cause: String

    public init(_ mode: Policy.Mode, because cause: String) {
        self.mode = mode
        self.cause = cause
    }

    /// The lowest of some; of equal ones the first.
    public static func lowest(_ caps: [ModeCap]) -> ModeCap? { caps.min { $0.mode.isLess(than: $1.mode) } }

    /// What becomes of a verdict; one that the cap does not change stays as it is.
    func restrain(_ verdict: Verdict) -> Verdict {
        let lane = mode.effective(verdict.lane)
        if mode == .off { return Verdict(.bypass, reason: reason("nothing is taken")) }
        guard lane != verdict.lane else { return verdict }
        return Verdict(
            lane, profile: lane == .inspect ? verdict.profile : nil, rule: verdict.rule,
            reason: reason("would \(verdict.lane.rawValue) (\(verdict.reason.detail))"))
    }

    /// What becomes of an action on a finding.
    func restrain(_ decision: ContentDecision) -> ContentDecision {
        guard mode != .enforce, decision.action != .report else { return decision }
        return ContentDecision(action: .report, restraint: reason("would \(decision.action.rawValue)"))
    }

    private func reason(_ without: String) -> Reason {
        Reason("mode-capped", "\(without); the mode is held to \(mode.rawValue), because \(cause)")
    }
}

extension Policy.Mode {
    /// Whether it does less; they are declared from the least to the most.
    func isLess(than other: Policy.Mode) -> Bool {
        for mode in Self.allCases where mode == self || mode == other { return mode == self && mode != other }
        return false
    }
}

extension PolicyParts {
    /// The same parts with everything that its cap forbids taken back; a cap that changes nothing is dropped.
    var capped: PolicyParts {
        var parts = self
        guard let cap = modeCap, cap.mode.isLess(than: mode) else {
            parts.modeCap = nil
            return parts
        }
        parts.mode = cap.mode
        parts.rules = rules.map { $0.capped(cap, under: mode) }
        parts.unknown = unknown.mapValues { ($0.lane, cap.restrain($0.verdict)) }
        parts.profiles = profiles.map { $0.capped(cap) }
        return parts
    }
}

extension Rule {
    fileprivate func capped(_ cap: ModeCap, under policy: Policy.Mode) -> Rule {
        var rule = self
        if isDormant(under: policy) {
            // It decided nothing before, and must not begin to because the policy sinks to its mode.
            rule.mode = .off
            return rule
        }
        if cap.mode.isLess(than: mode) { rule.mode = cap.mode }
        switch consequence {
        case .flow(let lane, let verdict): rule.consequence = .flow(lane, cap.restrain(verdict))
        case .content(let content):
            rule.consequence = .content(
                ContentRule(
                    name: content.name, detectors: content.detectors, decision: cap.restrain(content.decision),
                    reason: content.reason))
        }
        return rule
    }
}

extension Profile {
    /// Under a cap below `enforce`: nothing is edited, refused or kept from passing.
    fileprivate func capped(_ cap: ModeCap) -> Profile {
        guard cap.mode != .enforce else { return self }
        return Profile(
            name: name, detect: detect, outbound: outbound.mapValues { cap.restrain($0) },
            inbound: inbound.mapValues { cap.restrain($0) }, uneditable: .report,
            onFailure: .init(beforeTakeover: .relay, afterTakeover: .relay), nonHTTP: .relay, learn: learn,
            quic: .relay, ech: .relay, privateRelay: .allowBlind)
    }
}
