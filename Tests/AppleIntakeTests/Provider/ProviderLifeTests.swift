// SPDX-License-Identifier: Apache-2.0

// The life of the provider: every event in every state.

import Testing

@testable import AppleIntake

@Suite("The life of the provider")
struct ProviderLifeTests {
    typealias Life = ProviderLife<String, String, String>

    /// Something that happens; `death` is a failure of the provider's own.
    enum Event: String, CaseIterable {
        case start, made, unmade, ruled, fail, stop, freed
    }

    /// A row of the table: in this state, this event leads there and asks for this.
    struct Row: CustomTestStringConvertible {
        var state: Life.Phase
        var event: Event
        var next: Life.Phase
        var action: String
        var testDescription: String { "\(state) \(event)" }

        init(_ state: Life.Phase, _ event: Event, _ next: Life.Phase, _ action: String) {
            (self.state, self.event, self.next, self.action) = (state, event, next, action)
        }
    }

    /// A life that has come to a state in the shortest way; its start is call `a`, what it was made with is `box`.
    ///
    /// Ending and ended lives were stopped by call `s` after they ran.
    static func life(in state: Life.Phase, _ act: (inout Life) -> Void) {
        var life = Life()
        let steps: [(inout Life) -> Void] = [
            { _ = $0.start("a") }, { _ = $0.made("box") }, { _ = $0.ruled() }, { _ = $0.stop("s") },
            { _ = $0.freed() },
        ]
        for step in steps.prefix(Life.Phase.allCases.firstIndex(of: state) ?? 0) { step(&life) }
        act(&life)
    }

    static func act(_ event: Event, on life: inout Life) -> Life.Action {
        let failure = ProviderFailure(.services, "broken")
        return switch event {
        case .start: life.start("b")
        case .made: life.made("late")
        case .unmade: life.unmade(failure)
        case .ruled: life.ruled()
        case .fail: life.fail(failure)
        case .stop: life.stop("t")
        case .freed: life.freed()
        }
    }

    /// An action in words: `starts a,b: stopped; stops s`.
    static func words(_ action: Life.Action) -> String {
        switch action {
        case .nothing: return "–"
        case .make: return "make"
        case .set(let resources): return "set \(resources)"
        case .free(let resources): return "free \(resources)"
        case .report(let report):
            var words: [String] = []
            if !report.starts.isEmpty {
                words.append(
                    "starts \(report.starts.joined(separator: ",")): \(report.failure?.code.rawValue ?? "runs")")
            }
            if !report.stops.isEmpty { words.append("stops \(report.stops.joined(separator: ","))") }
            if report.cancels { words.append("cancels") }
            return words.joined(separator: "; ")
        }
    }

    static let table: [Row] = [
        Row(.idle, .start, .making, "make"),
        Row(.idle, .made, .idle, "free late"),
        Row(.idle, .unmade, .idle, "–"),
        Row(.idle, .ruled, .idle, "–"),
        Row(.idle, .fail, .ended, "cancels"),
        Row(.idle, .stop, .ended, "stops t"),
        Row(.idle, .freed, .idle, "–"),

        Row(.making, .start, .making, "–"),
        Row(.making, .made, .setting, "set late"),
        Row(.making, .unmade, .ended, "starts a: services"),
        Row(.making, .ruled, .making, "–"),
        Row(.making, .fail, .ended, "starts a: services"),
        Row(.making, .stop, .ended, "starts a: stopped; stops t"),
        Row(.making, .freed, .making, "–"),

        Row(.setting, .start, .setting, "–"),
        Row(.setting, .made, .setting, "free late"),
        Row(.setting, .unmade, .setting, "–"),
        Row(.setting, .ruled, .running, "starts a: runs"),
        Row(.setting, .fail, .ending, "free box"),
        Row(.setting, .stop, .ending, "free box"),
        Row(.setting, .freed, .setting, "–"),

        Row(.running, .start, .running, "starts b: runs"),
        Row(.running, .made, .running, "free late"),
        Row(.running, .unmade, .running, "–"),
        Row(.running, .ruled, .running, "–"),
        Row(.running, .fail, .ending, "free box"),
        Row(.running, .stop, .ending, "free box"),
        Row(.running, .freed, .running, "–"),

        Row(.ending, .start, .ending, "–"),
        Row(.ending, .made, .ending, "free late"),
        Row(.ending, .unmade, .ending, "–"),
        Row(.ending, .ruled, .ending, "–"),
        Row(.ending, .fail, .ending, "–"),
        Row(.ending, .stop, .ending, "–"),
        Row(.ending, .freed, .ended, "stops s"),

        Row(.ended, .start, .ended, "starts b: stopped"),
        Row(.ended, .made, .ended, "free late"),
        Row(.ended, .unmade, .ended, "–"),
        Row(.ended, .ruled, .ended, "–"),
        Row(.ended, .fail, .ended, "–"),
        Row(.ended, .stop, .ended, "stops t"),
        Row(.ended, .freed, .ended, "–"),
    ]

