// SPDX-License-Identifier: Apache-2.0

// Which flows the system shall hand over: two lists of rules that it will not refuse.

internal import FlowPolicy

/// Rules as the system is to have them, each checked against what it refuses; excluded ones win.
struct RuleLists: Sendable, Equatable {
    let included: [NetworkRule]
    let excluded: [NetworkRule]
    /// Exclusions that the system would have refused, and all others with them: what they name is handed over, and
    /// declined by us.
    let dropped: [NetworkRule]

    private init(unchecked included: [NetworkRule], _ excluded: [NetworkRule]) {
        self.included = included
        self.excluded = excluded
        dropped = []
    }

    /// Throws when an inclusion is one that the system refuses: without it, traffic would pass unseen.
    init(
        included: [NetworkRule], excluded: [NetworkRule], _ constraints: NetworkRuleConstraints = .init()
    ) throws(ProviderFailure) {
        for rule in included {
            let violations = constraints.violations(rule, in: .included)
            guard violations.isEmpty else {
                throw ProviderFailure(.rules, "the system refuses the inclusion \(rule.text): \(violations.text)")
            }
        }
        self.included = included
        // Where nothing is handed over there is nothing to exclude.
        let wanted = included.isEmpty ? [] : excluded
        self.excluded = wanted.filter { constraints.violations($0, in: .excluded).isEmpty }
        dropped = wanted.filter { !constraints.violations($0, in: .excluded).isEmpty }
    }

    /// What a policy wants handed over; compiles its plan, which takes milliseconds.
    init(_ policy: Policy) throws(ProviderFailure) {
        let form = policy.capturePlan(for: .networkExtension).networkExtension
        try self.init(included: form.included, excluded: form.excluded)
    }

    /// Nothing is handed over.
    static let nothing = RuleLists(unchecked: [], [])

    /// The same for a system that refuses an empty list of inclusions: one network that nobody uses (RFC 5737), and
    /// everything excluded, in halves because an address with no bit set would need a port.
    static let everythingExcluded = RuleLists(
        unchecked: [NetworkRule(address: "192.0.2.0", prefix: 24, transport: .tcp, because: "refused when empty")],
        ["0.0.0.1", "128.0.0.0", "::2", "8000::"].map { NetworkRule(address: $0, prefix: 1, because: "nothing") })

    var takesNothing: Bool { included.isEmpty || self == .everythingExcluded }
}

extension NetworkRule {
    /// `tcp 192.0.2.0/24 port 53 (rule 3 "x")`.
    var text: String {
        "\(transport.rawValue) \(host ?? address.map { "\($0)/\(prefix)" } ?? "anywhere") port \(port) (\(because))"
    }
}

extension [NetworkRuleConstraints.Violation] {
    fileprivate var text: String { map(\.rawValue).joined(separator: ", ") }
}
