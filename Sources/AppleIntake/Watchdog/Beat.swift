// SPDX-License-Identifier: Apache-2.0

// What has to keep moving, and the judgement whether it does.

internal import Synchronization

/// Counts how often something was entered and left: two relaxed additions, from any thread.
final class Beat: Sendable {
    /// What it is, for the file of stacks.
    let name: StaticString
    private let entered = Atomic<UInt64>(0)
    private let left = Atomic<UInt64>(0)

    init(_ name: StaticString) { self.name = name }

    func enter() { entered.wrappingAdd(1, ordering: .relaxed) }
    func leave() { left.wrappingAdd(1, ordering: .relaxed) }

    /// The counts now; torn ones differ from the next, so they only ever excuse.
    var reading: Reading {
        Reading(left: left.load(ordering: .relaxed), entered: entered.load(ordering: .relaxed))
    }

    struct Reading: Equatable {
        var left: UInt64
        var entered: UInt64
    }
}

/// How often in a row something was found where it had been found before.
///
/// Looks are counted, not time: no caller reads a clock, a machine that sleeps is not looked at, and a queue of many
/// short callbacks never shows the same counts twice.
///
/// | last look \ this look | outside | inside, other counts | inside, same counts |
/// |---|---|---|---|
/// | any | 0 missed | 0 missed | one more missed |
/// | forgotten | 0 missed | 0 missed | 0 missed |
struct Pulse {
    private var last: Beat.Reading?
    private(set) var missed = 0

    mutating func take(_ reading: Beat.Reading) {
        missed = reading == last && reading.entered != reading.left ? missed + 1 : 0
        last = reading
    }

    mutating func forget() { self = Pulse() }
}

/// What was found hung.
struct Hang: Sendable {
    /// Its place among what is watched: 0 is the provider's queue.
    var place: Int
    var name: StaticString
    var missed: Int
}
