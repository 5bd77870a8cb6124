// SPDX-License-Identifier: Apache-2.0

// From a new flow of the system to its disposition, from memory alone.

internal import FlowEngine
internal import FlowModel
internal import NIOCore
internal import NetworkExtension

/// Admits new flows on the provider's queue, and knows the ones that are held.
final class FlowAdmission: Sendable {
    private let services: ProviderServices

    init(_ services: ProviderServices) { self.services = services }

    /// Whether the flow is claimed; a claimed one is already on its way. Never waits.
    func admit(_ flow: NEAppProxyFlow, firstDestination: Endpoint?) -> Bool { false }

    /// Flows that wait until their maker is known.
    var heldFlows: Int { 0 }

    /// Refuses what is held, and ends the UDP flows: the provider stops.
    func stop() {}
}
