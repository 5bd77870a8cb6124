// SPDX-License-Identifier: Apache-2.0

// What the kernel keeps for a TCP socket: the application's side, and the provider's when one has claimed it.

internal import Foundation
internal import NetworkSimulation

/// A TCP socket's state; changed under its gate only.
struct StreamState {
    /// How many bytes an application may send ahead of delivery to the provider [DEC: 0x40000].
    static let window = 0x40000
    /// The application's receive buffer [SRC: xnu's `tcp_recvspace`].
    static let receiveBuffer = 131_072

    /// How many bytes the kernel hands over in one message, about [SRC: 65,600].
    static let message = 65_536

    var way = SimulatedSocket.Way.undecided
    /// The providers have given their verdict; until then what a flow's calls have done does not count.
    var isDecided = false
    var isConnected = false
    /// The socket's error, which stays so that both directions report it; a Mac clears it once reported.
    var error: SocketError?
    /// The kernel's own connection, when no provider has the socket.
    var link: (any SimulatedLink)?
    /// Sent by the application and not yet taken by the provider.
    var outgoing = Data()
    /// On its way to the provider's completion; credit returns when that is called.
    var undelivered = 0
    /// Written by the provider and not yet read by the application.
    var incoming = Data()
    /// The application has shut its sending side.
    var hasSentAll = false
    /// The application may not send any more.
    var isSendRefused = false
    /// After `incoming` comes the end.
    var isReceiveEnded = false
    /// The application has closed the socket.
    var isClosed = false
    /// The application has reset it, and the provider's next read says so.
    var reportsReset = false
    var divert: Divert?

    /// The provider's side of it, as the framework keeps it.
    struct Divert {
        typealias ReadDone = Carried<(Data?, (any Error)?) -> Void>
        typealias WriteDone = @Sendable ((any Error)?) -> Void

        let session: Session
        let owner: ObjectIdentifier
        /// Until the flow is over.
        var stream: DivertedStream?
        var isOpen = false
        var isReadClosed = false
        var isWriteClosing = false
        /// The first error that the provider closed a side with.
        var closeError: (any Error)?
        var pendingRead: ReadDone?
        var writes: [(rest: Data, done: WriteDone)] = []
        var writeCount = 0
    }

    var credit: Int { Self.window - outgoing.count - undelivered }

    /// Completes the provider's pending read if there is something to say.
    ///
    /// All that is there comes in one piece, which the window bounds, or one message at a time [DEC].
    mutating func serveRead(_ gate: Gate<StreamState>, _ knobs: Knobs) {
        guard let divert, let read = divert.pendingRead else { return }
        let queue = divert.session.queue
        if !outgoing.isEmpty {
            let data = Data(outgoing.prefix(knobs.coalescesReads ? outgoing.count : Self.message))
            outgoing = Data(outgoing.dropFirst(data.count))
            undelivered += data.count
            queue.run {
                gate.change { $0.undelivered -= data.count }
                read.value(data, nil)
            }
        } else if reportsReset {
            reportsReset = false
            queue.run { read.value(nil, NEAppProxyFlowError(.peerReset)) }
        } else if hasSentAll || isClosed {
            queue.run { read.value(Data(), nil) }
        } else {
            return
        }
        self.divert?.pendingRead = nil
    }

    /// Moves what the provider has written into the application's buffer, as far as there is room.
    mutating func serveWrites() {
        while let write = divert?.writes.first {
            let room = Self.receiveBuffer - incoming.count
            guard room > 0 else { return }
            incoming.append(write.rest.prefix(room))
            guard write.rest.count <= room else {
                divert?.writes[0].rest = write.rest.dropFirst(room)
                return
            }
            divert?.writes.removeFirst()
            divert?.session.queue.run { write.done(nil) }
        }
    }

    /// The application is gone: what the provider has pending fails [DEC].
    mutating func failWrites() {
        for write in divert?.writes ?? [] {
            divert?.session.queue.run { write.done(NEAppProxyFlowError(.peerReset)) }
        }
        divert?.writes = []
    }

    /// Says to the application what the provider's closing amounts to, and ends the flow when both sides are closed.
    mutating func finish(_ knobs: Knobs) {
        guard let divert, let stream = divert.stream, divert.isWriteClosing, divert.writes.isEmpty else { return }
        if divert.isOpen, !isReceiveEnded {
            isReceiveEnded = true
            if let closing = divert.closeError {
                error = error ?? SocketError(closing, knobs: knobs)
                // An error flushes what the application has not got rid of [SRC].
                outgoing = Data()
            }
        }
        guard divert.isReadClosed else { return }
        if !divert.isOpen, divert.closeError == nil, knobs.nilCloseConnects {
            isConnected = true
        } else if !divert.isOpen {
            // A claimed flow that is closed unopened: connect fails with the error given [SRC].
            error = divert.closeError.map { SocketError($0, knobs: knobs) } ?? SocketError(ECONNABORTED)
        }
        shut(nil)
        self.divert?.stream = nil
        divert.session.forget(stream)
    }

    /// No provider has it, and what those asked did to it is undone.
    mutating func divertToNobody(_ way: SimulatedSocket.Way) {
        self.way = way
        divert = nil
        isDecided = true
        isConnected = false
        error = nil
        isSendRefused = false
        isReceiveEnded = false
    }

    /// Shuts both ways with this error.
    mutating func shut(_ error: SocketError?) {
        self.error = self.error ?? error
        outgoing = Data()
        isSendRefused = true
        isReceiveEnded = true
    }
}

extension SocketError {
    /// What an application is told of a provider's error (3.4; the numbers are this platform's).
    init(_ error: any Error, knobs: Knobs) {
        let code: NEAppProxyFlowError.Code?
        if let flow = error as? NEAppProxyFlowError {
            code = flow.code
        } else {
            let general = error as NSError
            code = general.domain == NEAppProxyErrorDomain ? .init(rawValue: general.code) : nil
        }
        errno =
            switch code {
            case .notConnected: ENOTCONN
            case .peerReset: ECONNRESET
            case .hostUnreachable: EHOSTUNREACH
            case .invalidArgument: EINVAL
            case .aborted: ECONNABORTED
            case .refused: ECONNREFUSED
            case .timedOut: ETIMEDOUT
            case .datagramTooLarge: EMSGSIZE
            case .internal, .readAlreadyPending, nil: knobs.genericErrno
            }
    }
}
