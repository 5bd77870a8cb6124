// SPDX-License-Identifier: Apache-2.0

// Between the system's endpoints and ours, both ways, and their type under a name that all files can say.

internal import FlowModel
internal import Foundation

#if canImport(Network)
public import Network
#else
public import NetworkSimulation
#endif

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// The system's endpoint of a flow or a rule.
///
/// NetworkExtension has another type of the same name, so only files that import one of the modules above can name it;
/// all others say this.
public typealias SystemEndpoint = NWEndpoint

/// The end of a rule: an address or a name, and a port.
func ruleEndpoint(_ host: String, port: UInt16) -> SystemEndpoint {
    .hostPort(host: NWEndpoint.Host(host), port: NWEndpoint.Port(rawValue: port) ?? .any)
}

extension Endpoint {
    /// Our form of the system's endpoint; nil when it is none of an Internet flow.
    init?(_ endpoint: SystemEndpoint?) {
        guard case .hostPort(let host, let port) = endpoint else { return nil }
        switch host {
        case .name(let name, _):
            guard let name = HostName(name) else { return nil }
            self.init(host: .name(name), port: port.rawValue)
        case .ipv4(let address):
            let value = address.rawValue.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            self.init(host: .address(.v4(value)), port: port.rawValue)
        case .ipv6(let address):
            let scope = address.interface.map { UInt32(clamping: $0.index) } ?? 0
            guard let ip = FlowModel.IPAddress(v6Bytes: [UInt8](address.rawValue), scope: scope) else { return nil }
            self.init(host: .address(ip), port: port.rawValue)
        @unknown default:
            return nil
        }
    }
}

extension SystemEndpoint {
    /// The system's form of an endpoint.
    init?(_ endpoint: Endpoint) {
        guard let port = NWEndpoint.Port(rawValue: endpoint.port) else { return nil }
        switch endpoint.host {
        case .name(let name):
            self = .hostPort(host: .name(name.description, nil), port: port)
        case .address(let address):
            guard let host = Host(address) else { return nil }
            self = .hostPort(host: host, port: port)
        }
    }
}

extension SystemEndpoint.Host {
    fileprivate init?(_ address: FlowModel.IPAddress) {
        switch address {
        case .v4:
            guard let v4 = IPv4Address(Data(address.networkBytes), nil) else { return nil }
            self = .ipv4(v4)
        case .v6(_, _, let scope):
            var v6 = IPv6Address(Data(address.networkBytes), nil)
            // An interface cannot be made, only named: the text of the address carries the name.
            var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
            if scope != 0, let plain = v6, if_indextoname(scope, &name) != nil {
                let name = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                v6 = IPv6Address("\(plain.debugDescription)%\(name)") ?? plain
            }
            guard let v6 else { return nil }
            self = .ipv6(v6)
        }
    }
}
