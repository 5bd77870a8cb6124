// SPDX-License-Identifier: Apache-2.0

// The policy: an immutable snapshot that answers whether a flow may pass, and what is done with what is found in it.

public import FlowModel

/// A policy, read from a document and checked.
///
/// Every answer already has the mode applied; what the rules would have done without it stands in the reason.
/// Nothing here reads a file, a clock or the network, and nothing waits.
public struct Policy: Sendable {
    /// The version of the document's language.
    public let version: Int
    public let mode: Mode
    /// What holds the mode below the document's; nil when nothing does.
    public let modeCap: ModeCap?
    /// SHA-256 over all files it was read from, in 64 hexadecimal digits; for a document that stands alone, of its text.
    public let digest: String

    /// What it says once for all rules.
    public let settings: PolicySettings
    /// The requirements that its rules ask, each once; `judge` answers them in this order.
    public let requirements: [PolicyRequirement]
    /// Traffic that no rule is asked about, the never set first.
    public let exclusions: [Exclusion]
    /// Causes of not knowing the program for which a flow is held until it is known.
    public let holds: Set<UnknownCause>
    /// The catalogues as this policy has them.
    public let catalogues: Catalogues
    /// The files it was read from, the document first.
    public let files: [String]
    /// Tags the requirement results that belong to this policy; another number each time a policy is read.
    let stamp: UInt64

    let rules: [Rule]
    /// What only `check` asks of the document.
    let outline: PolicyOutline
    /// What decides before any rule is asked.
    let preemption: Preemption
    private let index: RuleIndex
    /// What the rules answer, by their places.
    let answers: [Answer?]
    /// The verdicts for not knowing the program, which replace the catch-all.
    let unknown: [UnknownCause: Answer]
    let nothingMatched: Answer
    /// What becomes of a flow that waited in vain; nil when the rules decide without what is missing.
    private let atDeadline: Verdict?
    private let profiles: [String: Profile]
    private let contentRules: [Rule]
    private let privateRelays: HostSet

    /// Reads a document; throws every problem that could be found in one run.
    ///
    /// `file` names the document in problems and is not opened.
    public static func read(
        yaml: String, file: String, _ environment: PolicyEnvironment
    ) throws(PolicyProblems) -> Policy {
        try PolicyReader.read(yaml, file: file, environment)
    }

    init(_ document: PolicyParts) {
        let parts = document.capped
        version = parts.version
        mode = parts.mode
        modeCap = parts.modeCap
        digest = parts.digest
        settings = parts.settings
        requirements = parts.requirements
        exclusions = parts.exclusions
        holds = parts.holds
        catalogues = parts.catalogues
        files = parts.files
        stamp = parts.stamp
        rules = parts.rules
        outline = parts.outline
        let mode = parts.mode
        // What the document wants, and then what the cap leaves of it, so that reasons tell both.
        func made(_ lane: Lane, _ code: String, _ cause: String) -> Verdict {
            let wanted = document.mode.verdict(lane, profile: nil, rule: nil, code: code, cause: cause)
            return parts.modeCap?.restrain(wanted) ?? wanted
        }
        let profiles = Dictionary(parts.profiles.map { ($0.name, $0) }) { first, _ in first }
        self.profiles = profiles
        preemption = Preemption(parts.exclusions, parts.settings, parts.catalogues, isOff: mode == .off, made)
        privateRelays = parts.catalogues.hosts(in: "private-relay") ?? HostSet()
        let answers = rules.map { rule -> Answer? in
            guard case .flow(let lane, let verdict) = rule.consequence, !rule.isDormant(under: mode) else { return nil }
            return Answer(
                lane, verdict, decider: "rule \(rule.number) \"\(rule.name)\"",
                profile: verdict.profile.flatMap { profiles[$0] }, mode: rule.mode)
        }
        // Weir takes only what its policy names: a flow that no rule matches is left alone.
        let nothingMatched = Answer(
            .bypass,
            made(.bypass, "no-rule", "no rule matched, so the flow is left alone"),
            decider: "", profile: nil, mode: mode)
        index = RuleIndex(rules, of: parts.stamp, places: answers.indices.filter { answers[$0] != nil }) { place in
            (answers[place] ?? nothingMatched).way
        }
        self.answers = answers
        self.nothingMatched = nothingMatched
        unknown = Dictionary(
            uniqueKeysWithValues: parts.unknown.map { cause, own in
                let profile = own.verdict.profile.flatMap { profiles[$0] }
                return (
                    cause,
                    Answer(
                        own.lane, own.verdict, decider: "`unknown` (\(cause.rawValue))", profile: profile, mode: mode)
                )
            })
        let overdue: Lane? =
            switch settings.deadline.outcome {
            case .missing: nil
            case .relay: .relay
            case .block: .block
            }
        atDeadline = overdue.map { lane in
            made(lane, "deadline", "`deferred`, because what the decision waited for did not come in time")
        }
        contentRules = rules.filter { rule in
            guard case .content = rule.consequence else { return false }
            return !rule.isDormant(under: mode)
        }
    }

    /// The summary of a program as this policy sees it: its class by the catalogues, and the requirements it meets.
    ///
    /// Takes microseconds and neither waits nor reads, but allocates: ask once for each program and policy, and keep it
    /// with the identity. An answer that was made for another policy decides no rule on `code`.
    public func judge(_ evidence: CodeEvidence) -> IdentitySummary {
        var summary = catalogues.classified(evidence, settings)
        summary.requirements = RequirementResults(
            policy: stamp, requirements.map { evidence.satisfies($0.compiled) })
        return summary
    }

