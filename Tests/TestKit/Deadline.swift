// SPDX-License-Identifier: Apache-2.0

// Waiting with an end.

import Foundation

/// A moment after which a test gives up.
public struct Deadline: Sendable {
    private let end: ContinuousClock.Instant

    public init(seconds: Double) {
        end = .now + .milliseconds(Int(seconds * 1000))
    }

    public var hasPassed: Bool { ContinuousClock.now >= end }

    /// Asks again and again, a few milliseconds apart, until there is an answer; nil once the time is over.
    public func poll<Answer>(_ question: () throws -> Answer?) rethrows -> Answer? {
        while true {
            if let answer = try question() { return answer }
            if hasPassed { return nil }
            usleep(3000)
        }
    }
}
