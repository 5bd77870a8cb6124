// SPDX-License-Identifier: Apache-2.0

// In whose name a connection is made.

internal import FlowModel
internal import NIOConcurrencyHelpers
internal import NetworkExtension

#if canImport(Network)
internal import Network
#else
internal import NetworkSimulation
#endif

/// Knows the system's flow behind each of ours, from when it is claimed until it ends.
///
/// Thread-safe; each call holds the lock for one step in a table.
public final class FlowAttribution: Sendable {
    private let capacity: Int
    private let flows = NIOLockedValueBox<[FlowID: SystemFlow<NEAppProxyFlow>]>([:])

    public convenience init() { self.init(capacity: AppleIntakeLimits.attributedFlows.value) }

    init(capacity: Int) { self.capacity = capacity }

    /// Has the connections of a flow made in the name of its application; does nothing when the table is full.
    func attribute(_ id: FlowID, to flow: NEAppProxyFlow) {
        let flow = SystemFlow(flow)
        flows.withLockedValue { if $0.count < capacity || $0[id] != nil { $0[id] = flow } }
    }

    /// The flow has ended.
    func forget(_ id: FlowID) { flows.withLockedValue { _ = $0.removeValue(forKey: id) } }

    /// The system's flow; nil when none is known.
    func flow(_ id: FlowID) -> SystemFlow<NEAppProxyFlow>? { flows.withLockedValue { $0[id] } }

    var count: Int { flows.withLockedValue { $0.count } }
}

extension NWParameters {
    /// Says how the connection of a flow is made: in the application's name, and never through a proxy of the system's
    /// settings, which may be us or lead to us.
    func prepare(for flow: NEAppProxyFlow?) {
        flow?.setMetadata(on: self)
        preferNoProxies = true
    }
}
