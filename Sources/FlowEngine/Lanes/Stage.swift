// SPDX-License-Identifier: Apache-2.0

// What a flow is doing now: each stage answers the same few events, and the driver holds exactly one.

import NIOCore

/// A stage in a flow's life.
///
/// All calls come on the flow's loop.
protocol Stage: AnyObject {
    /// The stage has become the current one.
    func begin()
    func received(_ side: Side, _ buffer: ByteBuffer)
    /// All that one read brought has been received.
    func readComplete(_ side: Side)
    func writabilityChanged(_ side: Side)
    /// This side will send no more.
    func inputClosed(_ side: Side)
    /// This side is gone: reset, or ended without order.
    func failed(_ side: Side, _ error: (any Error)?)
    /// An event of the pipeline, such as a finished TLS handshake.
    func event(_ side: Side, _ event: Any)
}

extension Stage {
    func event(_ side: Side, _ event: Any) {}
    func writabilityChanged(_ side: Side) {}
}
