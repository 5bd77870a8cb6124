// SPDX-License-Identifier: Apache-2.0

// What the kernel keeps for a UDP socket: the application's side, and the provider's when one has claimed it.

internal import Foundation
internal import NetworkSimulation

/// A UDP socket's state; changed under its gate only.
struct DatagramState {
    /// How many bytes an application may send ahead of delivery to the provider [DEC: 0x40000].
    static let window = 0x40000
    /// The largest datagram that IPv4 carries.
    static let largest = 65_507

    typealias Datagram = (Data, NWEndpoint)

    /// How large a receive buffer the application has asked for.
    let receiveBuffer: Int
    var way = SimulatedSocket.Way.undecided
    /// It was shown to the providers; what comes of that counts for all its destinations.
    var isOffered = false
    /// The socket's error, which stays as that of a stream does.
    var error: SocketError?
    /// The kernel's own way out, when no provider has the socket.
    var link: (any SimulatedDatagramLink)?
    /// Sent by the application and not yet taken by the provider, or by `link`.
    var outgoing: [Datagram] = []
    var outgoingBytes = 0
    /// On their way to the provider's completion; credit returns when that is called.
    var undelivered = 0
    /// Lost because the application had no credit left; it is not told [SRC].
    var dropped = 0
    /// Written by the provider and not yet read by the application.
    var incoming: [Datagram] = []
    var incomingBytes = 0
    /// The provider takes no more: sending fails with EHOSTUNREACH [SRC].
    var isSendRefused = false
    /// The provider gives no more.
    var isReceiveEnded = false
    /// The application has closed the socket, and whether the provider is told.
    var isClosed = false
    var tellsClose = false
    var divert: Divert?

    init(receiveBuffer: Int) { self.receiveBuffer = receiveBuffer }

    /// The provider's side of it, as the framework keeps it.
    struct Divert {
        typealias ReadDone = Carried<([(Data, NWEndpoint)]?, (any Error)?) -> Void>
        typealias WriteDone = Carried<((any Error)?) -> Void>

        let session: Session
        let owner: ObjectIdentifier
        /// Until the flow is over.
        var flow: DivertedDatagrams?
        var isOpen = false
        var isReadClosed = false
        var isWriteClosing = false
        /// The first error that the provider closed a side with.
        var closeError: (any Error)?
        var pendingRead: ReadDone?
        var writes: [(rest: ArraySlice<Datagram>, done: WriteDone)] = []
        var writeCount = 0
    }

    /// What a datagram costs of a buffer; an empty one is not free, or there would be no end of them.
    static func cost(_ datagram: Datagram) -> Int { max(1, datagram.0.count) }

    /// Takes a datagram of the application; without credit it is lost.
    mutating func take(_ datagram: Datagram, _ gate: Gate<DatagramState>, _ knobs: Knobs) {
        let cost = Self.cost(datagram)
        guard outgoingBytes + undelivered + cost <= Self.window else {
            dropped += 1
            return
        }
        outgoing.append(datagram)
        outgoingBytes += cost
        serveRead(gate, knobs)
    }

    /// Gives what waits to go out.
    mutating func takeOutgoing() -> [Datagram] {
        defer { (outgoing, outgoingBytes) = ([], 0) }
        return outgoing
    }

    /// Completes the provider's pending read if there is something to say: with all that waits, or one at a time [DEC].
    mutating func serveRead(_ gate: Gate<DatagramState>, _ knobs: Knobs) {
        guard let divert, let read = divert.pendingRead else { return }
        if !outgoing.isEmpty {
            let batch = Array(outgoing.prefix(knobs.coalescesReads ? outgoing.count : 1))
            let cost = batch.reduce(0) { $0 + Self.cost($1) }
            outgoing.removeFirst(batch.count)
            outgoingBytes -= cost
            undelivered += cost
            divert.session.queue.run {
                gate.change { $0.undelivered -= cost }
                read.value(batch, nil)
            }
        } else if tellsClose {
            divert.session.queue.run { read.value(nil, nil) }
        } else {
            return
        }
        self.divert?.pendingRead = nil
    }

    /// Moves what the provider has written into the application's buffer, as far as there is room.
    mutating func serveWrites() {
        while let write = divert?.writes.first {
            guard let next = write.rest.first else {
                divert?.writes.removeFirst()
                divert?.session.queue.run { write.done.value(nil) }
                continue
            }
            guard incomingBytes + Self.cost(next) <= receiveBuffer else { return }
            incoming.append(next)
            incomingBytes += Self.cost(next)
            divert?.writes[0].rest.removeFirst()
        }
    }

    /// Gives the application the next datagram.
    mutating func giveIncoming() -> Datagram? {
        guard !incoming.isEmpty else { return nil }
        let next = incoming.removeFirst()
        incomingBytes -= Self.cost(next)
        serveWrites()
        finish()
        return next
    }

    /// The application is gone: what the provider has pending fails [DEC].
    mutating func failWrites() {
        for write in divert?.writes ?? [] {
            divert?.session.queue.run { write.done.value(NEAppProxyFlowError(.peerReset)) }
        }
        divert?.writes = []
    }

    /// Hands the socket to another provider or to none, and undoes what the one before did to it.
    mutating func divert(to next: Divert?) {
        divert = next
        error = nil
        isSendRefused = false
        isReceiveEnded = false
    }

    /// Ends the flow when the provider has closed both sides and everything written has arrived.
    mutating func finish() {
        guard let divert, let flow = divert.flow, divert.isWriteClosing, divert.writes.isEmpty else { return }
        isReceiveEnded = true
        guard divert.isReadClosed else { return }
        isSendRefused = true
        self.divert?.flow = nil
        divert.session.forget(flow)
    }
}
