// SPDX-License-Identifier: Apache-2.0

// What a flow on Linux is told at once and later.

import FlowModel
import Synchronization
import Testing

@testable import CodeIdentity

/// A Linux system with a resolver; time passes only when a test says so.
final class MockLinux: Sendable {
    let system = SimulatedSystem()
    let wakes = Wakes()
    let resolver: LinuxIdentityResolver
    /// What was hashed, by path.
    let hashed = Mutex<[String]>([])
    private let hashing = Mutex<(@Sendable () -> Void)?>(nil)
    private let time = Mutex(ContinuousClock.now)

    init(processes: [Int32] = [7], capacity: Int = 64, most: Int = 8, atOnce: Int = 1, mostWaiters: Int = 8) {
        let wakes = wakes
        resolver = LinuxIdentityResolver(
            reader: system.reader, metrics: NoSink(), wake: { _ in wakes.wake() },
            cache: ProcessIdentityCache(capacity: capacity),
            queue: .init(wait: .seconds(1), most: most, atOnce: atOnce, mostWaiters: mostWaiters),
            start: time.withLock { $0 })
        system.change { state in
            for pid in processes { state.processes[pid] = .service(pid: pid) }
            state.onHash = { [weak self] path in
                self?.hashed.withLock { $0.append(path) }
                self?.hashing.withLock { $0.take() }?()
            }
        }
    }

    /// How many processes were examined: each of them is the same program.
    var examined: Int { hashed.withLock { $0.count { $0 == "/usr/bin/tool" } } }

    var now: ContinuousClock.Instant { time.withLock { $0 } }

    func pass(_ duration: Duration) { time.withLock { $0 += duration } }

    /// Does something in the middle of the next examination, once.
    func whileHashing(_ act: @escaping @Sendable () -> Void) { hashing.withLock { $0 = act } }

    func change(_ pid: Int32 = 7, _ change: (inout SimulatedProcess) -> Void) {
        system.change { state in
            if var process = state.processes[pid] {
                change(&process)
                state.processes[pid] = process
            }
        }
    }

    func exit(_ pid: Int32 = 7) { system.change { $0.processes[pid] = nil } }

    func immediate(_ process: ProcessInstance? = .numbered(7)) -> MakerAnswer {
        resolver.immediate(process, now: now)
    }

    func later(_ process: ProcessInstance? = .numbered(7)) -> Received {
        let received = Received()
        resolver.later(process, now: now, received.take)
        return received
    }

    func work() { resolver.resolvePending { now } }
}

extension ProcessInstance {
    /// As `SimulatedProcess.service` starts it.
    static func numbered(_ pid: Int32, start: UInt64 = 500) -> ProcessInstance {
        ProcessInstance(pid: pid, startTicks: start)
    }
}

