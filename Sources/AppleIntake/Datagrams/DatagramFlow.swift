// SPDX-License-Identifier: Apache-2.0

// A claimed UDP flow: every datagram is judged by its own destination.

internal import FlowEngine
internal import FlowModel
internal import NIOCore
internal import NetworkExtension

/// A UDP flow that the provider has claimed; lives on its loop.
final class DatagramFlow {
    private let flow: SystemFlow<NEAppProxyUDPFlow>
    private let facts: FlowFacts
    private let services: ProviderServices
    private let loop: any EventLoop

    /// `ended` is called once, on the loop, when nothing of the flow is left.
    init(
        _ flow: SystemFlow<NEAppProxyUDPFlow>, facts: FlowFacts, services: ProviderServices, on loop: any EventLoop,
        ended: @escaping () -> Void
    ) {
        self.flow = flow
        self.facts = facts
        self.services = services
        self.loop = loop
    }

    /// Opens the flow and carries what its policy lets pass, until it is idle or closed.
    func begin() {}
    /// Closes it now, because the provider stops or room is needed.
    func end() {}
}
