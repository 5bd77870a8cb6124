// SPDX-License-Identifier: Apache-2.0

// Between the system's endpoints and ours: the only file of flows that names the system's.

internal import FlowModel

#if canImport(Network)
internal import Network
#else
internal import NetworkSimulation
#endif

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

extension Endpoint {
    /// The endpoint of the system's; nil when it is none of an Internet flow.
    init?(_ endpoint: NWEndpoint?) {
        guard case .hostPort(let host, let port) = endpoint else { return nil }
        switch host {
        case .name(let name, _):
            guard let name = HostName(name) else { return nil }
            self.init(host: .name(name), port: port.rawValue)
        case .ipv4(let address):
            guard let ip = FlowModel.IPAddress(address.debugDescription) else { return nil }
            self.init(host: .address(ip), port: port.rawValue)
        case .ipv6(let address):
            let scope = address.interface.map { UInt32(clamping: $0.index) } ?? 0
            guard let ip = FlowModel.IPAddress(v6Bytes: [UInt8](address.rawValue), scope: scope) else { return nil }
            self.init(host: .address(ip), port: port.rawValue)
        @unknown default:
            return nil
        }
    }
}
