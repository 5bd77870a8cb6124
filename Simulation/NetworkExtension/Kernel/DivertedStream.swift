// SPDX-License-Identifier: Apache-2.0

// The kernel side of a TCP flow: what a provider's calls do to the application's socket.

internal import Foundation
internal import NetworkSimulation

/// A TCP socket as one provider holds it; dead when the socket went to another one.
final class DivertedStream: KernelStream, DivertedFlow {
    private let socket: SimulatedSocket
    private let session: Session
    private let knobs: Knobs
    private let chosenInterface = Gate<NWInterface?>(nil)
    private var gate: Gate<StreamState> { socket.state }

    init(_ socket: SimulatedSocket, _ session: Session, knobs: Knobs) {
        self.socket = socket
        self.session = session
        self.knobs = knobs
        socket.state.change {
            $0.divert = StreamState.Divert(session: session, owner: ObjectIdentifier(self), stream: self)
        }
    }

    var interface: NWInterface? {
        get { chosenInterface.read { $0 } }
        set { chosenInterface.change { $0 = newValue } }
    }

    /// The provider's side, while this is the one that counts.
    private func mine(_ state: StreamState) -> StreamState.Divert? {
        state.divert.flatMap { $0.owner == ObjectIdentifier(self) ? $0 : nil }
    }

    // MARK: Opening (3.1)

    func open(_ local: NWEndpoint?, _ done: @escaping ((any Error)?) -> Void) {
        let done = Carried(done)
        let error: NEAppProxyFlowError.Code? = gate.change { state in
            guard let divert = mine(state), !state.isClosed, state.error == nil, !divert.isReadClosed,
                !divert.isWriteClosing
            else { return .peerReset }
            guard !divert.isOpen, Self.isLocal(local) else { return .invalidArgument }
            state.divert?.isOpen = true
            state.isConnected = true
            return nil
        }
        if error == nil { socket.note(.opened) }
        session.queue.run { done.value(error.map { NEAppProxyFlowError($0) }) }
    }

    /// None is the norm; a given one has to be an address.
    static func isLocal(_ endpoint: NWEndpoint?) -> Bool {
        guard let endpoint else { return true }
        guard case .hostPort(let host, _) = endpoint else { return false }
        return Address(host) != nil
    }

    // MARK: Reading and writing (3.2, 3.3)

    func read(_ done: @escaping (Data?, (any Error)?) -> Void) {
        let done = Carried(done)
        let error: NEAppProxyFlowError.Code? = gate.change { state in
            guard let divert = mine(state), divert.isOpen || divert.isReadClosed else { return .notConnected }
            if divert.pendingRead != nil { return .readAlreadyPending }
            guard !divert.isReadClosed else {
                session.queue.run { done.value(Data(), nil) }
                return nil
            }
            state.divert?.pendingRead = done
            state.serveRead(gate, knobs)
            return nil
        }
        if let error { session.queue.run { done.value(nil, NEAppProxyFlowError(error)) } }
    }

    func write(_ data: Data, _ done: @escaping @Sendable ((any Error)?) -> Void) {
        let error: (any Error)? = gate.change { state in
            if data.isEmpty { return NEAppProxyFlowError(.invalidArgument) }
            guard let divert = mine(state), divert.isOpen, !divert.isWriteClosing, !state.isClosed, state.error == nil
            else { return NEAppProxyFlowError(.notConnected) }
            state.divert?.writeCount += 1
            if knobs.writeENOBUFS, (divert.writeCount + 1).isMultiple(of: knobs.failingWrite) {
                return POSIXError(.ENOBUFS)
            }
            state.divert?.writes.append((data, done))
            state.serveWrites()
            return nil
        }
        if let error { session.queue.run { done(error) } }
    }

    // MARK: Closing (3.4)

    func closeRead(_ error: (any Error)?) {
        close { state in
            guard state.divert?.isReadClosed == false else { return }
            state.divert?.isReadClosed = true
            // A pending read is dropped: its completion is never called [DEC].
            if !knobs.closeReadDropsPending, let read = state.divert?.pendingRead {
                session.queue.run { read.value(Data(), nil) }
            }
            state.divert?.pendingRead = nil
            state.outgoing = Data()
            if state.divert?.closeError == nil { state.divert?.closeError = error }
            guard state.divert?.isOpen == true else { return }
            if let error { state.error = state.error ?? SocketError(error, knobs: knobs) }
            // Not told, an application goes on sending until its window is full.
            if error != nil || !knobs.nilErrorCloseReadInvisible { state.isSendRefused = true }
        }
    }

    func closeWrite(_ error: (any Error)?) {
        close { state in
            guard state.divert?.isWriteClosing == false else { return }
            state.divert?.isWriteClosing = true
            if state.divert?.closeError == nil { state.divert?.closeError = error }
            state.serveWrites()
        }
    }

    private func close(_ body: (inout StreamState) -> Void) {
        gate.change { state in
            guard mine(state) != nil else { return }
            body(&state)
            state.finish(knobs)
        }
    }

    func abort() {
        let isCut = gate.change { state in
            guard mine(state) != nil else { return false }
            state.divert?.stream = nil
            guard !state.isClosed else { return false }
            state.divert?.pendingRead = nil
            state.divert?.writes = []
            state.divert?.isReadClosed = true
            state.divert?.isWriteClosing = true
            state.shut(SocketError(ECONNABORTED))
            // Undecided, the offer itself is noted as aborted.
            return state.way != .undecided
        }
        if isCut { socket.note(.aborted, errno: ECONNABORTED) }
    }
}