    /// Decides a flow that has just arrived, from memory.
    ///
    /// A UDP flow is one datagram's way, decided by itself where the intake lets us; `FlowFacts.isReleaseSticky` says
    /// where it does not.
    ///
    /// `identityIsFinal` says that nobody finds out more of the program, so that there is nothing to hold the flow for.
    public func admit(_ facts: FlowFacts, identityIsFinal: Bool = false) -> Admission {
        guard facts.identity.contradiction == nil else { return admit(sound: facts.distrusted, identityIsFinal) }
        return admit(sound: facts, identityIsFinal)
    }

    /// Decides a flow or a message of which everything is known that will be known.
    ///
    /// With the facts of a decided admission it says the same.
    public func refine(_ facts: FlowFacts) -> Verdict {
        guard facts.identity.contradiction == nil else { return refine(sound: facts.distrusted) }
        return refine(sound: facts)
    }

    private func admit(sound facts: FlowFacts, _ identityIsFinal: Bool) -> Admission {
        if let early = preemption.decide(facts) { return .decided(early.verdict) }
        let found = find(facts, identityIsFinal ? .early : open(facts))
        guard !found.awaits.isEmpty else { return .decided(verdict(found.decider, facts)) }
        let unreadable = unreadable(facts)
        let answer = answer(find(facts, .final).decider)
        let otherwise = answer.verdict(unreadable)
        var waiting = found.waiting
        waiting.insert(self.answer(found.decider).way)
        // Under `decide` the lanes are those that the rules would lead to.
        let lane = mode == .decide ? answer.way.lane(unreadable) : otherwise.lane
        guard waiting.leads(awayFrom: lane, unreadable) else { return .decided(otherwise) }
        // Under `decide` no flow is claimed, so there is nothing to wait for.
        guard mode != .decide else { return .decided(answer.guess) }
        return .deferred(
            Deferral(
                awaits: found.awaits, candidates: waiting.lanes(unreadable).filter { $0 != lane },
                otherwise: otherwise, within: settings.deadline.milliseconds, atDeadline: atDeadline ?? otherwise))
    }

    private func refine(sound facts: FlowFacts) -> Verdict {
        if let early = preemption.decide(facts) { return early.verdict }
        return verdict(find(facts, .final).decider, facts)
    }

    /// The rules whose roll-out widens by itself, with where it stands on this device.
    public var ringed: [(rule: String, rollout: Rollout)] {
        rules.compactMap { rule in rule.rollout.flatMap { $0.rings == nil ? nil : (rule.name, $0) } }
    }

    /// The profile of a verdict, by its name.
    public func profile(_ name: String) -> Profile? { profiles[name] }

    /// The rules on content that hold for an inspected flow or message, in order.
    ///
    /// They hold beside the rule that decided the flow, wherever they stand: that one says whether Weir looks, these
    /// say what is done with what it finds. A name that is not known counts as another name.
    public func contentRules(for facts: FlowFacts) -> [ContentRule] {
        guard !contentRules.isEmpty, mode == .observe || mode == .enforce else { return [] }
        let facts = facts.identity.contradiction == nil ? facts : facts.distrusted
        return contentRules.compactMap { rule in
            guard case .content(let content) = rule.consequence, rule.truth(facts, .final) == .yes else { return nil }
            return content
        }
    }

    /// What may still be learnt of a flow that has just arrived.
    func open(_ facts: FlowFacts) -> Awaited {
        guard !holds.isEmpty, case .unknown(let cause) = facts.identity.codeClass, holds.contains(cause) else {
            return .early
        }
        return [.early, .identity]
    }

    /// Whether a cause of not knowing the program has a verdict in the place of the catch-all.
    func hasVerdict(for cause: UnknownCause) -> Bool { unknown[cause] != nil }

    /// Why a flow that shall be inspected cannot be; the name tells more than the port.
    func unreadable(_ facts: FlowFacts) -> Unreadable? {
        let isQUIC = facts.transport == .udp && facts.destination.port == 443
        if !privateRelays.isEmpty,
            facts.names.contains(where: { $0.proof >= .claimed && privateRelays.contains($0.name) })
        {
            // Anybody can claim a name; that the system goes there is proved by its class.
            switch facts.identity.codeClass {
            case .known(.os), .known(.platformInteractive): return .privateRelay
            case .known, .unknown: return .claimedRelay(isQUIC: isQUIC)
            }
        }
        return isQUIC ? .quic : nil
    }

    private func find(_ facts: FlowFacts, _ open: Awaited) -> RuleIndex.Found {
        var standsAside = false
        if case .unknown(let cause) = facts.identity.codeClass { standsAside = hasVerdict(for: cause) }
        return index.find(facts, open, standsAside: standsAside)
    }

    private func verdict(_ decider: RuleIndex.Found.Decider, _ facts: FlowFacts) -> Verdict {
        let answer = answer(decider)
        return answer.inspects ? answer.verdict(unreadable(facts)) : answer.verdict
    }

    private func answer(_ decider: RuleIndex.Found.Decider) -> Answer {
        switch decider {
        case .rule(let place): return answers[place] ?? nothingMatched
        case .unknown(let cause): return unknown[cause] ?? nothingMatched
        case .nothing: return nothingMatched
        }
    }
}

/// Everything a policy is made of, as the reader puts it together.
struct PolicyParts {
    var version = 1
    var mode = Policy.Mode.observe
    var modeCap: ModeCap?
    var digest = ""
    var settings = PolicySettings()
    var requirements: [PolicyRequirement] = []
    var exclusions: [Exclusion] = []
    var holds: Set<UnknownCause> = []
    var catalogues = Catalogues.shipped
    var files: [String] = []
    var stamp: UInt64
    var rules: [Rule] = []
    var unknown: [UnknownCause: (lane: Lane, verdict: Verdict)] = [:]
    var profiles: [Profile] = []
    var outline = PolicyOutline()
}
