// SPDX-License-Identifier: Apache-2.0

// What the system says of a new flow, in our words; the only file of admission that names the system's endpoints.

internal import FlowEngine
internal import FlowModel
internal import NIOCore
internal import NetworkExtension

#if canImport(Network)
internal import Network
#else
internal import NetworkSimulation
#endif

/// A new flow of either kind, ready to cross to its loop.
enum NewFlow: Sendable {
    case stream(SystemFlow<NEAppProxyTCPFlow>)
    case datagrams(SystemFlow<NEAppProxyUDPFlow>)

    init?(_ flow: NEAppProxyFlow) {
        switch flow {
        case let flow as NEAppProxyTCPFlow: self = .stream(SystemFlow(flow))
        case let flow as NEAppProxyUDPFlow: self = .datagrams(SystemFlow(flow))
        default: return nil
        }
    }

    var flow: NEAppProxyFlow {
        switch self {
        case .stream(let stream): stream.flow
        case .datagrams(let datagrams): datagrams.flow
        }
    }

    /// The loop on which it will live: connections and datagrams may need loops of different kinds.
    func loop(_ services: ProviderServices) -> any EventLoop {
        switch self {
        case .stream: services.loops.next()
        case .datagrams: services.datagrams.loops.next()
        }
    }

    /// What is known at once; nil for a TCP flow that goes nowhere on the Internet.
    ///
    /// A UDP flow may come without a first destination: then it has none that a rule could name.
    func facts(_ firstDestination: Endpoint?, at now: Int64) -> FlowFacts? {
        var facts: FlowFacts
        switch self {
        case .stream(let stream):
            guard let destination = firstDestination ?? Endpoint(stream.flow.remoteFlowEndpoint) else { return nil }
            facts = FlowFacts(intake: .networkExtension, destination: destination, startedAt: now)
            // The application's word. Of UDP it is left out: at port 53 it may be the name that is asked for.
            if let name = stream.flow.remoteHostname.flatMap({ HostName($0) }) { facts.learn(name, .claimed) }
        case .datagrams(let datagrams):
            facts = FlowFacts(
                transport: .udp, intake: .networkExtension, destination: firstDestination ?? Self.nowhere,
                startedAt: now)
            facts.source = Endpoint(datagrams.flow.localFlowEndpoint)
        }
        facts.interface = flow.interface.map { InterfaceClass(of: $0) }
        return facts
    }

    private static let nowhere = Endpoint(host: .address(.v4(0)), port: 0)
}

extension InterfaceClass {
    /// The class of an interface: by its name where the system's types are too coarse.
    init(of interface: NWInterface) {
        let name = interface.name
        if ["utun", "ipsec", "ppp"].contains(where: name.hasPrefix) {
            self = .vpn
        } else if ["awdl", "llw", "nan"].contains(where: name.hasPrefix) {
            self = .peerToPeer
        } else if ["bridge", "vmnet", "vmenet"].contains(where: name.hasPrefix) {
            self = .virtual
        } else {
            switch interface.type {
            case .wifi: self = .wifi
            case .cellular: self = .cellular
            case .wiredEthernet: self = .wired
            case .loopback: self = .loopback
            case .other: self = .other
            @unknown default: self = .other
            }
        }
    }
}