    @Test("The table names each event in each state")
    func complete() {
        let cells = Set(Self.table.map(\.testDescription))
        #expect(cells.count == Self.table.count)
        #expect(cells.count == Life.Phase.allCases.count * Event.allCases.count)
    }

    @Test("An event leads where the table says, and asks for what it says", arguments: table)
    func row(_ row: Row) {
        Self.life(in: row.state) { life in
            let before = life.phase
            let action = Self.words(Self.act(row.event, on: &life))
            let (after, isRunning) = (life.phase, life.running != nil)
            #expect(before == row.state)
            #expect(action == row.action)
            #expect(after == row.next)
            #expect(isRunning == (row.next == .running))
        }
    }

    @Test("Calls that join are answered with those that came before them, after all is freed")
    func joined() {
        var life = Life()
        _ = life.start("a")
        _ = life.start("b")
        _ = life.made("box")
        _ = life.start("c")
        #expect(Self.words(life.stop("s")) == "free box")
        #expect(Self.words(life.start("d")) == "–")
        #expect(Self.words(life.stop("t")) == "–")
        #expect(Self.words(life.freed()) == "starts a,b,c,d: stopped; stops s,t")
    }

    @Test("A provider that ends itself tells the system once, when all is freed, and a stop meanwhile is answered too")
    func cancelled() {
        Self.life(in: .running) { life in
            #expect(Self.words(life.fail(ProviderFailure(.cancelled, ""))) == "free box")
            #expect(Self.words(life.stop("s")) == "–")
            #expect(Self.words(life.freed()) == "stops s; cancels")
            #expect(Self.words(life.start("b")) == "starts b: cancelled")
        }
    }

    @Test("A start that failed stays failed: the system makes another instance for the next")
    func failed() {
        Self.life(in: .setting) { life in
            #expect(Self.words(life.fail(ProviderFailure(.rules, ""))) == "free box")
            #expect(Self.words(life.freed()) == "starts a: rules")
            #expect(Self.words(life.start("b")) == "starts b: rules")
        }
    }

    @Test("However events follow each other, each call is answered once and what was made is freed once")
    func anyOrder() {
        var dice = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var life = Life()
            var (asked, answered, made, freed, trace) = ([String](), [String](), [String](), [String](), [Event]())
            func note(_ action: Life.Action) {
                switch action {
                case .nothing, .make, .set: break
                case .free(let resources): freed.append(resources)
                case .report(let report): answered += report.starts + report.stops
                }
            }
            for number in 0..<24 {
                let event = Event.allCases.randomElement(using: &dice) ?? .start
                trace.append(event)
                switch event {
                case .start:
                    asked.append("start \(number)")
                    note(life.start("start \(number)"))
                case .stop:
                    asked.append("stop \(number)")
                    note(life.stop("stop \(number)"))
                case .made:
                    made.append("box \(number)")
                    note(life.made("box \(number)"))
                default: note(Self.act(event, on: &life))
                }
            }
            asked.append("last")
            note(life.stop("last"))
            note(life.freed())
            #expect(answered.sorted() == asked.sorted(), "\(trace)")
            #expect(freed.sorted() == made.sorted(), "\(trace)")
        }
    }
}
