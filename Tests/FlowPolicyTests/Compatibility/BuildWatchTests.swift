// SPDX-License-Identifier: Apache-2.0

// Which builds may be worked on: every state against every event.

import FlowModel
import FlowPolicy
import Testing

@Suite struct BuildWatchTests {
    private static func build(_ kernel: String) -> SystemBuild { .linux(osRelease: "NAME=Test\n", kernel: kernel) }
    private static func good(_ kernel: String, _ proof: GoodBuild.Proof = .doctor, at: Int64 = 1) -> GoodBuild {
        GoodBuild(build: build(kernel).description, by: proof, at: at)
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var before: BuildWatch
        var standing: BuildStanding
        var isCapped: Bool
        var afterStart: BuildWatch
        var afterPass: BuildWatch
    }

    /// All on build 2 at time 9.
    static let table = [
        Row(
            testDescription: "fresh", before: .fresh, standing: .first, isCapped: false,
            afterStart: .known([good("2", .firstStart, at: 9)]), afterPass: .known([good("2", at: 9)])),
        Row(
            testDescription: "known, the same", before: .known([good("2", .firstStart)]),
            standing: .good(good("2", .firstStart)), isCapped: false, afterStart: .known([good("2", .firstStart)]),
            afterPass: .known([good("2", at: 9)])),
        Row(
            testDescription: "known, booted in turn", before: .known([good("3"), good("2")]),
            standing: .good(good("2")), isCapped: false, afterStart: .known([good("3"), good("2")]),
            afterPass: .known([good("2", at: 9), good("3")])),
        Row(
            testDescription: "known, another", before: .known([good("1")]), standing: .changed(from: good("1")),
            isCapped: true, afterStart: .known([good("1")]), afterPass: .known([good("2", at: 9), good("1")])),
        Row(
            testDescription: "lost", before: .lost, standing: .lost, isCapped: true, afterStart: .lost,
            afterPass: .known([good("2", at: 9)])),
    ]

    @Test("A start is capped on a changed or unknown past alone, and only the self-test lifts that", arguments: table)
    func states(row: Row) {
        let build = Self.build("2")
        #expect(row.before.standing(of: build) == row.standing)
        #expect((row.standing.cap(on: build)?.mode == .decide) == row.isCapped)
        #expect(row.before.started(on: build, at: 9) == row.afterStart)
        // Starting again and again never lifts a cap.
        #expect((row.afterStart.standing(of: build).cap(on: build) != nil) == row.isCapped)
        #expect(row.before.passed(on: build, at: 9) == row.afterPass)
        #expect(row.afterPass.standing(of: build).cap(on: build) == nil)
    }

    @Test("The cap says what the system was, what it is, and what to do")
    func words() throws {
        let cap = try #require(BuildStanding.changed(from: Self.good("1")).cap(on: Self.build("2")))
        #expect(cap.cause.contains("Test, kernel 1 and is now Test, kernel 2"))
        #expect(cap.cause.contains("weir doctor"))
    }

    @Test("The record keeps the latest builds and is never empty")
    func bounded() {
        var watch = BuildWatch.fresh
        for number in 0..<20 { watch = watch.passed(on: Self.build("\(number)"), at: Int64(number)) }
        #expect(watch.good.count == PolicyLimits.goodBuilds.value)
        #expect(watch.good.first == Self.good("19", at: 19))
        #expect(BuildWatch(good: []) == .lost)
        #expect(BuildWatch(good: watch.good + watch.good) == watch)
    }
}
