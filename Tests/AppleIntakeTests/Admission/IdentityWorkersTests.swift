// SPDX-License-Identifier: Apache-2.0

// The threads on which programs are examined.

import CodeIdentity
import Dispatch
import FlowModel
import Foundation
import Synchronization
import Testing

@testable import AppleIntake

@Suite("IdentityWorkers", .timeLimit(.minutes(2))) struct IdentityWorkersTests {
    private func answer(_ workers: IdentityWorkers, _ token: AuditToken) async -> MakerAnswer {
        await withCheckedContinuation { known in workers.later(token, now: .now) { known.resume(returning: $0) } }
    }

    private func workers(_ oracle: ScriptedOracle) throws -> IdentityWorkers {
        IdentityWorkers(kernel: ScriptedKernel(), oracle: oracle, settings: try .init(osPrograms: .init()))
    }

    @Test("An examination that hangs keeps neither the others nor the answer that it is not known in time")
    func stuck() async throws {
        let oracle = ScriptedOracle()
        let gate = DispatchSemaphore(value: 0)
        defer { gate.signal() }
        let hung = ScriptedProgram.app.process(1)
        oracle.first { token in
            guard token == hung else { return }
            gate.wait()
        }
        let workers = try workers(oracle)
        async let never = answer(workers, hung)
        for number in 2..<40 as Range<UInt32> {
            let other = await answer(workers, ScriptedProgram.app.process(number))
            #expect(other.summary.codeClass == .known(.thirdParty))
        }
        #expect(await never.unknown == .timedOut)
    }

    @Test("Examinations go on at once, as many as the limit says")
    func atOnce() async throws {
        let oracle = ScriptedOracle()
        let most = CodeIdentityLimits.examinationsAtOnce.value
        let inside = Mutex(0)
        // Nobody goes on before all are there.
        oracle.first { _ in
            inside.withLock { $0 += 1 }
            while inside.withLock({ $0 }) < most { usleep(1_000) }
        }
        let workers = try workers(oracle)
        await withTaskGroup(of: MakerAnswer.self) { group in
            for number in 0..<UInt32(most) {
                group.addTask { await answer(workers, ScriptedProgram.app.process(number)) }
            }
            for await answer in group { #expect(answer.summary.codeClass == .known(.thirdParty)) }
        }
    }

    @Test("To stop waits for no examination, and whoever waits is told")
    func stop() async throws {
        let oracle = ScriptedOracle()
        let (entered, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        defer { gate.signal() }
        oracle.first { _ in
            entered.signal()
            gate.wait()
        }
        let workers = try workers(oracle)
        async let told = answer(workers, ScriptedProgram.app.process())
        await Task.detached { entered.wait() }.value
        workers.stop()
        workers.stop()
        #expect(await told.unknown == .timedOut)
    }
}
