// SPDX-License-Identifier: Apache-2.0

// Tests of the judgement whether something moves; every look is made by hand.

import Testing

@testable import AppleIntake

@Suite("Missed beats")
struct BeatTests {
    private let queue = Beat("queue")
    private let loop: Beat = {
        let beat = Beat("loop")
        beat.enter()
        return beat
    }()

    /// A loop is always inside, and its task moves it on.
    private func move(_ beat: Beat) {
        beat.enter()
        beat.leave()
    }

    @Test("A callback that stays inside is hung at its third missed beat, and is told once")
    func hung() {
        var watch = Watch([queue])
        queue.enter()
        var found: [Int?] = []
        for _ in 0..<6 { found.append(watch.look(isForgiven: false)?.missed) }
        #expect(found == [nil, nil, nil, 3, nil, nil])
    }

    @Test("A queue that rests misses nothing")
    func rest() {
        var watch = Watch([queue])
        move(queue)
        for _ in 0..<10 {
            #expect(watch.look(isForgiven: false) == nil)
            #expect(watch.missedNow == 0)
        }
    }

    @Test("Many short callbacks are no hang, though every look finds one inside")
    func busy() {
        var watch = Watch([queue])
        for _ in 0..<100 {
            queue.enter()
            #expect(watch.look(isForgiven: false) == nil)
            #expect(watch.missedNow == 0)
            queue.leave()
        }
    }

    @Test("A callback inside another keeps the outer one watched")
    func nested() {
        var watch = Watch([queue])
        queue.enter()
        move(queue)
        var hang: Hang?
        for _ in 0..<4 { hang = watch.look(isForgiven: false) }
        #expect(hang?.missed == 3)
    }

    @Test("A move after two missed beats begins the count anew")
    func late() {
        var watch = Watch([loop])
        for _ in 0..<3 { #expect(watch.look(isForgiven: false) == nil) }
        #expect(watch.missedNow == 1)
        move(loop)
        for _ in 0..<3 { #expect(watch.look(isForgiven: false) == nil) }
        #expect(watch.look(isForgiven: false)?.missed == 3)
    }

    @Test("What was missed before a sleep does not count after it, however often the machine sleeps")
    func sleep() {
        var watch = Watch([queue])
        queue.enter()
        for _ in 0..<20 {
            #expect(watch.look(isForgiven: true) == nil)
            #expect(watch.look(isForgiven: false) == nil)
            #expect(watch.look(isForgiven: false) == nil)
        }
        #expect(watch.look(isForgiven: false)?.missed == 3)
    }

    @Test("The one that hangs is named among those that move")
    func named() {
        let others = (0..<3).map { _ in Beat("loop") }
        for other in others { other.enter() }
        var watch = Watch([queue, others[0], loop, others[1], others[2]])
        var hang: Hang?
        for _ in 0..<4 {
            hang = watch.look(isForgiven: false)
            others.forEach(move)
            move(queue)
        }
        #expect(hang?.place == 2)
        #expect(watch.missedNow == 1)
    }
}
