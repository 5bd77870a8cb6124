// SPDX-License-Identifier: Apache-2.0

// The seam through which the datagrams of claimed UDP flows leave.

public import FlowModel
public import NIOCore

/// Opens sockets for the datagrams of one flow.
public protocol DatagramEgress: Sendable {
    /// Opens one socket of each family that is needed, with `facts` to attribute it, on the flow's loop.
    ///
    /// The channel takes and gives `AddressedEnvelope<ByteBuffer>`, reads only when asked, and is not connected: a flow
    /// has many destinations, and its answers must come from one source port. Fails with `ConnectFailure`.
    func open(for facts: FlowFacts, on loop: any EventLoop) -> EventLoopFuture<any Channel>
}
