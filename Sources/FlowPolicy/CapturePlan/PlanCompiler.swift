// SPDX-License-Identifier: Apache-2.0

// Compiles a policy to a capture plan.

internal import FlowModel

extension Policy {
    /// The policy compiled to what a kernel can do, with what was lost.
    ///
    /// Exact where the kernel sees all that a rule asks for; elsewhere it captures more, never less.
    public func capturePlan(for target: CapturePlan.Target) -> CapturePlan {
        var compiler = PlanCompiler(policy: self, target: target)
        return compiler.compile()
    }
}

/// Walks the rules from the top and keeps, exactly, what is still undecided.
struct PlanCompiler {
    private let policy: Policy
    private let target: CapturePlan.Target

    /// What some rule may take, before what is left alone; the inclusions.
    private var taken = FlowSpace.none
    /// The part of it that no earlier rule surely leaves alone.
    private var captured = FlowSpace.none
    /// What no rule so far surely leaves alone.
    private var undecided = FlowSpace.all
    private var released: [CaptureExclusion] = []
    private var losses: [CaptureLoss] = []
    private var work = 0

    init(policy: Policy, target: CapturePlan.Target) {
        self.policy = policy
        self.target = target
    }

    /// Addresses that mean the machine itself; the unspecified ones are delivered to loopback.
    static let machine = ["127.0.0.0/8", "::1", "0.0.0.0", "::"].compactMap { IPPrefix($0) }

    mutating func compile() -> CapturePlan {
        if policy.mode != .off {
            takeDNS()
            takeRules()
        }
        bound()
        let fixed = policy.exclusions.map(CaptureExclusion.init)
        let never = Self.union(fixed)
        let machine = Self.machine.filter { !FlowSpace(prefixes: [$0]).subtracting(never).isEmpty }
        if !machine.isEmpty {
            released.insert(
                CaptureExclusion(
                    .machine, FlowSpace(prefixes: machine), reason: "what never leaves the machine is never handed over"
                ),
                at: 0)
        }
        noteUnreachable(never)
        // Outside of what is taken an exclusion says nothing; the never set stays whole, for people to read.
        let exclusions = fixed + released.filter { $0.space.intersects(taken) }
        return CapturePlan(
            target: target, policy: policy.digest, mode: policy.mode, inclusions: taken.regions,
            exclusions: exclusions, losses: losses, stickyReleases: stickyReleases(exclusions), taken: taken,
            captured: taken.subtracting(Self.union(exclusions)))
    }

    /// Whether a flow with this verdict must be handed over.
    private func takes(_ written: Lane, _ effective: Lane, _ mode: Policy.Mode) -> Bool {
        (mode == .decide && target.recordsDecisions ? written : effective) != .bypass
    }

    private mutating func takeDNS() {
        let dns = FlowSpace(ports: PortSet([53...53]))
        undecided = undecided.subtracting(dns)
        let isTaken: Bool
        switch policy.settings.dns {
        case .pass: isTaken = false
        case .report, .block: isTaken = takes(.relay, policy.mode.effective(.relay), policy.mode)
        }
        if isTaken {
            taken = taken.union(dns)
            captured = captured.union(dns)
            losses.append(
                CaptureLoss(
                    .dns, facts: [.codeClass],
                    "the kernel cannot tell the system's resolver from others: its queries are captured and declined"))
        } else {
            released.append(CaptureExclusion(.dns, dns, reason: "the policy lets name queries pass"))
        }
    }

    private mutating func takeRules() {
        for rule in policy.rules {
            // A rule that only records what it would do decides nothing: those after it do.
            guard case .flow(let written, let verdict) = rule.consequence, !rule.isDormant(under: policy.mode) else {
                continue
            }
            let origin = CaptureOrigin.rule(number: rule.number, name: rule.name)
            work += undecided.size + captured.size + taken.size
            guard work < PolicyLimits.planWork.value else {
                losses.append(
                    CaptureLoss(
                        origin, "this and all later rules are beyond \(PolicyLimits.planWork.name): all is captured"))
                return takeRest()
            }
            if rule.conditions.isEmpty { takeUnknown() }
            if takes(written, verdict.lane, rule.mode) {
                take(rule, origin)
            } else if !rule.conditions.isEmpty {
                release(rule, origin)
            }
            // Nothing that stands after a rule for every flow is asked.
            if rule.conditions.isEmpty { return }
        }
        takeUnknown()
    }

    /// What the rule may mean must be captured, but for what an earlier rule surely leaves alone.
    private mutating func take(_ rule: Rule, _ origin: CaptureOrigin) {
        noteUnseen(rule, origin, "the kernel cannot ask for it, so flows that the rule does not mean are captured")
        // Once all that is left is captured, nothing can be added.
        guard !undecided.subtracting(captured).isEmpty else { return }
        let may = KernelView(rule.conditions, by: target.intake).may
        work += may.size
        taken = taken.union(may)
        captured = captured.union(may.intersection(undecided))
    }

