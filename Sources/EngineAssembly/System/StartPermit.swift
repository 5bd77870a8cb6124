// SPDX-License-Identifier: Apache-2.0

// How much a start may do on this system: asked before the policy is read.

package import FlowPolicy

/// What is known of this system, and the cap that follows.
package struct StartPermit {
    package let facts: SystemFacts
    package let watch: BuildWatch
    /// The known-bad combinations that this machine is.
    package let knownBad: [KnownBadRow]
    private let state: String

    package var standing: BuildStanding { watch.standing(of: facts.build) }
    /// The most that a policy may do; nil for all of it.
    package var cap: ModeCap? {
        ModeCap.lowest(knownBad.compactMap(\.modeCap) + [standing.cap(on: facts.build)].compactMap { $0 })
    }

    /// Asks the system and the record; reads files, waits for nothing.
    package static func judge(state: String, osRelease: String?) throws -> StartPermit {
        let facts = try RunningSystem.facts(osRelease: osRelease)
        return StartPermit(
            facts: facts, watch: BuildFile.read(in: state), knownBad: KnownBadTable.shipped.rows(for: facts),
            state: state)
    }

    /// Records a first start, and says on standard error what holds the policy back; the state directory is there.
    package func begin(_ policy: Policy, now: Int64) {
        if watch == .fresh {
            do {
                try BuildFile.write(watch.started(on: facts.build, at: now), in: state, isNew: true)
            } catch {
                FileDescriptorText.standardError(
                    "weir: an update of the system will not be noticed: \((error as? Problem)?.text ?? "\(error)")\n")
            }
        }
        guard let cap, policy.modeCap == cap else { return }
        let advice =
            knownBad.contains { $0.modeCap == cap }
            ? "`weir doctor` says what helps" : "run `weir doctor --state \(state)`; once it passes, the mode is back"
        let line = "weir: the mode is held to \(cap.mode.rawValue), because \(cap.cause): \(advice)"
        FileDescriptorText.standardError(line.terminalSafe + "\n")
    }
}
