// SPDX-License-Identifier: Apache-2.0

// SIGTERM and SIGINT: the wish that the process end in order.

import Foundation

/// Waits for the signals that ask a process to end.
enum EndSignals {
    private static var set: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        return set
    }

    /// Keeps the signals until somebody waits for them.
    ///
    /// Call it before any thread exists: every thread inherits the mask, and no signal can be lost in between.
    static func hold() {
        var set = set
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Returns at the first signal; a second one ends the process without waiting for the drain.
    static func wait() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            Thread.detachNewThread {
                var set = set
                var number: Int32 = 0
                sigwait(&set, &number)
                continuation.resume()
                sigwait(&set, &number)
                exit(1)
            }
        }
    }
}
