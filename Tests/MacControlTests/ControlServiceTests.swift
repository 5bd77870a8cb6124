// SPDX-License-Identifier: Apache-2.0

import Dispatch
import FlowModel
import Foundation
import Synchronization
import Testing

@testable import MacControl

@Suite struct ControlServiceTests {
    let target = FakeTarget()
    var service: ControlService { ControlService(target, administrators: FakeDirectory(), now: { 1_000 }) }

    private func ask(
        _ request: ControlRequest, user: UInt32 = 0, isOurs: Bool = true, of service: ControlService? = nil,
        speaking versions: ControlVersions = .current
    ) async throws -> ReplyMessage {
        let bytes = try RequestMessage(request, versions).bytes()
        let service = service ?? self.service
        return try #require(ReplyMessage(await service.answer(bytes, from: ControlCaller(user: user, isOurs: isOurs))))
    }

    @Test func `A user is told of their own events, an administrator of everybody's`() async throws {
        target.memory.withLock {
            $0.events = [(501, .sample(1, time: 9)), (502, .sample(2, time: 8)), (501, .sample(3, time: 7))]
        }
        let all = ControlRequest.events(before: nil, limit: 10)
        #expect(
            try await ask(all, user: 501).reply == .events([.sample(1, time: 9), .sample(3, time: 7)], isLast: true))
        #expect(try await ask(all, user: 502).reply == .events([.sample(2, time: 8)], isLast: true))
        guard case .events(let events, _) = try await ask(all, user: 0).reply else {
            Issue.record("no events")
            return
        }
        #expect(events.map(\.id) == ["1", "2", "3"])
    }

    @Test func `What is refused never reaches the extension`() async throws {
        for request in [ControlRequest.pause(until: 2_000), .resume, .off, .rearm, .reload] {
            guard case .refused(let refusal) = try await ask(request, user: 501).reply else {
                Issue.record("\(request) was done")
                continue
            }
            #expect(refusal.code == .needsAdministrator)
            guard case .refused(let foreign) = try await ask(request, user: 0, isOurs: false).reply else {
                Issue.record("\(request) was done for a stranger")
                continue
            }
            #expect(foreign.code == .notOurs)
        }
        #expect(target.told == [])
    }

    @Test func `An administrator's wish is done`() async throws {
        for request in [ControlRequest.pause(until: 2_000), .resume, .off, .rearm, .reload] {
            #expect(try await ask(request).reply == .done)
        }
        #expect(target.told == ["pause 2000", "resume", "off", "rearm", "reload"])
    }

    @Test(arguments: [Int64.min, 0, 1_000, 1_000 + 86_400_001, .max])
    func `A pause that is over, or longer than a day, is refused`(_ until: Int64) async throws {
        guard case .refused(let refusal) = try await ask(.pause(until: until)).reply else {
            Issue.record("paused until \(until)")
            return
        }
        #expect(refusal.code == .failed)
        #expect(target.told == [])
    }

    @Test func `What the extension cannot do is told in its words`() async throws {
        let refusal = ControlRefusal(.failed, "policy.yaml:3:1: unknown key")
        target.memory.withLock { $0.refusal = refusal }
        #expect(try await ask(.reload).reply == .refused(refusal))
    }

    @Test func `An old app and a new extension speak the old version`() async throws {
        let new = ControlService(
            target, administrators: FakeDirectory(), versions: try #require(ControlVersions(oldest: 1, newest: 4)),
            now: { 0 })
        let answer = try await ask(.state, of: new, speaking: try #require(ControlVersions(oldest: 1, newest: 2)))
        #expect(answer.version == 2)
        #expect(answer.reply == .state(.sample()))
    }

    @Test func `A new app hears from an old extension that it does not know the word`() async throws {
        let answer = try await ask(.unknown("dance"), speaking: try #require(ControlVersions(oldest: 1, newest: 5)))
        #expect(answer.version == 1)
        guard case .refused(let refusal) = answer.reply else {
            Issue.record("an unknown word was understood")
            return
        }
        #expect(refusal.code == .unknownRequest)
    }

    @Test func `Without a common version both are named, and nothing is done`() async throws {
        let answer = try await ask(.off, speaking: try #require(ControlVersions(oldest: 7, newest: 9)))
        #expect(answer.version == 0)
        guard case .refused(let refusal) = answer.reply else {
            Issue.record("it was done")
            return
        }
        #expect(refusal.code == .noCommonVersion)
        #expect(refusal.detail.contains("7 to 9"))
        #expect(target.told == [])
    }

    @Test func `Whatever bytes come, an answer goes`() async throws {
        var seed = SystemRandomNumberGenerator()
        for size in [0, 1, 7, 300, MacControlLimits.message.value + 1] {
            let bytes = Data((0..<size).map { _ in UInt8.random(in: .min ... .max, using: &seed) })
            let answer = await service.answer(bytes, from: ControlCaller(user: 0, isOurs: true))
            guard case .refused = ReplyMessage(answer)?.reply else {
                Issue.record("\(size) random bytes were no request")
                continue
            }
        }
    }

    @Test func `A directory that does not answer keeps nobody but those who ask it`() async throws {
        let directory = SlowDirectory()
        let service = ControlService(FakeTarget(), administrators: directory, now: { 1_000 })
        let message = try RequestMessage(.state, .current).bytes()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<MacControlLimits.requests.value {
                group.addTask { _ = await service.answer(message, from: ControlCaller(user: 501, isOurs: true)) }
            }
            // Needs a thread of those that all tasks share.
            group.addTask { directory.answer() }
        }
        #expect(!directory.wasLate)
    }

    /// Answers when it is told to, or much too late.
    private final class SlowDirectory: AdministratorDirectory {
        private let gate = DispatchSemaphore(value: 0)
        private let late = Mutex(false)
        var wasLate: Bool { late.withLock { $0 } }

        func answer() { gate.signal() }

        func isAdministrator(_ user: UInt32) -> Bool {
            if gate.wait(timeout: .now() + .seconds(10)) == .timedOut { late.withLock { $0 = true } }
            gate.signal()
            return false
        }
    }
}
