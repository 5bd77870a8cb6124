// SPDX-License-Identifier: Apache-2.0

// Tests of the table of runs and deaths.

import FlowModel
import Foundation
import Testing

@testable import AppleIntake

@Suite("The book of deaths")
struct DeathBookTests {
    /// What can happen between two starts, or instead of one.
    private enum Event: CaseIterable { case crash, stop, reboot, wait, approve, rearm }

    /// A machine, its book and its clock.
    private struct Machine {
        var now = MachineMoment(boot: "one", milliseconds: 5_000)
        var approved = "policy 1"
        var book = DeathBook(boot: "one")

        init() { start() }

        @discardableResult
        mutating func start() -> DeathBook.Beginning { book.begin(now, approved: approved) }

        mutating func happen(_ event: Event) {
            now.milliseconds += 1_000
            switch event {
            case .crash: start()
            case .stop:
                book.end()
                start()
            case .reboot:
                now = MachineMoment(boot: now.boot + "'", milliseconds: 5_000)
                start()
            case .wait: now.milliseconds += Int64(AppleIntakeLimits.deathWindow.value)
            case .approve:
                approved += "'"
                start()
            case .rearm: book.rearm()
            }
        }
    }

    @Test("The third death in ten minutes disarms, the second does not")
    func third() {
        var machine = Machine()
        machine.happen(.crash)
        machine.happen(.crash)
        #expect(machine.book.isArmed)
        machine.now.milliseconds += 1
        #expect(machine.start() == .init(hasDied: true, wasDisarmed: true))
        #expect(!machine.book.isArmed)
    }

    @Test("Ten minutes are counted from the first of the three, to the millisecond", arguments: [0, 1])
    func window(late: Int64) {
        var machine = Machine()
        machine.now.milliseconds = 10_000
        machine.start()
        machine.now.milliseconds = 20_000
        machine.start()
        machine.now.milliseconds = 10_000 + Int64(AppleIntakeLimits.deathWindow.value) + late
        machine.start()
        #expect(machine.book.isArmed == (late == 1))
    }

    @Test("Neither a stop, nor an upgrade, nor a new start of the machine is a death")
    func orderly() {
        var machine = Machine()
        for event in [Event.stop, .reboot, .stop, .stop, .reboot, .reboot] { machine.happen(event) }
        #expect(machine.book.deaths.isEmpty && machine.book.isArmed)
        // A stop does not wipe out the deaths before it.
        for event in [Event.crash, .crash, .stop, .crash] { machine.happen(event) }
        #expect(!machine.book.isArmed)
    }

    @Test("A disarmed provider stays so through crashes, stops, time and restarts of the machine, until re-armed")
    func disarmed() {
        var machine = Machine()
        for _ in 0..<3 { machine.happen(.crash) }
        for event in [Event.crash, .stop, .wait, .reboot, .stop] {
            machine.happen(event)
            #expect(!machine.book.isArmed)
        }
        machine.happen(.approve)
        #expect(machine.book.isArmed)
    }

    @Test("Whatever happens in whatever order, it is disarmed by three deaths since it was armed and by nothing else")
    func everyOrder() {
        func play(_ machine: Machine, _ deaths: Int, _ left: Int) {
            guard left > 0 else { return }
            for event in Event.allCases {
                var machine = machine
                let wasArmed = machine.book.isArmed
                machine.happen(event)
                var deaths = deaths
                switch event {
                case .crash: deaths += 1
                case .stop: break
                // An approval comes with a start, so what it finds dead dies with what was before.
                case .reboot, .wait, .rearm: deaths = 0
                case .approve: deaths = wasArmed ? deaths + 1 : 0
                }
                let isArmed =
                    switch event {
                    case .rearm: true
                    case .approve: !(wasArmed && deaths >= 3)
                    default: wasArmed && deaths < 3
                    }
                if machine.book.isArmed != isArmed { Issue.record("\(event): \(machine.book)") }
                if machine.book.deaths.count > 3 { Issue.record("more deaths than count: \(machine.book)") }
                if !machine.book.isPlausible(at: machine.now) { Issue.record("not plausible: \(machine.book)") }
                play(machine, deaths, left - 1)
            }
        }
        play(Machine(), 0, 6)
    }

    @Test(
        "A book that cannot be true is known as such",
        arguments: [
            #"{"boot":"one","running":5001,"deaths":[]}"#, #"{"boot":"one","deaths":[5001]}"#,
            #"{"boot":"one","running":-1,"deaths":[]}"#, #"{"boot":"one","deaths":[-9223372036854775808]}"#,
            #"{"boot":"one","deaths":[2,1]}"#, #"{"boot":"one","running":1,"deaths":[2]}"#,
        ])
    func implausible(json: String) throws {
        let book = try JSONDecoder().decode(DeathBook.self, from: Data(json.utf8))
        let now = MachineMoment(boot: "one", milliseconds: 5_000)
        #expect(!book.isPlausible(at: now))
        // Of another start of the machine nothing is believed anyway.
        #expect(book.isPlausible(at: MachineMoment(boot: "two", milliseconds: 0)))
        var other = book
        #expect(other.begin(MachineMoment(boot: "two", milliseconds: 0), approved: "") == .init())
    }
}
