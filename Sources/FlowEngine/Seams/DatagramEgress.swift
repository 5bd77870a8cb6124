// SPDX-License-Identifier: Apache-2.0

// The seam through which the datagrams of UDP flows leave.

public import FlowModel
public import NIOCore

/// Opens sockets for datagrams.
public protocol DatagramEgress: Sendable {
    /// The loops on which its channels can live, and so the flows that use them.
    var loops: any EventLoopGroup { get }

    /// Opens a way out for the datagrams of one flow, on the flow's loop.
    ///
    /// The channel takes and gives `AddressedEnvelope<ByteBuffer>` of both families, reads only when asked, and is not
    /// connected: a flow has many destinations, and all of them must see one source port. What cannot be sent fails its
    /// own write and nothing else; the channel ends only when the socket is lost. Fails with `ConnectFailure`.
    func open(for facts: FlowFacts, on loop: any EventLoop) -> EventLoopFuture<any Channel>
}
