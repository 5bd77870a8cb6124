// SPDX-License-Identifier: Apache-2.0

// The kernel side of a UDP flow: what a provider's calls do to the application's socket.

internal import Foundation
internal import NetworkSimulation

/// A UDP socket as one provider holds it; dead when the socket went to another one.
final class DivertedDatagrams: KernelDatagrams, DivertedFlow {
    private let socket: SimulatedDatagramSocket
    private let session: Session
    private let knobs: Knobs
    private let chosenInterface = Gate<NWInterface?>(nil)
    private var gate: Gate<DatagramState> { socket.state }

    init(_ socket: SimulatedDatagramSocket, _ session: Session, knobs: Knobs) {
        self.socket = socket
        self.session = session
        self.knobs = knobs
        socket.state.change {
            $0.divert(to: DatagramState.Divert(session: session, owner: ObjectIdentifier(self), flow: self))
        }
    }

    var interface: NWInterface? {
        get { chosenInterface.read { $0 } }
        set { chosenInterface.change { $0 = newValue } }
    }

    /// The provider's side, while this is the one that counts.
    private func mine(_ state: DatagramState) -> DatagramState.Divert? {
        state.divert.flatMap { $0.owner == ObjectIdentifier(self) ? $0 : nil }
    }

    /// Opens it (3.1); the application notices nothing, it may send before.
    func open(_ local: NWEndpoint?, _ done: @escaping ((any Error)?) -> Void) {
        let done = Carried(done)
        let error: NEAppProxyFlowError.Code? = gate.change { state in
            guard let divert = mine(state), divert.flow != nil, !state.isClosed, state.error == nil,
                !divert.isReadClosed, !divert.isWriteClosing
            else { return .peerReset }
            guard !divert.isOpen, DivertedStream.isLocal(local) else { return .invalidArgument }
            state.divert?.isOpen = true
            return nil
        }
        if error == nil { socket.note(.opened) }
        session.queue.run { done.value(error.map { NEAppProxyFlowError($0) }) }
    }

    /// Reads everything that waits, in one batch (3.5); nil and no error is the end.
    func read(_ done: @escaping ([(Data, NWEndpoint)]?, (any Error)?) -> Void) {
        let done = Carried(done)
        let error: NEAppProxyFlowError.Code? = gate.change { state in
            guard let divert = mine(state), divert.isOpen || divert.isReadClosed else { return .notConnected }
            if divert.pendingRead != nil { return .readAlreadyPending }
            guard !divert.isReadClosed else {
                session.queue.run { done.value(nil, nil) }
                return nil
            }
            state.divert?.pendingRead = done
            state.serveRead(gate, knobs)
            return nil
        }
        if let error { session.queue.run { done.value(nil, NEAppProxyFlowError(error)) } }
    }

    /// Writes a batch, all or none of it refused; completes when the application's buffer has taken it.
    ///
    /// An empty datagram is refused, although one comes the other way [DEC, SRC]; one that the application's buffer
    /// could never hold is too large.
    func write(_ datagrams: [(Data, NWEndpoint)], _ done: @escaping ((any Error)?) -> Void) {
        let done = Carried(done)
        let error: (any Error)? = gate.change { state in
            if datagrams.contains(where: { $0.0.isEmpty }) { return NEAppProxyFlowError(.invalidArgument) }
            guard let divert = mine(state), divert.isOpen, !divert.isWriteClosing, !state.isClosed, state.error == nil
            else { return NEAppProxyFlowError(.notConnected) }
            guard datagrams.allSatisfy({ $0.0.count <= state.receiveBuffer }) else {
                return NEAppProxyFlowError(.datagramTooLarge)
            }
            state.divert?.writeCount += 1
            if knobs.writeENOBUFS, (divert.writeCount + 1).isMultiple(of: knobs.failingWrite) {
                return POSIXError(.ENOBUFS)
            }
            state.divert?.writes.append((datagrams[...], done))
            state.serveWrites()
            return nil
        }
        if let error { session.queue.run { done.value(error) } }
    }

    /// Takes no more of the application; for UDP it is told, also without an error [DEC].
    func closeRead(_ error: (any Error)?) {
        close(error) { state in
            guard state.divert?.isReadClosed == false else { return }
            state.divert?.isReadClosed = true
            // A pending read is dropped: its completion is never called [DEC].
            if !knobs.closeReadDropsPending, let read = state.divert?.pendingRead {
                session.queue.run { read.value(nil, nil) }
            }
            state.divert?.pendingRead = nil
            _ = state.takeOutgoing()
            state.isSendRefused = true
        }
    }

    func closeWrite(_ error: (any Error)?) {
        close(error) { state in
            state.divert?.isWriteClosing = true
            state.serveWrites()
        }
    }

    private func close(_ error: (any Error)?, _ body: (inout DatagramState) -> Void) {
        gate.change { state in
            guard mine(state)?.flow != nil else { return }
            if state.divert?.closeError == nil { state.divert?.closeError = error }
            body(&state)
            state.finish()
            if state.isReceiveEnded, let closing = state.divert?.closeError {
                state.error = state.error ?? SocketError(closing, knobs: knobs)
            }
        }
    }

    func abort() {
        let isCut = gate.change { state in
            guard mine(state)?.flow != nil else { return false }
            state.divert?.flow = nil
            state.divert?.pendingRead = nil
            state.divert?.writes = []
            state.divert?.isReadClosed = true
            state.divert?.isWriteClosing = true
            guard !state.isClosed else { return false }
            state.error = state.error ?? SocketError(ECONNABORTED)
            _ = state.takeOutgoing()
            // Undecided, the offer itself is noted as aborted.
            return state.way != .undecided
        }
        if isCut { socket.note(.aborted, errno: ECONNABORTED) }
    }
}