    /// Where a rule surely leaves alone what no earlier rule may take, the kernel can do so too.
    private mutating func release(_ rule: Rule, _ origin: CaptureOrigin) {
        noteUnseen(rule, origin, "the kernel cannot ask for it, so the flows are captured and declined in user space")
        let must = KernelView(rule.conditions, by: target.intake).must
        work += must.size
        let decided = must.intersection(undecided)
        undecided = undecided.subtracting(must)
        let sure = decided.subtracting(captured)
        if sure != decided {
            losses.append(
                CaptureLoss(
                    origin,
                    "a rule before it may lead elsewhere: what both can mean is captured and decided in user space"))
        }
        guard !sure.isEmpty else { return }
        // With what earlier rules leave alone too: as wide as the rule was written, it takes fewer words.
        let space = must.subtracting(captured)
        if space.size > PolicyLimits.planNetworks.value {
            losses.append(
                CaptureLoss(
                    origin, "more networks than \(PolicyLimits.planNetworks.name): captured and declined in user space")
            )
        } else {
            released.append(CaptureExclusion(origin, space, reason: "the rule leaves it alone whoever sends it"))
        }
    }

    /// Programs that are not known have verdicts of their own where the rules end.
    private mutating func takeUnknown() {
        let holds = policy.mode != .decide || target.recordsDecisions ? policy.holds : []
        let causes = UnknownCause.allCases.filter { cause in
            holds.contains(cause)
                || policy.unknown[cause].map { takes($0.wanted, $0.verdict.lane, policy.mode) } ?? false
        }
        guard !causes.isEmpty else { return }
        for cause in causes {
            losses.append(
                CaptureLoss(
                    .unknown(cause), facts: [.codeClass],
                    "the kernel cannot tell whose program is not known, so all that no rule leaves alone is captured"))
        }
        takeRest()
    }

    private mutating func takeRest() {
        taken = .all
        captured = captured.union(undecided)
    }

    private mutating func noteUnseen(_ rule: Rule, _ origin: CaptureOrigin, _ text: String) {
        var facts: [UnseenFact] = []
        for fact in rule.conditions.flatMap(\.unseenFacts) where !facts.contains(fact) { facts.append(fact) }
        guard !facts.isEmpty else { return }
        let names = facts.map { "`\($0.rawValue)`" }.joined(separator: ", ")
        losses.append(CaptureLoss(origin, facts: facts, "\(names): \(text)"))
    }

    /// Keeps the inclusions printable.
    private mutating func bound() {
        guard taken.size > PolicyLimits.planNetworks.value else { return }
        losses.append(
            CaptureLoss(
                .bounds, "more networks than \(PolicyLimits.planNetworks.name): their ports are captured everywhere"))
        taken = FlowSpace.transports.reduce(taken) { space, transport in
            let ports = AddressFamily.allCases.reduce(PortSet.none) { $0.union(taken[transport, $1].anywhere) }
            return space.union(FlowSpace(transports: [transport], ports: ports))
        }
    }

    private mutating func noteUnreachable(_ never: FlowSpace) {
        guard !taken.isEmpty else { return }
        if policy.catalogues.programs.contains(where: { $0.tier == .never && $0.evidence.decides }) {
            losses.append(
                CaptureLoss(
                    .programs, facts: [.codeClass], "the kernel cannot tell them: their flows are captured and declined"
                ))
        }
        let loopback = FlowSpace(prefixes: Array(Self.machine.prefix(2))).intersection(captured)
        if !loopback.subtracting(never).isEmpty {
            losses.append(
                CaptureLoss(
                    .machine, "rules may take loopback, but what never leaves the machine is never handed over",
                    effect: .neverCaptured))
        }
    }

    /// What is left alone on every interface.
    private static func union(_ exclusions: [CaptureExclusion]) -> FlowSpace {
        FlowSpace.joined(exclusions.filter { $0.interface == nil }.map(\.space)) { $0.union($1) } ?? .none
    }

    /// What releases a UDP socket for good: each exclusion, and what no rule takes.
    private func stickyReleases(_ exclusions: [CaptureExclusion]) -> [StickyRelease] {
        let udp = taken.only(.udp)
        guard target.isReleaseSticky, !udp.isEmpty else { return [] }
        let untaken = FlowSpace(transports: [.udp]).subtracting(udp)
        let excluded = exclusions.map { ($0.origin, $0.space.intersection(udp)) }
        return (excluded + [(.untaken, untaken)]).compactMap { origin, space in
            space.isEmpty ? nil : StickyRelease(origin: origin, regions: space.regions)
        }
    }
}
