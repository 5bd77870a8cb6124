// SPDX-License-Identifier: Apache-2.0

// A value that several threads share.

import Synchronization

/// A value behind a lock, in an object that can be captured and passed on.
public final class LockedValue<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    public init(_ value: Value) {
        self.value = Mutex(value)
    }

    public func withValue<Answer: Sendable>(_ body: (inout Value) throws -> Answer) rethrows -> Answer {
        try value.withLock { try body(&$0) }
    }
}
