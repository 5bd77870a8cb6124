// SPDX-License-Identifier: Apache-2.0

// How many flows are claimed at a time, and by whom.

internal import FlowModel
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A number of places, each given back when its seat is let go of.
final class Room: Sendable {
    let most: Int
    private let count = Atomic<Int>(0)

    init(most: Int) { self.most = most }

    var taken: Int { count.load(ordering: .relaxed) }

    /// A place; nil when all are taken.
    func seat() -> Seat? {
        guard count.add(1, ordering: .relaxed).newValue <= most else {
            count.subtract(1, ordering: .relaxed)
            return nil
        }
        return Seat(self)
    }

    /// A place taken; lives exactly as long as what takes it.
    final class Seat: Sendable {
        private let room: Room

        fileprivate init(_ room: Room) { self.room = room }

        deinit { room.count.subtract(1, ordering: .relaxed) }
    }
}

/// The places of all claimed flows.
final class FlowBudget: Sendable {
    /// The places that one flow takes.
    struct Seats: Sendable {
        fileprivate let all: Room.Seat
        fileprivate let process: Room.Seat
    }

    enum Shortage: Error { case flows, process }

    let flows: Room
    let held: Room
    private let ofProcess: Int

    init(
        flows: Int, ofProcess: Int = AppleIntakeLimits.flowsOfProcess.value,
        held: Int = AppleIntakeLimits.heldFlows.value
    ) {
        self.flows = Room(most: flows)
        self.ofProcess = ofProcess
        self.held = Room(most: held)
    }

    /// As many flows as the limit says, or as the descriptors of this process allow.
    ///
    /// A flow takes one for its origin, and a second one while the origin is dialled again, or for the other family.
    convenience init(descriptors: Int) {
        let room = (descriptors - AppleIntakeLimits.descriptorsSpared.value) / 2
        self.init(flows: max(1, min(AppleIntakeLimits.flowsAtOnce.value, room)))
    }

    /// The places of one process, to be kept as long as it makes flows.
    func process() -> Room { Room(most: ofProcess) }

    /// The places of a new flow.
    func seats(for process: Room) -> Result<Seats, Shortage> {
        guard let own = process.seat() else { return .failure(.process) }
        guard let all = flows.seat() else { return .failure(.flows) }
        return .success(Seats(all: all, process: own))
    }

    /// Whether room gets short, so that idle flows should end sooner: three quarters are taken.
    var isUnderPressure: Bool { flows.taken >= flows.most - flows.most / 4 }
}

/// The descriptors that this process may have.
enum Descriptors {
    /// Asks for as many as the limits of this room need, because a Mac gives 256 unasked, and says how many there are.
    static func raise() -> Int {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return 256 }
        let wanted = 2 * AppleIntakeLimits.flowsAtOnce.value + AppleIntakeLimits.descriptorsSpared.value
        let raised = min(rlim_t(wanted), limit.rlim_max)
        if limit.rlim_cur < raised {
            limit.rlim_cur = raised
            // Refused, the old limit stands.
            guard setrlimit(resource, &limit) == 0, getrlimit(resource, &limit) == 0 else { return 256 }
        }
        return Int(clamping: limit.rlim_cur)
    }

    #if canImport(Glibc)
    private static let resource = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
    #else
    private static let resource = RLIMIT_NOFILE
    #endif
}
