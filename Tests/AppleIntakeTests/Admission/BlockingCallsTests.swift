// SPDX-License-Identifier: Apache-2.0

// Proof by counting, in the kernel, that admission never waits.

import CBlockingCalls
import CodeIdentity
import Dispatch
import FlowModel
import FlowPolicy
import Foundation
import NIOEmbedded
import NetworkExtension
import Synchronization
import Testing

@testable import AppleIntake

/// Each in a process of its own: the locks of the memory allocator and of the language's runtime are shared by all threads
/// of a process, so that beside other tests a wait may be theirs.
@Suite("Admission makes no blocking call", .timeLimit(.minutes(2))) struct BlockingCallsTests {
    private struct Seen: Sendable {
        var failure: Int32 = 0
        var calls: Int32 = 0
        var last: Int32 = 0
        var processorTime = Duration.zero
    }

    private final class Outcome: Sendable {
        let value = Mutex<Result<Seen, any Error>?>(nil)
        let isKnown = DispatchSemaphore(value: 0)

        func set(_ result: Result<Seen, any Error>) {
            value.withLock { $0 = result }
            isKnown.signal()
        }
    }

    /// Runs what `prepare` makes on a thread of its own, which is watched from then to its end, and waits for it.
    private static func watched(_ prepare: @escaping @Sendable () throws -> () -> Void) throws -> Seen {
        let outcome = Outcome()
        let thread = Thread {
            do {
                let body = try prepare()
                var seen = Seen(failure: weir_watch_begin())
                let start = processorTime
                body()
                seen.processorTime = processorTime - start
                seen.calls = weir_watch_count(&seen.last)
                outcome.set(.success(seen))
            } catch {
                outcome.set(.failure(error))
            }
        }
        thread.stackSize = 4 << 20
        thread.start()
        outcome.isKnown.wait()
        return try #require(outcome.value.withLock { $0 }).get()
    }

    private static var processorTime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    @Test("The watch sees files, sockets, sleep and locks")
    func watch() async throws {
        await #expect(processExitsWith: .success) {
            let lock = DispatchSemaphore(value: 0)
            let calls: [@Sendable () -> Void] = [
                { lock.wait() }, { _ = open("/etc/hosts", O_RDONLY) }, { _ = access("/etc/hosts", R_OK) },
                { _ = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }, { usleep(1) },
            ]
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(200)) { lock.signal() }
            for (number, call) in calls.enumerated() {
                let seen = try Self.watched { call }
                #expect(seen.failure == 0)
                #expect(seen.calls > 0, "call \(number)")
            }
            #expect(try Self.watched { {} }.calls == 0)
        }
    }

    @Test(
        "Ten thousand new flows of all kinds, two thousand processes: no file, no name, no socket, no lock waited for")
    func tenThousand() async throws {
        let result = try await #require(processExitsWith: .success, observing: [\.standardOutputContent]) {
            let seen = try Self.watched {
                let policy = try admissionPolicy("requirements: {app: 'identifier \"com.example.app\"'}")
                let settings = try AppleIdentityResolver.Settings(osPrograms: AdmissionRig.osPrograms)
                // Nobody else is at work, so that what is counted is admission's own.
                let resolver = AppleIdentityResolver(
                    kernel: ScriptedKernel(), oracle: ScriptedOracle(), settings: settings, wake: {})
                let loop = EmbeddedEventLoop()
                let services = AdmissionRig.services(policy, DeadEnd(loop), loop, resolver)
                let admission = FlowAdmission(services, budget: FlowBudget(flows: 4_096), ownProcess: 1)
                for number in 0..<200 as Range<UInt32> {
                    _ = resolver.immediate(ScriptedProgram.app.process(number), now: .now)
                    resolver.resolvePending { .now }
                }
                return Self.admitting(Self.flows(), admission)
            }
            #expect(seen.failure == 0)
            #expect(seen.calls == 0, "the last was system call \(seen.last)")
            print("admission: 10,000 flows took \(seen.processorTime) of the thread's processor time")
        }
        print(String(decoding: result.standardOutputContent, as: UTF8.self))
    }

    // MARK: What is admitted

    private static func admitting(_ flows: [ScriptedFlow], _ admission: FlowAdmission) -> () -> Void {
        let destinations = ["192.0.2.1:443", "192.0.2.1:53", "[2001:db8::2]:4500"].map { Endpoint($0) } + [nil]
        return {
            for (number, flow) in flows.enumerated() {
                let destination = flow.flow is NEAppProxyUDPFlow ? destinations[number % 4] : nil
                _ = admission.admit(flow.flow, firstDestination: destination)
            }
        }
    }

    private static func flows() -> [ScriptedFlow] {
        (0..<10_000 as Range<UInt32>).map { number -> ScriptedFlow in
            let known = ScriptedProgram.app.process(number % 200)
            return switch number % 9 {
            case 0: .tcp(ScriptedProgram.trustd.process(number % 50), "17.0.0.1")
            case 1: .tcp(known)
            case 2: .tcp(known, "2001:db8::1", 25, name: "Bank.Example")
            case 3: .udp(known, name: "bank.example")
            case 4: .tcp(ScriptedProgram.app.process(1_000 + number % 2_000))
            case 5: .udp(ScriptedProgram.unsigned.process(number % 100))
            case 6: .tcp(token: Data(count: Int(number % 64)), "192.0.2.66", 5_223)
            case 7: .tcp(nil, "192.0.2.7", 80)
            default: .udp(ScriptedProgram.trustd.process(number % 50))
            }
        }
    }
}
