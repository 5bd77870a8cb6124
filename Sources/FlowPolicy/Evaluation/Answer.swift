// SPDX-License-Identifier: Apache-2.0

// Verdicts, ready-made: admission composes no text.

internal import FlowModel

/// What cannot be inspected although a rule says so.
enum Unreadable: Sendable {
    /// UDP to port 443.
    case quic
    /// A tunnel of Private Relay or its like: a program of the system goes to a name of its catalogue.
    case privateRelay
    /// Another program claims such a name, which proves nothing: it may be refused for that, and is not left unread.
    case claimedRelay(isQUIC: Bool)
}

/// All that one decider can answer; an object, because to copy four verdicts costs more than to find the right one.
final class Answer: Sendable {
    /// The lane as the document has it.
    let wanted: Lane
    let verdict: Verdict
    /// In the place of an inspection that is not possible; nil when the verdict is no inspection.
    private let unread: (quic: Verdict, privateRelay: Verdict)?
    /// The same under `decide`, where an earlier rule waits for what is not known.
    let guess: Verdict
    /// The lanes it can lead to.
    let way: Way

    /// `wanted` is the lane as the document has it; `decider` names the rule in words.
    init(_ wanted: Lane, _ verdict: Verdict, decider: String, profile: Profile?, mode: Policy.Mode) {
        func instead(_ lane: Lane, _ code: String, _ cause: String) -> Verdict {
            mode.verdict(lane, profile: nil, rule: verdict.rule, code: code, cause: "\(decider), \(cause)")
        }
        self.verdict = verdict
        self.wanted = wanted
        if wanted == .inspect, let profile {
            let quic =
                profile.quic == .refuse
                ? instead(.block, "quic-refused", "whose profile refuses QUIC so that the program falls back to TCP")
                : instead(.relay, "quic-relayed", "whose profile relays QUIC unread")
            let privateRelay =
                profile.privateRelay == .refuse
                ? instead(.block, "private-relay-refused", "whose profile refuses tunnels such as Private Relay")
                : instead(.relay, "private-relay-blind", "whose profile relays tunnels such as Private Relay unread")
            unread = (quic, privateRelay)
        } else {
            unread = nil
        }
        let reason = verdict.reason
        let doubt = ", unless what is not known yet matches an earlier rule"
        guess = Verdict(verdict.lane, rule: verdict.rule, reason: Reason(reason.code, reason.detail + doubt))
        // Under `decide` nothing is taken, and what the rules would do is what can differ.
        let lanes = mode == .decide ? wanted : verdict.lane
        way = Way(lanes, unread.map { ($0.quic.lane, $0.privateRelay.lane) })
    }

    /// Whether the document wants an inspection, whatever the mode makes of it.
    var inspects: Bool { wanted == .inspect }

    func verdict(_ unreadable: Unreadable?) -> Verdict {
        switch (unreadable, unread) {
        case (.quic?, let unread?): return unread.quic
        case (.privateRelay?, let unread?): return unread.privateRelay
        case (.claimedRelay(let isQUIC)?, let unread?):
            return unread.privateRelay.lane == .block ? unread.privateRelay : isQUIC ? unread.quic : verdict
        default: return verdict
        }
    }
}

/// The lanes that an answer leads to: as it is written, and where its flow cannot be read.
struct Way: Sendable, Hashable {
    /// 0…63: two bits for each of the three lanes.
    let number: UInt8

    init(_ lane: Lane, _ unread: (quic: Lane, privateRelay: Lane)?) {
        number = lane.number << 4 | (unread?.quic ?? lane).number << 2 | (unread?.privateRelay ?? lane).number
    }

    fileprivate init(number: UInt8) { self.number = number }

    func lane(_ unreadable: Unreadable?) -> Lane {
        let shift: UInt8 =
            switch unreadable {
            case nil: 4
            case .quic?: 2
            case .privateRelay?: 0
            case .claimedRelay(let isQUIC)?: number & 3 == Lane.block.number ? 0 : isQUIC ? 2 : 4
            }
        return Lane.allCases[Int(number >> shift & 3)]
    }
}

/// A set of ways.
struct WaySet: Sendable {
    private var bits: UInt64 = 0

    mutating func insert(_ way: Way) { bits |= 1 << UInt64(way.number) }
    func contains(_ way: Way) -> Bool { bits & 1 << UInt64(way.number) != 0 }

    /// Whether one of them leads to another lane; needs no memory, for flows that are left alone.
    func leads(awayFrom lane: Lane, _ unreadable: Unreadable?) -> Bool {
        var rest = bits
        while rest != 0 {
            let way = Way(number: UInt8(truncatingIfNeeded: rest.trailingZeroBitCount))
            guard way.lane(unreadable) == lane else { return true }
            rest &= rest - 1
        }
        return false
    }

    /// The lanes they lead to, each once, in the order of `Lane`.
    func lanes(_ unreadable: Unreadable?) -> [Lane] {
        let ways = (0..<64 as Range<UInt8>).map(Way.init(number:)).filter(contains)
        return Lane.allCases.filter { lane in ways.contains { $0.lane(unreadable) == lane } }
    }
}

extension Lane {
    /// Its place in `allCases`.
    fileprivate var number: UInt8 {
        switch self {
        case .bypass: 0
        case .relay: 1
        case .inspect: 2
        case .block: 3
        }
    }
}
