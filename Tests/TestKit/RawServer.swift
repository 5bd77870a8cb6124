// SPDX-License-Identifier: Apache-2.0

// Servers that behave in ways no proper server does, and that keep every byte they get.

import Foundation

/// A TCP server on `192.0.2.10` whose behaviour is a closure, called on a thread of its own for each connection.
public final class RawServer: Sendable {
    public let port: UInt16
    private let listener: ListeningSocket
    private let state = LockedValue(State())

    private struct State {
        var received: [[UInt8]] = []
        var open: [Int: Connection] = [:]
        var stopped = false
    }

    /// What a behaviour works with: a connection whose reads are kept.
    public struct Peer: Sendable {
        public let connection: Connection
        fileprivate let number: Int
        fileprivate let server: RawServer

        public func read() throws -> [UInt8] {
            let bytes = try connection.read()
            server.state.withValue { $0.received[number] += bytes }
            return bytes
        }
    }

    public init(_ behaviour: @escaping @Sendable (Peer) throws -> Void) throws {
        listener = try ListeningSocket(address: TestNetwork.address, port: 0)
        port = listener.port
        Thread.detachNewThread { [self] in
            while !state.withValue({ $0.stopped }) {
                guard let connection = listener.accept() else { continue }
                let number = state.withValue { state in
                    state.received.append([])
                    state.open[state.received.count - 1] = connection
                    return state.received.count - 1
                }
                let peer = Peer(connection: connection, number: number, server: self)
                Thread.detachNewThread {
                    try? behaviour(peer)  // an error is the peer going away, which is what many tests want
                    if peer.server.state.withValue({ $0.open.removeValue(forKey: number) }) != nil {
                        connection.close()
                    }
                }
            }
            listener.close()
        }
    }

    /// All bytes received so far, one element a connection, in the order of their coming.
    public var received: [[UInt8]] { state.withValue { $0.received } }

    /// All bytes received so far, as text.
    public var receivedText: String { String(decoding: received.joined(), as: UTF8.self) }

    /// Waits until that much has come, over all connections.
    public func hasReceived(atLeast count: Int) -> Bool {
        Deadline(seconds: 5).poll { received.reduce(0) { $0 + $1.count } >= count ? true : nil } ?? false
    }

    public func stop() {
        state.withValue { state in
            state.stopped = true
            for connection in state.open.values { connection.interrupt() }
        }
    }
}

extension RawServer {
    /// Says something first, as SSH, SMTP and many others do, then sends back whatever comes.
    public static func speaksFirst(_ banner: [UInt8]) throws -> RawServer {
        try RawServer { peer in
            try peer.connection.write(banner)
            try echo(peer)
        }
    }

    /// Sends back whatever comes, and ends when the client has ended.
    public static func echoes() throws -> RawServer { try RawServer(echo) }

    /// Reads to the end of the client's direction, then answers on the direction that is still open.
    public static func answersAfterEnd(_ answer: @escaping @Sendable ([UInt8]) -> [UInt8]) throws -> RawServer {
        try RawServer { peer in
            var all: [UInt8] = []
            while case let more = try peer.read(), !more.isEmpty { all += more }
            try peer.connection.write(answer(all))
        }
    }

    /// Answers every read with the same bytes.
    public static func answers(_ answer: [UInt8]) throws -> RawServer {
        try RawServer { peer in
            while !(try peer.read().isEmpty) { try peer.connection.write(answer) }
        }
    }

    /// Sends bytes, then resets the connection.
    public static func resets(after bytes: [UInt8]) throws -> RawServer {
        try RawServer { peer in
            _ = try peer.read()
            try peer.connection.write(bytes)
            usleep(100_000)  // a reset throws away what the peer has not read yet
            peer.forget()
            peer.connection.reset()
        }
    }

    /// Takes everything and says nothing.
    public static func silent() throws -> RawServer {
        try RawServer { peer in
            while !(try peer.read().isEmpty) {}
        }
    }

    @Sendable private static func echo(_ peer: Peer) throws {
        while case let bytes = try peer.read(), !bytes.isEmpty { try peer.connection.write(bytes) }
    }
}

extension RawServer.Peer {
    /// Tells the server that the behaviour closes the connection itself.
    fileprivate func forget() {
        server.state.withValue { _ = $0.open.removeValue(forKey: number) }
    }
}

/// An address where connection attempts are never answered: a listener whose queue is full.
public final class BlackHole: Sendable {
    public let port: UInt16
    private let listener: ListeningSocket
    private let fillers: [Connection]

    public init() throws {
        listener = try ListeningSocket(address: TestNetwork.address, port: 0, backlog: 0)
        port = listener.port
        // A queue of length 0 holds one connection; Linux then drops further requests.
        fillers = [try Connection(address: TestNetwork.address, port: port)]
    }

    public func stop() {
        for filler in fillers { filler.close() }
        listener.close()
    }
}