@Suite("LinuxIdentityResolver", .timeLimit(.minutes(1))) struct LinuxIdentityResolverTests {
    @Test("No process is answered without asking anybody")
    func noProcess() {
        let linux = MockLinux()
        for process in [nil, ProcessInstance.numbered(0)] {
            let answer = linux.immediate(process)
            #expect(answer.summary.codeClass == .unknown(.noToken))
            #expect(answer.unknown == .noProcess)
            #expect(answer.standing == .settled)
            #expect(linux.later(process).all == [answer])
        }
        #expect(linux.wakes.count == 0)
    }

    @Test("A program is pending at once, known later, and from memory afterwards")
    func known() throws {
        let linux = MockLinux()
        let first = linux.immediate()
        #expect(first.standing == .pending)
        #expect(first.unknown == .unexamined)
        #expect(first.summary == IdentitySummary(.unknown(.thirdPartyPending), processID: 7))
        let received = linux.later()
        #expect(received.all.isEmpty)
        linux.work()
        let answer = try #require(received.all.first)
        #expect(answer.standing == .settled)
        #expect(
            answer.summary == IdentitySummary(.known(.os), executable: "/usr/bin/tool", processID: 7, userID: 101))
        #expect(linux.immediate() == answer)
        #expect(linux.later().all == [answer])
        #expect(linux.examined == 1)
        #expect(linux.wakes.count == 1)
    }

    @Test("While a flow waits nothing is read but the kernel's word on the image", arguments: [false, true])
    func readsNoFile(known: Bool) {
        let linux = MockLinux()
        _ = linux.immediate()
        if known { linux.work() }
        let reads = Mutex<Set<String>>([])
        linux.hashed.withLock { $0 = [] }
        linux.system.change { $0.onRead = { what, _ in reads.withLock { _ = $0.insert(what) } } }
        #expect(linux.immediate().standing == (known ? .settled : .pending))
        #expect(reads.withLock { $0 } == ["stat", "key"])
        #expect(linux.hashed.withLock { $0 } == [])
    }

    @Test("One examination serves all who ask for an image while it lasts")
    func singleFlight() {
        let linux = MockLinux()
        let received = (0..<5).map { _ in linux.later() }
        linux.work()
        #expect(linux.examined == 1)
        #expect(linux.wakes.count == 1)
        #expect(received.allSatisfy { $0.all.count == 1 && $0.all == received[0].all })
    }

    @Test("A full queue says busy at once, and later says the same")
    func full() {
        let linux = MockLinux(processes: [1, 2, 3], most: 2)
        #expect(linux.immediate(.numbered(1)).standing == .pending)
        #expect(linux.immediate(.numbered(2)).standing == .pending)
        let answer = linux.immediate(.numbered(3))
        #expect(answer.standing == .busy)
        #expect(answer.unknown == .unexamined)
        #expect(linux.later(.numbered(3)).all == [answer])
        linux.work()
        #expect(linux.immediate(.numbered(3)).standing == .pending)
    }

    @Test("Too many who wait are told so at once; those before them still get their answer")
    func tooManyWaiters() {
        let linux = MockLinux(mostWaiters: 1)
        let first = linux.later()
        #expect(linux.later().all.map(\.standing) == [.busy])
        linux.work()
        #expect(first.all.map(\.standing) == [.settled])
    }

    @Test("An identity that the cache dropped is found out again")
    func eviction() {
        let linux = MockLinux(processes: Array(1...10), capacity: 4)
        for pid in 1...10 as ClosedRange<Int32> {
            _ = linux.immediate(.numbered(pid))
            linux.work()
        }
        #expect(linux.immediate(.numbered(10)).standing == .settled)
        #expect(linux.immediate(.numbered(1)).standing == .pending)
    }

    @Test("What the kernel does not let us see is refused, and one of its own threads is no process")
    func refused() {
        let linux = MockLinux()
        linux.change { $0.refused = ["key"] }
        #expect(linux.immediate().unknown == .refused)
        #expect(linux.immediate().summary.codeClass == .unknown(.unresolved))
        linux.change {
            $0.refused = []
            $0.setStat(flags: 0x20_0000)
        }
        #expect(linux.immediate().unknown == .noProcess)
        #expect(linux.wakes.count == 0)
    }

    @Test("Foreign code that comes later is seen once what is known is too old")
    func age() {
        let linux = MockLinux()
        _ = linux.immediate()
        linux.work()
        linux.change { $0.map("7f1000000000-7f1000001000 r-xp 00000000 00:00 0 ") }
        linux.pass(CodeIdentityLimits.identityAge.spent)
        #expect(linux.immediate().summary.codeClass == .known(.os))
        linux.pass(.milliseconds(1))
        let received = linux.later()
        #expect(received.all.isEmpty)
        linux.work()
        #expect(received.all.map(\.summary.codeClass) == [.known(.platformInteractive)])
        #expect(received.all.map { $0.maker?.injection } == [[.anonymousExecutable]])
    }
}
