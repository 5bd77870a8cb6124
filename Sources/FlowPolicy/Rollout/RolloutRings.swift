// SPDX-License-Identifier: Apache-2.0

// A roll-out that widens by itself, and stops when clients begin to fail.

/// Rings of a roll-out: each a larger part of all devices, each for a time.
///
/// A pure state machine: time and counts are arguments, and whoever has them keeps the state.
///
///                 | time not over | time over, too few flows | time over, enough flows | failures rise | resume
///     advancing   | same          | same                     | next ring, or complete  | stopped       | same
///     complete    | same          | same                     | same                    | stopped       | same
///     stopped     | same          | same                     | same                    | same          | advancing
///
/// Each device keeps a state of its own. Outside the ring it sees no flow of the rule, so that there time alone counts. A
/// ring that stopped takes the rule from the device, which falls back to what was before; only a person resumes it, in
/// the same ring.
public struct RolloutRings: Sendable, Hashable {
    /// What clients met with: flows, and those among them that the client gave up.
    public struct Counts: Sendable, Hashable, Codable {
        public var flows: Int
        /// At most `flows`.
        public var failures: Int

        public init(flows: Int, failures: Int) {
            self.flows = max(0, flows)
            self.failures = min(max(0, failures), self.flows)
        }
    }

    /// Where a roll-out stands; moments are milliseconds since 1970-01-01 UTC.
    public enum State: Sendable, Hashable, Codable {
        case advancing(ring: Int, since: Int64)
        case complete(since: Int64)
        case stopped(ring: Int, at: Int64, new: Counts, baseline: Counts)
    }

    /// Percentages, rising; the last may be less than 100.
    public let percents: [Int]
    /// Milliseconds that a ring lasts at least.
    public let every: Int64
    /// By how much the failure rate may exceed the baseline's: hundredths of a percent of all flows.
    public let allowedRise: Int

    /// Flows that a rate needs before it says anything.
    public static let minimumFlows = 200
    /// Failures under the new rule before a rise can be believed.
    public static let minimumFailures = 5
    /// How many standard errors a rise must exceed what is allowed: three are chance once in 740 times.
    public static let minimumDeviations = 3.0

    /// Makes rings; nil unless the percentages rise within 1…100, there are at most 16, and time and rise are sane.
    public init?(percents: [Int], every: Int64, allowedRise: Int) {
        guard (1...16).contains(percents.count), percents.allSatisfy((1...100).contains),
            zip(percents, percents.dropFirst()).allSatisfy(<), every > 0, (0...10_000).contains(allowedRise)
        else { return nil }
        self.percents = percents
        self.every = every
        self.allowedRise = allowedRise
    }

    public func begin(now: Int64) -> State { .advancing(ring: 0, since: now) }

    /// Where the roll-out stands now.
    ///
    /// `new` counts flows that the rule decided since the ring began; `baseline` those that it did not decide.
    /// `takesPart` says whether the device lies in the ring.
    public func next(_ state: State, now: Int64, new: Counts, baseline: Counts, takesPart: Bool = true) -> State {
        switch state {
        case .stopped: return state
        case .complete:
            guard hasRisen(new, baseline) else { return state }
            return .stopped(ring: percents.count - 1, at: now, new: new, baseline: baseline)
        case .advancing(let ring, let since):
            if hasRisen(new, baseline) { return .stopped(ring: ring, at: now, new: new, baseline: baseline) }
            let (elapsed, isPast) = now.subtractingReportingOverflow(since)
            // A clock that was set back only makes a ring last longer.
            guard !isPast, elapsed >= every, !takesPart || new.flows >= Self.minimumFlows else { return state }
            return ring < percents.count - 1 ? .advancing(ring: ring + 1, since: now) : .complete(since: now)
        }
    }

    /// What a person does who has found out why clients failed.
    public func resume(_ state: State, now: Int64) -> State {
        guard case .stopped(let ring, _, _, _) = state else { return state }
        return .advancing(ring: min(max(0, ring), percents.count - 1), since: now)
    }

    /// The part of all devices that take the rule in this state.
    public func rollout(_ state: State, salt: String) -> Rollout {
        let percent: Int
        switch state {
        case .stopped: percent = 0
        case .complete: percent = percents.last ?? 0
        // A ring that there is not comes from a file that was changed: nobody takes it.
        case .advancing(let ring, _): percent = percents.indices.contains(ring) ? percents[ring] : 0
        }
        return Rollout(percent: percent, salt: salt, rings: self)
    }

    /// Whether the new rate exceeds the old by more than is allowed, and by more than chance explains.
    ///
    /// The rates of two samples are compared with the standard error of their difference (the two-proportion z test,
    /// unpooled, against the allowed rise). Both rates are moved a little towards one half, as Agresti and Caffo (2000)
    /// do for small samples, so that a baseline without a failure is no certainty.
    func hasRisen(_ new: Counts, _ baseline: Counts) -> Bool {
        guard new.flows >= Self.minimumFlows, baseline.flows >= Self.minimumFlows,
            new.failures >= Self.minimumFailures
        else { return false }
        func sample(_ counts: Counts) -> (rate: Double, variance: Double) {
            let size = Double(counts.flows) + 2
            let rate = (Double(counts.failures) + 1) / size
            return (rate, rate * (1 - rate) / size)
        }
        let (a, b) = (sample(new), sample(baseline))
        let excess = a.rate - b.rate - Double(allowedRise) / 10_000
        return excess > 0 && excess > Self.minimumDeviations * (a.variance + b.variance).squareRoot()
    }
}
