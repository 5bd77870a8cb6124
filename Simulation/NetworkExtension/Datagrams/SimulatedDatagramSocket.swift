// SPDX-License-Identifier: Apache-2.0

// A UDP socket as an application has it.

public import Foundation
public import NetworkSimulation

/// A UDP socket of a simulated application: one flow, whatever the number of its destinations (3.5).
///
/// Shown to the providers once: at connect when it is connected, otherwise with its first datagram. What they say then
/// counts for every later destination, whatever the rules say of that one. Every call may be made from any task.
public final class SimulatedDatagramSocket: ProcessSocket {
    public let process: SimulatedProcess
    /// Where it is connected to; nil when each datagram has its own destination.
    public let peer: NWEndpoint?
    let state: Gate<DatagramState>
    private let local: NWEndpoint?
    private let hostname: String?
    private let delegate: SimulatedProcess?
    private let mac: SimulatedMac?
    private let knobs: Knobs
    private let shown: Gate<NWEndpoint?>

    init(
        _ process: SimulatedProcess, connectedTo peer: NWEndpoint?, boundTo local: NWEndpoint?, hostname: String?,
        delegate: SimulatedProcess?, receiveBuffer: Int
    ) {
        self.process = process
        self.peer = peer?.normalised
        self.local = local
        self.hostname = hostname
        self.delegate = delegate
        mac = process.mac
        knobs = process.mac?.knobs ?? Knobs()
        shown = Gate(self.peer)
        state = Gate(DatagramState(receiveBuffer: receiveBuffer))
    }

    public var way: SimulatedSocket.Way { state.read { $0.way } }
    /// How many of its datagrams were lost for want of credit, of which the application is not told.
    public var dropped: Int { state.read { $0.dropped } }

    // MARK: What an application does

    /// Sends a datagram and never waits: without credit it is lost.
    ///
    /// - Throws: EDESTADDRREQ or EISCONN when the destination is missing or one too many, EMSGSIZE beyond 65,507 bytes,
    ///   EAFNOSUPPORT for IPv4 multicast when a provider has the socket, EHOSTUNREACH when it takes no more, and what
    ///   else became of the socket.
    public func send(_ data: Data, to destination: NWEndpoint? = nil) throws(SocketError) {
        guard let target = peer ?? destination?.normalised else { throw SocketError(EDESTADDRREQ) }
        guard peer == nil || destination == nil else { throw SocketError(EISCONN) }
        guard data.count <= DatagramState.largest else { throw SocketError(EMSGSIZE) }
        let step: Result<Step, SocketError> = state.change { state in
            if let error = failure(state) { return .failure(error) }
            if state.isSendRefused { return .failure(SocketError(EHOSTUNREACH)) }
            if let link = state.link { return .success(.link(link)) }
            if state.divert != nil, target.isV4Multicast { return .failure(SocketError(EAFNOSUPPORT)) }
            state.take((data, target), self.state, knobs)
            defer { state.isOffered = true }
            return .success(state.isOffered ? .taken : .offer)
        }
        switch try step.get() {
        case .taken: break
        case .link(let link): try link.send(data, to: target)
        case .offer:
            offer(target)
            // What is known by now is known to the caller: an answer that needs no provider comes at once.
            if let error = state.read({ $0.error }) { throw error }
        }
    }

    /// Receives the next datagram, with whom it is from; waits for one as long as the socket is good.
    public func receive() async throws(SocketError) -> (Data, NWEndpoint) {
        let step: Result<Receipt, SocketError>? = await state.wait { [self] state in
            if state.isClosed { return .failure(SocketError(EBADF)) }
            if let next = state.giveIncoming() { return .success(.datagram(next.0, next.1)) }
            if let link = state.link { return .success(.link(link)) }
            if let error = failure(state) { return .failure(error) }
            // How a receive ends when the provider closed without an error is not known [INF]: as a send does.
            return state.isReceiveEnded && state.isSendRefused ? .failure(SocketError(EHOSTUNREACH)) : nil
        }
        switch try (step ?? .failure(SocketError(ECANCELED))).get() {
        case .datagram(let data, let source): return (data, source)
        case .link(let link): return try await link.receive()
        }
    }

    /// Closes it; a provider learns so from its next read, unless `Knobs.datagramCloseInvisible`.
    public func close() {
        let (wasOpen, link) = state.change { state in
            guard !state.isClosed else { return (false, nil as (any SimulatedDatagramLink)?) }
            state.isClosed = true
            state.tellsClose = !knobs.datagramCloseInvisible
            (state.incoming, state.incomingBytes) = ([], 0)
            state.failWrites()
            state.serveRead(self.state, knobs)
            state.finish()
            return (true, state.link)
        }
        guard wasOpen else { return }
        link?.close()
        process.drop(self)
        process.closeEgress()
        note(.closed)
    }

