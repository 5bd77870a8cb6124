// SPDX-License-Identifier: Apache-2.0

// How far local time is ahead of UTC, without asking for it while a flow waits.

internal import Foundation
internal import NIOCore
internal import Synchronization

/// The offset of local time, asked for once a minute: the system's answer may come from a file.
final class LocalTime: Sendable {
    private let seconds = Atomic<Int32>(LocalTime.now)

    var offset: Int32 { seconds.load(ordering: .relaxed) }

    func keep(on loop: any EventLoop) -> RepeatedTask {
        loop.scheduleRepeatedTask(initialDelay: .minutes(1), delay: .minutes(1)) { _ in
            self.seconds.store(Self.now, ordering: .relaxed)
        }
    }

    private static var now: Int32 { Int32(clamping: TimeZone.current.secondsFromGMT()) }
}
