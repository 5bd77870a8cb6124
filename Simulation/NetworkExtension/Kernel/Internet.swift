// SPDX-License-Identifier: Apache-2.0

// What lies beyond the simulated machine, and one that is all in memory.

public import Foundation
public import NetworkSimulation

/// An error of a socket call, by this platform's number.
public struct SocketError: Error, Hashable, Sendable, CustomStringConvertible {
    public let errno: Int32
    public init(_ errno: Int32) { self.errno = errno }
    public var description: String { String(cString: strerror(errno)) }
}

/// What lies beyond the machine: real loopback sockets, or memory.
public protocol SimulatedInternet: Sendable {
    func connect(to endpoint: NWEndpoint) async throws(SocketError) -> any SimulatedLink
    /// A place to send datagrams from and receive them at.
    func datagrams() async throws(SocketError) -> any SimulatedDatagramLink
}

/// One connected stream.
public protocol SimulatedLink: Sendable {
    /// Waits for room.
    func send(_ data: Data) async throws(SocketError)
    /// At most so many bytes; empty is the end.
    func receive(_ most: Int) async throws(SocketError) -> Data
    func shutdownWrite()
    func close()
    func reset()
}

public protocol SimulatedDatagramLink: Sendable {
    /// Never waits; a datagram may be lost.
    func send(_ data: Data, to endpoint: NWEndpoint) throws(SocketError)
    func receive() async throws(SocketError) -> (Data, NWEndpoint)
    func close()
}

/// An Internet in memory: whoever listens on an endpoint answers there.
public final class MemoryInternet: SimulatedInternet {
    private struct State {
        var listeners: [NWEndpoint: @Sendable (any SimulatedLink) async -> Void] = [:]
        var echoes: [NWEndpoint: @Sendable (Data) -> [Data]] = [:]
        var connects = 0
    }
    private let state = Gate(State())

    public init() {}

    /// How many connections were made.
    public var connects: Int { state.read { $0.connects } }

    /// Runs the body for each connection, which is closed when it returns.
    public func listen(on endpoint: NWEndpoint, _ body: @escaping @Sendable (any SimulatedLink) async -> Void) {
        state.change { $0.listeners[endpoint] = body }
    }

    /// Answers each datagram with those that the body gives.
    public func answerDatagrams(on endpoint: NWEndpoint, _ body: @escaping @Sendable (Data) -> [Data]) {
        state.change { $0.echoes[endpoint] = body }
    }

    public func connect(to endpoint: NWEndpoint) async throws(SocketError) -> any SimulatedLink {
        let listener = state.change { state in
            state.connects += 1
            return state.listeners[endpoint]
        }
        guard let listener else { throw SocketError(ECONNREFUSED) }
        let (near, far) = MemoryLink.pair()
        Task {
            await listener(far)
            far.close()
        }
        return near
    }

    public func datagrams() async throws(SocketError) -> any SimulatedDatagramLink { MemoryDatagramLink(self) }

    fileprivate func answers(_ data: Data, at endpoint: NWEndpoint) -> [Data] {
        state.read { $0.echoes[endpoint] }?(data) ?? []
    }
}

/// One end of a stream in memory.
public final class MemoryLink: SimulatedLink {
    /// How many bytes wait in one direction before a sender does.
    public static let capacity = 65_536

    /// Bytes on their way.
    struct Pipe {
        var bytes = Data()
        var isEnded = false
        var isReset = false
        var isUnread = false
    }
    private let incoming: Gate<Pipe>
    private let outgoing: Gate<Pipe>

    private init(_ incoming: Gate<Pipe>, _ outgoing: Gate<Pipe>) {
        self.incoming = incoming
        self.outgoing = outgoing
    }

    public static func pair() -> (MemoryLink, MemoryLink) {
        let (there, back) = (Gate(Pipe()), Gate(Pipe()))
        return (MemoryLink(back, there), MemoryLink(there, back))
    }

    public func send(_ data: Data) async throws(SocketError) {
        var rest = data[...]
        while !rest.isEmpty {
            let taken: Result<Int, SocketError>? = await outgoing.wait { pipe in
                if pipe.isReset { return .failure(SocketError(ECONNRESET)) }
                if pipe.isEnded || pipe.isUnread { return .failure(SocketError(EPIPE)) }
                let room = min(Self.capacity - pipe.bytes.count, rest.count)
                guard room > 0 else { return nil }
                pipe.bytes.append(rest.prefix(room))
                return .success(room)
            }
            guard let taken else { throw SocketError(ECANCELED) }
            rest = rest.dropFirst(try taken.get())
        }
    }

    public func receive(_ most: Int = 65_536) async throws(SocketError) -> Data {
        let taken: Result<Data, SocketError>? = await incoming.wait { pipe in
            if pipe.isReset { return .failure(SocketError(ECONNRESET)) }
            if !pipe.bytes.isEmpty {
                let part = Data(pipe.bytes.prefix(most))
                pipe.bytes = Data(pipe.bytes.dropFirst(part.count))
                return .success(part)
            }
            return pipe.isEnded ? .success(Data()) : nil
        }
        guard let taken else { throw SocketError(ECANCELED) }
        return try taken.get()
    }

    public func shutdownWrite() { outgoing.change { $0.isEnded = true } }

    public func close() {
        shutdownWrite()
        incoming.change { $0.isUnread = true }
    }

    public func reset() {
        outgoing.change { $0.isReset = true }
        incoming.change { $0.isReset = true }
    }
}

private final class MemoryDatagramLink: SimulatedDatagramLink {
    /// How many answers wait; more are lost.
    private static let capacity = 256
    private struct State {
        var waiting: [(Data, NWEndpoint)] = []
        var isClosed = false
    }
    private let state = Gate(State())
    private let internet: MemoryInternet

    init(_ internet: MemoryInternet) { self.internet = internet }

    func send(_ data: Data, to endpoint: NWEndpoint) throws(SocketError) {
        guard !state.read({ $0.isClosed }) else { throw SocketError(EBADF) }
        let answers = internet.answers(data, at: endpoint).map { ($0, endpoint) }
        state.change { $0.waiting = Array(($0.waiting + answers).prefix(Self.capacity)) }
    }

    func receive() async throws(SocketError) -> (Data, NWEndpoint) {
        let taken: Result<(Data, NWEndpoint), SocketError>? = await state.wait { state in
            if !state.waiting.isEmpty { return .success(state.waiting.removeFirst()) }
            return state.isClosed ? .failure(SocketError(EBADF)) : nil
        }
        guard let taken else { throw SocketError(ECANCELED) }
        return try taken.get()
    }

    func close() { state.change { $0.isClosed = true } }
}
