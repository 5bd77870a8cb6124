// SPDX-License-Identifier: Apache-2.0

// How often the provider died of late, and whether it may take flows again.

internal import FlowModel

/// A moment by a clock that nobody can set: milliseconds since the machine was started, sleep included.
struct MachineMoment: Sendable, Equatable {
    /// Names the start of the machine.
    var boot: String
    var milliseconds: Int64
}

/// What is known of earlier runs.
///
/// A run that began and did not end has died, unless the machine was started anew since: then it ended with the system,
/// whichever way that ended. A death counts from when the next run finds it.
///
/// | event | what was | what becomes |
/// |---|---|---|
/// | begin | no run open | a run is open |
/// | begin | a run open, same start of the machine | one more death; the third in the window disarms |
/// | begin | a run open, another start of the machine | no death, and earlier ones are forgotten |
/// | begin | disarmed, the same is approved | still disarmed |
/// | begin | disarmed, something else is approved | armed, deaths forgotten |
/// | end | any | no run open |
/// | re-arm | any | armed, deaths forgotten |
struct DeathBook: Codable, Equatable {
    private(set) var boot: String
    /// When the run began that has not ended.
    private(set) var running: Int64?
    /// When deaths were found, oldest first.
    private(set) var deaths: [Int64] = []
    /// What was approved when it was disarmed; nil while it is armed.
    private(set) var disarmed: String?

    struct Beginning: Equatable {
        var hasDied = false
        var wasDisarmed = false
        var wasRearmed = false
    }

    init(boot: String) { self.boot = boot }

    var isArmed: Bool { disarmed == nil }

    /// Whether all of it can be true now: what lies ahead, or is not in order, was not written by us.
    func isPlausible(at now: MachineMoment) -> Bool {
        guard boot == now.boot else { return true }
        let moments = deaths + (running.map { [$0] } ?? [])
        return zip(moments, moments.dropFirst()).allSatisfy { $0 <= $1 }
            && moments.allSatisfy { (0...now.milliseconds).contains($0) }
    }

    /// A run begins, with `approved` in force.
    mutating func begin(_ now: MachineMoment, approved: String) -> Beginning {
        var beginning = Beginning()
        if boot != now.boot {
            boot = now.boot
            running = nil
            deaths = []
        }
        if running != nil {
            beginning.hasDied = true
            deaths.append(now.milliseconds)
        }
        running = now.milliseconds
        deaths.removeAll { now.milliseconds - $0 > Int64(AppleIntakeLimits.deathWindow.value) }
        deaths = deaths.suffix(AppleIntakeLimits.deaths.value)
        if let disarmed, disarmed != approved {
            beginning.wasRearmed = true
            rearm()
        }
        if isArmed, deaths.count >= AppleIntakeLimits.deaths.value {
            beginning.wasDisarmed = true
            disarmed = approved
        }
        return beginning
    }

    mutating func end() { running = nil }

    mutating func rearm() {
        disarmed = nil
        deaths = []
    }
}
