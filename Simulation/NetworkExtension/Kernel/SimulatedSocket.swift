// SPDX-License-Identifier: Apache-2.0

// A TCP socket as an application has it.

public import Foundation
public import NetworkSimulation

/// A TCP socket of a simulated application.
///
/// Every call may be made from any task; a waiting call ends with ECANCELED when its task is cancelled.
public final class SimulatedSocket: ProcessSocket {
    /// Who carries the socket, decided once for its life.
    public enum Way: Hashable, Sendable {
        case undecided
        /// No rule matched.
        case direct
        /// An excluded rule matched.
        case excluded
        /// Every provider asked has declined.
        case declined
        case claimed(by: String)
    }

    public let process: SimulatedProcess
    public let destination: NWEndpoint
    let state: Gate<StreamState>
    private let mac: SimulatedMac

    init(_ process: SimulatedProcess, to destination: NWEndpoint, early: Data, mac: SimulatedMac) {
        self.process = process
        self.destination = destination
        self.mac = mac
        var first = StreamState()
        first.outgoing = early
        state = Gate(first)
    }

    public var way: Way { state.read { $0.way } }

    // MARK: What an application does

    /// Sends, and waits for credit while the provider or the origin takes nothing.
    public func send(_ data: Data) async throws(SocketError) {
        var rest = data
        while !rest.isEmpty {
            let step: Result<Step, SocketError>? = await state.wait { [self] state in
                if let error = failure(state) { return .failure(error) }
                if state.hasSentAll || state.isSendRefused { return .failure(SocketError(EPIPE)) }
                if let link = state.link { return .success(.link(link)) }
                let part = rest.prefix(min(StreamState.message, max(0, state.credit)))
                guard !part.isEmpty else { return nil }
                state.outgoing.append(part)
                state.serveRead(self.state, mac.knobs)
                return .success(.done(Data(part)))
            }
            switch try (step ?? .failure(SocketError(ECANCELED))).get() {
            case .link(let link): return try await link.send(rest)
            case .done(let part): rest = Data(rest.dropFirst(part.count))
            }
        }
    }

    /// Receives at most so many bytes; empty is the end.
    public func receive(_ most: Int = 65_536) async throws(SocketError) -> Data {
        let step: Result<Step, SocketError>? = await state.wait { [self] state in
            if state.isClosed { return .failure(SocketError(EBADF)) }
            if let link = state.link { return .success(.link(link)) }
            if !state.incoming.isEmpty {
                let part = Data(state.incoming.prefix(max(0, most)))
                state.incoming = Data(state.incoming.dropFirst(part.count))
                state.serveWrites()
                state.finish(mac.knobs)
                return .success(.done(part))
            }
            if let error = state.error { return .failure(error) }
            return state.isReceiveEnded ? .success(.done(Data())) : nil
        }
        switch try (step ?? .failure(SocketError(ECANCELED))).get() {
        case .link(let link): return try await link.receive(most)
        case .done(let data): return data
        }
    }

    /// Says that nothing more will be sent.
    public func shutdownWrite() {
        let link = state.change { state in
            state.hasSentAll = true
            state.serveRead(self.state, mac.knobs)
            return state.link
        }
        link?.shutdownWrite()
    }

    /// Closes it; what was sent still goes out.
    public func close() { close(resetting: false) }

    /// Closes it and drops what is on its way, as with a linger of zero.
    public func reset() { close(resetting: true) }

    private func close(resetting: Bool) {
        let (wasOpen, link) = state.change { state in
            guard !state.isClosed else { return (false, nil as (any SimulatedLink)?) }
            state.isClosed = true
            if resetting {
                state.outgoing = Data()
                state.reportsReset = mac.knobs.resetIsError
            }
            state.incoming = Data()
            state.serveRead(self.state, mac.knobs)
            state.failWrites()
            state.finish(mac.knobs)
            return (true, state.link)
        }
        guard wasOpen else { return }
        if resetting { link?.reset() } else { link?.close() }
        process.drop(self)
        process.closeEgress()
        note(.closed)
    }