    private enum Step: Sendable { case link(any SimulatedDatagramLink), taken, offer }
    private enum Receipt: Sendable { case link(any SimulatedDatagramLink), datagram(Data, NWEndpoint) }

    private func failure(_ state: DatagramState) -> SocketError? {
        state.isClosed ? SocketError(EBADF) : state.error
    }

    // MARK: What the kernel does

    /// Binds it to its process, and shows it if it is connected.
    func begin() {
        do throws(SocketError) {
            guard mac != nil else { throw SocketError(ESRCH) }
            try process.openEgress()
            guard process.hold(self) else {
                process.closeEgress()
                throw SocketError(ESRCH)
            }
        } catch {
            return state.change { $0.error = error }
        }
        guard let peer else { return }
        state.change { $0.isOffered = true }
        offer(peer)
    }

    private func offer(_ destination: NWEndpoint) {
        guard let mac else { return }
        shown.change { $0 = destination }
        let offer = FlowOffer(
            process: process, delegate: delegate, transport: .UDP, destination: destination, hostname: hostname)
        mac.offer(offer) { [self] session, metaData in
            NEAppProxyUDPFlow(
                metaData: metaData, remoteHostname: hostname, isBound: local != nil, local: local,
                kernel: DivertedDatagrams(self, session, knobs: knobs))
        } decided: { [self] verdict in
            switch verdict {
            case .claimed(let session): state.change { $0.way = .claimed(by: session.name) }
            case .failed(let error):
                state.change {
                    $0.error = $0.error ?? error
                    $0.divert = nil
                }
            case .direct(let way):
                state.change {
                    $0.way = way
                    $0.divert(to: nil)
                }
                Task { await self.goOut(mac.internet) }
            }
        }
    }

    /// The kernel carries the socket itself, and sends what has waited for the verdict.
    private func goOut(_ internet: any SimulatedInternet) async {
        do throws(SocketError) {
            let link = try await internet.datagrams()
            while true {
                let waiting: [DatagramState.Datagram] = state.change { state in
                    if state.outgoing.isEmpty, !state.isClosed { state.link = link }
                    return state.takeOutgoing()
                }
                guard !waiting.isEmpty else { break }
                for (data, target) in waiting { try? link.send(data, to: target) }
            }
            if state.read({ $0.isClosed }) { link.close() }
        } catch {
            state.change { $0.error = $0.error ?? error }
        }
    }

    func note(_ event: KernelLog.Event, errno: Int32 = 0) {
        guard let destination = shown.read({ $0 }) else { return }
        let proxy = state.read { $0.divert?.session.name }
        mac?.note(
            KernelLog.Entry(
                event: event, program: process.program.name, pid: process.pid, destination: destination, proxy: proxy,
                errno: errno))
    }
}

extension SimulatedProcess {
    /// Makes a UDP socket; connected, it has one peer, and is shown to the providers at once.
    ///
    /// Never fails itself: ENOMEM, when the process has as many flows as it may, and ESRCH, when it has ended, are what
    /// the socket's calls then throw.
    ///
    /// - Parameters:
    ///   - boundTo: the local endpoint that the application binds to; nil when it leaves that to the kernel.
    ///   - hostname: what an application that connects by name tells the system.
    ///   - delegate: in whose name the process works.
    ///   - receiveBuffer: SO_RCVBUF in bytes [SRC: xnu's `udp_recvspace`].
    public func datagramSocket(
        connectedTo peer: NWEndpoint? = nil, boundTo local: NWEndpoint? = nil, hostname: String? = nil,
        delegate: SimulatedProcess? = nil, receiveBuffer: Int = 786_896
    ) -> SimulatedDatagramSocket {
        let socket = SimulatedDatagramSocket(
            self, connectedTo: peer, boundTo: local, hostname: hostname, delegate: delegate,
            receiveBuffer: receiveBuffer)
        socket.begin()
        return socket
    }
}

extension NWEndpoint {
    /// IPv4 inside IPv6 is IPv4 for a provider [SRC].
    var normalised: NWEndpoint {
        guard case .hostPort(.ipv6(let address), let port) = self,
            case let bytes = [UInt8](address.rawValue), bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]),
            let plain = IPv4Address(Data(bytes.suffix(4)))
        else { return self }
        return .hostPort(host: .ipv4(plain), port: port)
    }

    var isV4Multicast: Bool {
        guard case .hostPort(let host, _) = self else { return false }
        return Address(host)?.isV4Multicast == true
    }
}
