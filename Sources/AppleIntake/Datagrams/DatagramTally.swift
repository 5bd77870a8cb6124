// SPDX-License-Identifier: Apache-2.0

// What is counted of a UDP flow, and how its record says it.

internal import FlowModel

/// The counts of one UDP flow.
struct DatagramTally {
    /// Why a datagram did not arrive.
    enum Loss: CaseIterable {
        case blocked, unnamed, unsent, overtaken, tooLarge, empty, untaken

        /// In words that follow a number.
        fileprivate var words: String {
            switch self {
            case .blocked: "to or from where policy forbids"
            case .unnamed: "to what is no address"
            case .unsent: "that the system did not send"
            case .overtaken: "that gave way to newer ones"
            case .tooLarge: "too large for the application"
            case .empty: "empty, which the system does not hand to applications"
            case .untaken: "that the system did not take for the application"
            }
        }
    }

    private(set) var sent = (datagrams: 0, bytes: UInt64(0))
    private(set) var received = (datagrams: 0, bytes: UInt64(0))
    private var lost: [Loss: Int] = [:]
    /// The first destination that was dropped because policy forbids it, with the reason.
    private var firstBlocked: (Endpoint, Reason)?

    mutating func sent(_ bytes: Int) {
        sent = (sent.datagrams + 1, sent.bytes &+ UInt64(bytes))
    }

    mutating func received(_ bytes: Int) {
        received = (received.datagrams + 1, received.bytes &+ UInt64(bytes))
    }

    mutating func lost(_ loss: Loss, _ count: Int = 1) {
        if count > 0 { lost[loss, default: 0] += count }
    }

    mutating func blocked(_ destination: DatagramVerdicts.Destination) {
        lost(.blocked)
        if firstBlocked == nil { firstBlocked = (destination.endpoint, destination.verdict.reason) }
    }

    func count(_ loss: Loss) -> Int { lost[loss] ?? 0 }

    /// All losses together.
    var losses: Int { lost.values.reduce(0, +) }

    /// What the record says beside bytes: at most three notes.
    func notes() -> [Reason] {
        var notes = [Reason("datagrams", "\(sent.datagrams) sent, \(received.datagrams) received")]
        let causes = Loss.allCases.compactMap { loss in lost[loss].map { "\($0) \(loss.words)" } }
        if !causes.isEmpty { notes.append(Reason("datagrams-lost", causes.joined(separator: ", "))) }
        if let (endpoint, reason) = firstBlocked {
            notes.append(Reason("datagrams-blocked", "first to \(endpoint): \(reason)"))
        }
        return notes
    }
}
