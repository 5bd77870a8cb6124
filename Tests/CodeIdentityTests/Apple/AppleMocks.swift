// SPDX-License-Identifier: Apache-2.0

// The two rungs of a Mac, played by tables: processes that run, exit and exec, and an oracle that does as it is told.

import FlowModel
import Synchronization

@testable import CodeIdentity

extension AuditToken {
    static func process(_ pid: UInt32, version: UInt32 = 1, user: UInt32 = 501) -> AuditToken {
        AuditToken(fields: [user, user, 20, user, 20, pid, 100_007, version])
    }
}

extension CDHash {
    static func numbered(_ number: UInt8) -> CDHash {
        guard let hash = CDHash([UInt8](repeating: number, count: 20)) else { preconditionFailure("20 bytes are one") }
        return hash
    }
}

extension KernelStatus {
    static let app = KernelStatus(
        bits: [.valid, .signed, .runtime, .hard, .kill, .forcedLibraryValidation], cdhash: .numbered(1),
        claimedIdentifier: "com.example.app", claimedTeam: "AB12CD34EF")
    static let trustd = KernelStatus(
        bits: [.valid, .signed, .platformBinary, .hard, .kill, .libraryValidation], cdhash: .numbered(2),
        claimedIdentifier: "com.apple.trustd")
    static let adhoc = KernelStatus(
        bits: [.valid, .signed, .adhoc, .linkerSigned, .enforcement], cdhash: .numbered(3), claimedIdentifier: "a.out")
    static let unsigned = KernelStatus(bits: [])
}

extension CodeExamination {
    static let app = CodeExamination(
        outcomes: [AppleRequirements.apple: .unsatisfied, AppleRequirements.team: .satisfied],
        facts: StaticCodeFacts(
            path: "/Applications/App.app/Contents/MacOS/App", identifier: "com.example.app", team: "AB12CD34EF",
            cdhash: .numbered(1), flags: [.runtime]))
}

/// The processes of a machine, by number.
final class MockKernel: CodeSigningKernel {
    private let processes = Mutex<[Int32: (token: AuditToken, status: KernelStatus)]>([:])
    private let refusal = Mutex<Int32?>(nil)
    private let calls = Mutex(0)

    var count: Int { calls.withLock { $0 } }

    func run(_ token: AuditToken, _ status: KernelStatus) {
        processes.withLock { $0[token.processID] = (token, status) }
    }

    func exit(_ token: AuditToken) { processes.withLock { $0[token.processID] = nil } }

    func refuse(_ errno: Int32?) { refusal.withLock { $0 = errno } }

    func status(of token: AuditToken) -> Result<KernelStatus, KernelStatusError> {
        calls.withLock { $0 += 1 }
        if let errno = refusal.withLock({ $0 }) { return .failure(.refused(errno)) }
        guard let process = processes.withLock({ $0[token.processID] }) else { return .failure(.exited) }
        return process.token == token ? .success(process.status) : .failure(.recycled)
    }
}

/// Answers as the test says and remembers what it was asked.
final class MockOracle: CodeSigningOracle {
    typealias Answer = @Sendable (AuditToken, [String]) throws(CodeSigningError) -> CodeExamination
    private let answer = Mutex<Answer>({ _, _ in .app })
    private let tokens = Mutex<[AuditToken]>([])

    var asked: [AuditToken] { tokens.withLock { $0 } }

    func answers(_ answer: @escaping Answer) { self.answer.withLock { $0 = answer } }

    func verify(_ token: AuditToken, requirements: [String]) throws(CodeSigningError) -> CodeExamination {
        tokens.withLock { $0.append(token) }
        let answer = answer.withLock { $0 }
        return try answer(token, requirements)
    }
}

/// Collects later answers.
final class Received: Sendable {
    private let answers = Mutex<[MakerAnswer]>([])

    var all: [MakerAnswer] { answers.withLock { $0 } }

    @Sendable func take(_ answer: MakerAnswer) { answers.withLock { $0.append(answer) } }
}

/// Counts the calls for a worker, and may be one itself.
final class Wakes: Sendable {
    private let calls = Mutex(0)
    private let worker = Mutex<(@Sendable () -> Void)?>(nil)

    var count: Int { calls.withLock { $0 } }

    func calls(_ worker: @escaping @Sendable () -> Void) { self.worker.withLock { $0 = worker } }

    @Sendable func wake() {
        calls.withLock { $0 += 1 }
        worker.withLock { $0 }?()
    }
}

/// A Mac with a resolver; time passes only when a test says so.
final class MockMac: Sendable {
    let kernel = MockKernel()
    let oracle = MockOracle()
    let wakes = Wakes()
    let resolver: AppleIdentityResolver
    private let time = Mutex(ContinuousClock.now)

    init(
        requirements: [String] = [], osPrograms: OSProgramSet = .init(), examinesPlatform: Bool = false,
        capacity: Int = 64, most: Int = 8, atOnce: Int = 2, mostWaiters: Int = 8
    ) throws {
        let wakes = wakes
        resolver = AppleIdentityResolver(
            kernel: kernel, oracle: oracle,
            settings: try .init(
                requirements: requirements, osPrograms: osPrograms, examinesPlatform: examinesPlatform),
            metrics: NoSink(), wake: wakes.wake,
            cache: AppleIdentityCache(capacity: capacity),
            queue: .init(wait: .seconds(5), most: most, atOnce: atOnce, mostWaiters: mostWaiters))
    }

    var now: ContinuousClock.Instant { time.withLock { $0 } }

    func pass(_ duration: Duration) { time.withLock { $0 += duration } }

    func immediate(_ token: AuditToken?) -> MakerAnswer { resolver.immediate(token, now: now) }

    func later(_ token: AuditToken?) -> Received {
        let received = Received()
        resolver.later(token, now: now, received.take)
        return received
    }

    func work() { resolver.resolvePending { now } }
}
