// SPDX-License-Identifier: Apache-2.0

// An Internet whose hosts are real servers on this machine.

internal import Foundation
public import NetworkSimulation

/// Reaches real servers, on loopback or unix sockets, in place of simulated endpoints.
///
/// What the kernel connects itself, because a provider declined it or a rule excludes it, goes out here.
public final class LoopbackInternet: SimulatedInternet {
    private let places: Gate<[NWEndpoint: RealAddress]>

    public init(_ places: [NWEndpoint: RealAddress] = [:]) { self.places = Gate(places) }

    /// Has a real server answer for an endpoint from now on; nil for none.
    public func place(_ endpoint: NWEndpoint, at address: RealAddress?) { places.change { $0[endpoint] = address } }

    /// Connects to the server in the endpoint's place; EHOSTUNREACH when there is none.
    public func connect(to endpoint: NWEndpoint) async throws(SocketError) -> any SimulatedLink {
        try await RealSocket.connect(to: address(of: endpoint))
    }

    public func datagrams() async throws(SocketError) -> any SimulatedDatagramLink { try RealDatagrams(in: self) }

    fileprivate func address(of endpoint: NWEndpoint) throws(SocketError) -> RealAddress {
        guard let address = places.read({ $0[endpoint] }) else { throw SocketError(EHOSTUNREACH) }
        return address
    }
}

/// One real datagram socket, of IPv4.
private final class RealDatagrams: SimulatedDatagramLink {
    private let internet: LoopbackInternet
    private let real: RealSocket
    /// For which endpoint a real port stands, the one sent to last; nobody else's answers get in.
    private let peers = Gate<[UInt16: NWEndpoint]>([:])

    init(in internet: LoopbackInternet) throws(SocketError) {
        self.internet = internet
        real = try RealSocket.make(AF_INET, SOCK_DGRAM)
        try real.bind(to: .loopback(port: 0))
    }

    func send(_ data: Data, to endpoint: NWEndpoint) throws(SocketError) {
        let address = try internet.address(of: endpoint)
        guard case .loopback(let port) = address else { throw SocketError(EPROTOTYPE) }
        peers.change { $0[port] = endpoint }
        try real.send(data, to: address)
    }

    func receive() async throws(SocketError) -> (Data, NWEndpoint) {
        while true {
            let (data, port) = try await real.receiveDatagram()
            if let peer = peers.read({ $0[port] }) { return (data, peer) }
        }
    }

    func close() { real.close() }
}
