// SPDX-License-Identifier: Apache-2.0

// Ends a provider that hangs, because a dead one lets the system recover and a hung one does not.

/// Watches the provider's queue and its loops from a thread of its own.
public final class Watchdog: Sendable {
    public init() {}

    /// The provider's queue enters one of our callbacks.
    func enter() {}
    /// It has left it.
    func leave() {}
}
