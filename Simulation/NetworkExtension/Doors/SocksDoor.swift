// SPDX-License-Identifier: Apache-2.0

// A way for real programs into the simulation: what connects here becomes a socket of a simulated application.

internal import Foundation
public import NetworkSimulation

/// A SOCKS 5 server on loopback (RFC 1928), whose clients are sockets of simulated applications.
///
/// The user name (RFC 1929; the password is not looked at) says which application; a client that offers none is the
/// application "". A target that is a name is resolved by the table and shown as `remoteHostname`. The reply says how
/// the application's connect ended; from then on bytes, half-close and reset go both ways, each side waiting for the
/// other. A real client that closes is seen as one that has sent all, until something is sent to it.
public final class SocksDoor: Sendable {
    /// How many clients are served at once; more wait to be accepted.
    public static let clientLimit = 1024

    /// The port of 127.0.0.1 to connect to.
    public let port: UInt16
    private let listener: RealSocket
    private let names: [String: NWEndpoint.Host]
    private let application: @Sendable (String) -> SimulatedProcess?
    private let clients = Gate(Clients())
    private struct Clients {
        var sockets: [ObjectIdentifier: RealSocket] = [:]
        var isClosed = false
    }

    /// Opens a door at a free port.
    ///
    /// - Parameters:
    ///   - names: addresses of names, in lower case.
    ///   - application: the process of a user name, asked for each connection; nil turns the client away.
    public init(
        resolving names: [String: NWEndpoint.Host] = [:],
        application: @escaping @Sendable (String) -> SimulatedProcess?
    ) throws(SocketError) {
        listener = try RealSocket.listen(on: .loopback(port: 0))
        port = try listener.port()
        self.names = names
        self.application = application
        Task { [listener, clients] in
            while true {
                _ = await clients.wait { $0.sockets.count < Self.clientLimit || $0.isClosed ? true : nil }
                // Closed, it accepts no more; a client that is gone before it was accepted is no reason to stop.
                let client: RealSocket
                do throws(SocketError) { client = try await listener.accept() } catch {
                    if error.errno == ECONNABORTED { continue }
                    return
                }
                guard self.enter(client) else { return client.reset() }
                Task {
                    await self.serve(client)
                    self.leave(client)
                }
            }
        }
    }

    /// Takes no more clients, and resets those there are.
    public func close() {
        listener.close()
        let sockets = clients.change { clients in
            clients.isClosed = true
            return Array(clients.sockets.values)
        }
        for socket in sockets { socket.reset() }
    }

    private func enter(_ client: RealSocket) -> Bool {
        clients.change { clients in
            if !clients.isClosed { clients.sockets[ObjectIdentifier(client)] = client }
            return !clients.isClosed
        }
    }

    private func leave(_ client: RealSocket) {
        client.close()
        clients.change { $0.sockets[ObjectIdentifier(client)] = nil }
    }

    private func serve(_ client: RealSocket) async {
        do throws(SocketError) {
            let handshake = SocksHandshake(client)
            guard let process = try await handshake.authenticate(application),
                let target = try await handshake.target()
            else { return }
            guard let (endpoint, name) = resolve(target) else { return try await handshake.reply(.hostUnreachable) }
            let socket: SimulatedSocket
            do throws(SocketError) { socket = try await process.connect(to: endpoint, hostname: name) } catch {
                return try await handshake.reply(SocksReply(error))
            }
            do throws(SocketError) { try await handshake.reply(.succeeded) } catch {
                socket.reset()
                throw error
            }
            await Self.carry(client, socket)
        } catch {
            client.reset()
        }
    }

    private func resolve(_ target: SocksHandshake.Target) -> (NWEndpoint, String?)? {
        switch target {
        case .address(let host, let port): return (.hostPort(host: host, port: port), nil)
        case .name(let name, let port):
            let host = NWEndpoint.Host(name)
            guard case .name = host else { return (.hostPort(host: host, port: port), nil) }
            return names[name.lowercased()].map { (.hostPort(host: $0, port: port), name) }
        }
    }

    /// Carries bytes both ways until both have ended, or one was cut.
    private static func carry(_ client: RealSocket, _ socket: SimulatedSocket) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do throws(SocketError) {
                    while true {
                        let data = try await client.receive(65_536)
                        guard !data.isEmpty else { return socket.shutdownWrite() }
                        try await socket.send(data)
                    }
                } catch {
                    // The application may send no more; what comes the other way is still its.
                    if error.errno == EPIPE { return }
                    socket.reset()
                    client.reset()
                }
            }
            group.addTask {
                do throws(SocketError) {
                    while true {
                        let data = try await socket.receive()
                        guard !data.isEmpty else { return client.shutdownWrite() }
                        try await client.send(data)
                    }
                } catch {
                    socket.reset()
                    client.reset()
                }
            }
        }
        socket.close()
    }
}
