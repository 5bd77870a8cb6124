// SPDX-License-Identifier: Apache-2.0

// The system's endpoints on their way out: what is sent, dialled and answered names them by this alias.

internal import FlowModel
internal import Foundation

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

/// An endpoint as the system has it.
///
/// Only files that import one of the two modules above can name the type; all others say this.
typealias SystemEndpoint = NWEndpoint

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
