// SPDX-License-Identifier: Apache-2.0

// Every transition of the rings, and the evidence that stops them.

import FlowModel
import FlowPolicy
import Foundation
import Testing

@Suite struct RolloutRingsTests {
    typealias Counts = RolloutRings.Counts
    typealias State = RolloutRings.State

    static let day: Int64 = 86_400_000
    static let good = Counts(flows: 10_000, failures: 100)
    static let bad = Counts(flows: 10_000, failures: 600)
    static let few = Counts(flows: 199, failures: 190)

    static func rings() throws -> RolloutRings {
        try #require(RolloutRings(percents: [1, 10, 50, 100], every: day, allowedRise: 200))
    }

    /// A row of the table: a state, what is seen after a time, and the state that follows.
    struct Row: Sendable {
        let from: State
        let after: Int64
        let new: Counts
        var baseline = RolloutRingsTests.good
        let to: State
    }

    static let table: [Row] = [
        Row(from: .advancing(ring: 0, since: 0), after: day - 1, new: good, to: .advancing(ring: 0, since: 0)),
        Row(from: .advancing(ring: 0, since: 0), after: day, new: good, to: .advancing(ring: 1, since: day)),
        Row(from: .advancing(ring: 0, since: 0), after: day, new: few, to: .advancing(ring: 0, since: 0)),
        Row(from: .advancing(ring: 3, since: 0), after: day, new: good, to: .complete(since: day)),
        Row(
            from: .advancing(ring: 1, since: 0), after: 5, new: bad,
            to: .stopped(ring: 1, at: 5, new: bad, baseline: good)),
        Row(
            from: .advancing(ring: 1, since: 0), after: day, new: bad,
            to: .stopped(ring: 1, at: day, new: bad, baseline: good)),
        Row(from: .complete(since: 0), after: day * 9, new: good, to: .complete(since: 0)),
        Row(from: .complete(since: 0), after: 5, new: bad, to: .stopped(ring: 3, at: 5, new: bad, baseline: good)),
        Row(
            from: .stopped(ring: 1, at: 5, new: bad, baseline: good), after: day * 9, new: good,
            to: .stopped(ring: 1, at: 5, new: bad, baseline: good)),
        // Nothing to compare with: neither stopped nor hurried.
        Row(
            from: .advancing(ring: 0, since: 0), after: 5, new: bad, baseline: few,
            to: .advancing(ring: 0, since: 0)),
        // A clock that was set back.
        Row(from: .advancing(ring: 0, since: day), after: 0, new: good, to: .advancing(ring: 0, since: day)),
        Row(
            from: .advancing(ring: 0, since: .min), after: .max, new: good, to: .advancing(ring: 0, since: .min)),
    ]

    @Test("Every state goes where the table says", arguments: table.indices)
    func transitions(index: Int) throws {
        let row = Self.table[index]
        #expect(try Self.rings().next(row.from, now: row.after, new: row.new, baseline: row.baseline) == row.to)
    }

    @Test("Rings take their percentage, and a stopped roll-out takes nobody")
    func percentages() throws {
        let rings = try Self.rings()
        let percent = { (state: State) in rings.rollout(state, salt: "s").percent }
        #expect((0..<4).map { percent(.advancing(ring: $0, since: 0)) } == [1, 10, 50, 100])
        #expect(percent(.complete(since: 0)) == 100)
        #expect(percent(.stopped(ring: 3, at: 0, new: Self.bad, baseline: Self.good)) == 0)
        #expect(percent(.advancing(ring: 9, since: 0)) == 0)
        #expect(percent(.advancing(ring: -1, since: 0)) == 0)
    }

    @Test("Only a person resumes a stopped roll-out, in the ring where it stopped")
    func resumed() throws {
        let rings = try Self.rings()
        let stopped = State.stopped(ring: 2, at: 5, new: Self.bad, baseline: Self.good)
        #expect(rings.resume(stopped, now: 70) == .advancing(ring: 2, since: 70))
        #expect(rings.resume(.complete(since: 3), now: 70) == .complete(since: 3))
        let odd = State.stopped(ring: 99, at: 5, new: Self.bad, baseline: Self.good)
        #expect(rings.resume(odd, now: 70) == .advancing(ring: 3, since: 70))
    }