    private enum Step: Sendable { case link(any SimulatedLink), done(Data) }

    private func failure(_ state: StreamState) -> SocketError? {
        state.isClosed ? SocketError(EBADF) : state.error
    }

    // MARK: What the kernel does

    /// Goes through the providers and waits until the application's connect has an outcome.
    func connect(hostname: String?, delegate: SimulatedProcess?) async throws(SocketError) {
        let offer = FlowOffer(
            process: process, delegate: delegate, transport: .TCP, destination: destination, hostname: hostname)
        mac.offer(offer) { [self] session, metaData in
            NEAppProxyTCPFlow(
                metaData: metaData, remoteHostname: hostname, isBound: false, remote: destination,
                kernel: DivertedStream(self, session, knobs: mac.knobs))
        } decided: { [self] verdict in
            settle(verdict)
        }
        let outcome: Result<Void, SocketError>? = await state.wait { state in
            if state.isClosed { return .failure(SocketError(ECONNABORTED)) }
            guard state.isDecided else { return nil }
            if state.isConnected { return .success(()) }
            return state.error.map { .failure($0) }
        }
        do {
            try (outcome ?? .failure(SocketError(ECANCELED))).get()
        } catch {
            if case .claimed = way { note(.refused, errno: error.errno) }
            close()
            throw error
        }
    }

    private func settle(_ verdict: OfferVerdict) {
        switch verdict {
        case .claimed(let session):
            state.change {
                $0.way = .claimed(by: session.name)
                $0.isDecided = true
            }
        case .failed(let error):
            state.change {
                $0.error = $0.error ?? error
                $0.isDecided = true
            }
        case .direct(let way):
            state.change {
                $0.divertToNobody(way)
            }
            Task { await connectDirectly() }
        }
    }

    /// The kernel connects it itself, and sends what the application had sent already.
    private func connectDirectly() async {
        do {
            let link = try await mac.internet.connect(to: destination)
            let (early, isWanted, hasSentAll) = state.change { state in
                defer { state.outgoing = Data() }
                return (state.outgoing, !state.isClosed, state.hasSentAll)
            }
            guard isWanted else { return link.close() }
            if !early.isEmpty { try await link.send(early) }
            if hasSentAll { link.shutdownWrite() }
            let isLate = state.change { state in
                state.link = link
                state.isConnected = true
                return state.isClosed
            }
            if isLate { link.close() }
        } catch {
            state.change { $0.error = $0.error ?? error }
        }
    }

    func note(_ event: KernelLog.Event, errno: Int32 = 0) {
        let proxy = state.read { $0.divert?.session.name }
        mac.note(
            KernelLog.Entry(
                event: event, program: process.program.name, pid: process.pid, destination: destination, proxy: proxy,
                errno: errno))
    }
}

extension SimulatedProcess {
    /// Connects a TCP socket, as `connectx` does with a name, a delegating process and first bytes.
    ///
    /// `hostname` is what an application that connects by name tells the system; `delegate` is in whose name the
    /// process works; `early` is sent with the connect, at most 256 KiB of it.
    /// - Throws: what `connect` fails with; ENOMEM when the process has as many flows as it may.
    public func connect(
        to destination: NWEndpoint, hostname: String? = nil, delegate: SimulatedProcess? = nil, early: Data = Data()
    ) async throws(SocketError) -> SimulatedSocket {
        guard let mac, isAlive else { throw SocketError(ESRCH) }
        try openEgress()
        let socket = SimulatedSocket(
            self, to: destination, early: Data(early.prefix(StreamState.window)), mac: mac)
        guard hold(socket) else {
            closeEgress()
            throw SocketError(ESRCH)
        }
        try await socket.connect(hostname: hostname, delegate: delegate)
        return socket
    }
}
