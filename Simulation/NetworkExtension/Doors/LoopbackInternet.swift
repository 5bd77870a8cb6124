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
    /// For which endpoint a real port stands: the one that was sent to last. Nobody else's answers get in.
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
        let error = try real.once { descriptor throws(SocketError) in
            try address.withRaw { raw, length in
                data.withUnsafeBytes { sendto(descriptor, $0.baseAddress, $0.count, 0, raw, length) } < 0 ? errno : 0
            }
        }
        // A full queue loses the datagram, as a network does.
        guard error == 0 || error == EAGAIN else { throw SocketError(error) }
    }

    func receive() async throws(SocketError) -> (Data, NWEndpoint) {
        var buffer = Data(count: 65_536)
        while true {
            var sender = sockaddr_in()
            let count = try await real.call(.read) { descriptor in
                var length = socklen_t(MemoryLayout<sockaddr_in>.size)
                return buffer.withUnsafeMutableBytes { bytes in
                    withUnsafeMutablePointer(to: &sender) {
                        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                            recvfrom(descriptor, bytes.baseAddress, bytes.count, 0, $0, &length)
                        }
                    }
                }
            }
            let port = UInt16(bigEndian: sender.sin_port)
            if let peer = peers.read({ $0[port] }) { return (Data(buffer.prefix(count)), peer) }
        }
    }

    func close() { real.close() }
}