    @Test("Rings that make no sense are refused")
    func refused() {
        #expect(RolloutRings(percents: [], every: 1, allowedRise: 0) == nil)
        #expect(RolloutRings(percents: [10, 10], every: 1, allowedRise: 0) == nil)
        #expect(RolloutRings(percents: [50, 10], every: 1, allowedRise: 0) == nil)
        #expect(RolloutRings(percents: [0, 10], every: 1, allowedRise: 0) == nil)
        #expect(RolloutRings(percents: [10, 101], every: 1, allowedRise: 0) == nil)
        #expect(RolloutRings(percents: Array(1...17), every: 1, allowedRise: 0) == nil)
        #expect(RolloutRings(percents: [10], every: 0, allowedRise: 0) == nil)
        #expect(RolloutRings(percents: [10], every: 1, allowedRise: 10_001) == nil)
    }

    @Test("Chance alone hardly ever stops a roll-out, and a real rise nearly always does")
    func evidence() throws {
        let rings = try #require(RolloutRings(percents: [10, 100], every: 1, allowedRise: 0))
        var dice = Dice(7)
        func draw(_ perMille: Int) -> Counts {
            Counts(flows: 1_000, failures: (0..<1_000).count { _ in dice.roll(1_000) < perMille })
        }
        func stops(_ perMille: Int) -> Int {
            (0..<400).count { _ in
                let state = rings.next(.complete(since: 0), now: 1, new: draw(perMille), baseline: draw(20))
                return state != .complete(since: 0)
            }
        }
        #expect(stops(20) <= 4)
        #expect(stops(80) >= 396)
    }

    @Test("A rise below what is allowed stops nothing, however sure it is")
    func allowed() throws {
        let rings = try Self.rings()
        let new = Counts(flows: 1_000_000, failures: 28_000)
        let baseline = Counts(flows: 1_000_000, failures: 10_000)
        #expect(rings.next(.complete(since: 0), now: 1, new: new, baseline: baseline) == .complete(since: 0))
    }

    @Test("The state survives a file, and counts that cannot be are made possible")
    func persisted() throws {
        let states: [State] = [
            .advancing(ring: 2, since: 77), .complete(since: 1),
            .stopped(ring: 1, at: 5, new: Self.bad, baseline: Self.good),
        ]
        for state in states {
            let data = try JSONEncoder().encode(state)
            #expect(try JSONDecoder().decode(State.self, from: data) == state)
        }
        #expect(Counts(flows: -5, failures: 9) == Counts(flows: 0, failures: 0))
        #expect(Counts(flows: 5, failures: 9).failures == 5)
    }

    @Test("Outside its ring a device goes on by time alone, and inside only with enough flows")
    func outside() throws {
        let rings = try #require(RolloutRings(percents: [1, 100], every: 1_000, allowedRise: 200))
        let none = RolloutRings.Counts(flows: 0, failures: 0)
        let begun = rings.begin(now: 0)
        #expect(rings.next(begun, now: 999, new: none, baseline: none, takesPart: false) == begun)
        #expect(
            rings.next(begun, now: 1_000, new: none, baseline: none, takesPart: false)
                == .advancing(ring: 1, since: 1_000))
        #expect(rings.next(begun, now: 1_000, new: none, baseline: none, takesPart: true) == begun)
    }

    @Test("A document's rings take the device in the state it kept, and none once they stopped")
    func document() throws {
        let yaml = """
            version: 1
            mode: enforce
            rules:
              - name: new
                when: {port: 443}
                then: block
                rollout: {rings: [1, 100], every: 24h, stop: {failures: 2%}}
              - {name: rest, then: relay}
            """
        let counts = RolloutRings.Counts(flows: 200, failures: 100)
        let states: [(RolloutRings.State?, Lane)] = [
            (nil, .relay), (.advancing(ring: 1, since: 0), .block), (.complete(since: 0), .block),
            (.stopped(ring: 1, at: 0, new: counts, baseline: counts), .relay), (.advancing(ring: 9, since: 0), .relay),
        ]
        for (state, lane) in states {
            var environment = PolicyEnvironment(detectors: Sample.detectors, device: "outside of one percent")
            environment.ringState = { $0 == "new" ? state : nil }
            let policy = try Policy.read(yaml: yaml, file: "test.yaml", environment)
            #expect(policy.ringed.map(\.rule) == ["new"])
            #expect(
                policy.admit(try Sample.facts("a.example:443")).verdict.lane == lane, "\(String(describing: state))")
        }
        #expect(!Rollout(percent: 1, salt: "new").includes("outside of one percent"))
    }
}
