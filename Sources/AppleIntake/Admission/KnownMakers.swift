// SPDX-License-Identifier: Apache-2.0

// What the policy in force sees in the processes that make flows, so that each is judged once.

internal import CodeIdentity
internal import FlowModel
internal import FlowPolicy

/// Judged identities by audit token; never a verdict.
///
/// One counts only for the very answer and the very policy that it was made from, so nothing in it grows stale: the
/// answer holds the kernel's bits, the cdhash and the examination. Two generations, as in the cache of identities.
struct KnownMakers {
    private struct Maker {
        var answer: MakerAnswer
        var summary: IdentitySummary
        /// Whether a socket of it may be let go for good; nil until one is to be.
        var releasesAll: Bool?
        let room: Room
    }

    private let half: Int
    private var young: [AuditToken: Maker] = [:]
    private var old: [AuditToken: Maker] = [:]

    init(capacity: Int) {
        half = max(1, capacity / 2)
        young.reserveCapacity(half)
    }

    /// Puts the judged identity into the facts, and says how many flows its process may have and whether all that it
    /// sends may be let go.
    mutating func judge(
        _ facts: inout FlowFacts, _ token: AuditToken, _ answer: MakerAnswer, _ policy: Policy, _ budget: FlowBudget
    ) -> (room: Room, releasesAll: Bool) {
        let known = young[token] ?? old[token]
        var maker: Maker
        var isChanged = young[token] == nil
        if let known, policy.hasJudged(known.summary), known.answer == answer {
            maker = known
        } else {
            maker = Maker(
                answer: answer, summary: policy.judge(CodeEvidence(answer)), room: known?.room ?? budget.process())
            isChanged = true
        }
        facts.identity = maker.summary
        if facts.isReleaseSticky, maker.releasesAll == nil {
            maker.releasesAll = policy.leavesAlone(everythingLike: facts)
            isChanged = true
        }
        if isChanged { keep(maker, token) }
        return (maker.room, maker.releasesAll ?? true)
    }

    private mutating func keep(_ maker: Maker, _ token: AuditToken) {
        old[token] = nil
        young[token] = maker
        guard young.count >= half else { return }
        old = young
        young = [:]
        young.reserveCapacity(half)
    }
}
