// SPDX-License-Identifier: Apache-2.0

// What the provider answers the system for each verdict: the one table.

internal import FlowEngine
internal import FlowModel
internal import FlowPolicy

/// What becomes of a new flow; decided once, because a claimed flow cannot be given back and a declined one not taken.
enum Disposition: Equatable {
    /// The system carries it on as if there were no proxy.
    case decline
    /// Claimed: the engine carries it.
    case carry
    /// Claimed, unopened, nothing read, until its maker is known or the time is over.
    case hold(within: Int?)
    /// Claimed and closed at once, so that the application hears why.
    case refuse(ConnectFailure)
}
