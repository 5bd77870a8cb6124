// SPDX-License-Identifier: Apache-2.0

// What happens between the rungs: exits, execs, reused numbers, changed files, hung oracles, and flows that the oracle
// itself waits for. Each race is drawn in two columns.

import FlowModel
import Synchronization
import Testing

@testable import CodeIdentity

@Suite("AppleIdentityResolver races", .timeLimit(.minutes(1))) struct AppleIdentityRaceTests {
    private let token = AuditToken.process(80)

    private func mac(_ status: KernelStatus = .app, atOnce: Int = 2) throws -> MockMac {
        let mac = try MockMac(atOnce: atOnce)
        mac.kernel.run(token, status)
        return mac
    }

    // MARK: Processes that do not stay

    @Test("A process that has gone before anybody looked is an exit")
    func exitedBefore() throws {
        let mac = try mac()
        mac.kernel.exit(token)
        let answer = mac.immediate(token)
        #expect(answer.summary == IdentitySummary(.unknown(.exited), processID: 80, userID: 501))
        #expect(answer.unknown == .exited)
        #expect(mac.later(token).all == [answer])
    }

    @Test("A process that goes between the rungs is an exit, and those who wait are told")
    func exitedBetween() throws {
        // flow                              process 80
        // rung one: an app, pending
        //                                   exit
        // rung two: no such code
        // who has 80? nobody: exited
        let mac = try mac()
        mac.oracle.answers { _, _ throws(CodeSigningError) in throw .code(.noSuchCode) }
        let received = mac.later(token)
        mac.kernel.exit(token)
        mac.work()
        #expect(received.all.map(\.unknown) == [.exited])
        #expect(received.all.map(\.summary.codeClass) == [.unknown(.exited)])
    }

    @Test("A process that calls exec between the rungs is replaced, and its new program is asked about by itself")
    func execBetween() throws {
        // flow of version 1                 process 80
        // rung one: an app, pending
        //                                   exec of a program of the system: version 2
        // rung two: no such process
        // who has 80? somebody: replaced
        let mac = try mac()
        mac.oracle.answers { _, _ throws(CodeSigningError) in throw .unix(3) }
        let received = mac.later(token)
        let after = AuditToken.process(80, version: 2)
        mac.kernel.run(after, .trustd)
        mac.work()
        #expect(received.all.map(\.unknown) == [.replaced])
        #expect(received.all.map(\.summary.codeClass) == [.unknown(.exited)])
        #expect(mac.immediate(after).summary.codeClass == .known(.platformInteractive))
    }

    @Test("Validity that finds the process gone says no more of it than that it is gone")
    func goneWhileValidated() throws {
        let mac = try mac()
        mac.oracle.answers { _, _ in CodeExamination(invalidity: .code(.noSuchCode)) }
        let received = mac.later(token)
        mac.kernel.run(.process(80, version: 2), .adhoc)
        mac.work()
        #expect(received.all.map(\.unknown) == [.replaced])
    }

    @Test("A process number used anew does not inherit what was known of its number")
    func reuse() throws {
        // flows                             process 80
        //                                   an app, known
        //                                   exit; an ad-hoc program gets 80
        // the new token: asked anew
        // the old token: still the app
        let mac = try mac()
        _ = mac.immediate(token)
        mac.work()
        let reused = AuditToken.process(80, version: 9)
        mac.kernel.run(reused, .adhoc)
        mac.pass(.seconds(2))
        #expect(mac.immediate(reused).summary.codeClass == .known(.unsigned))
        #expect(mac.immediate(token).summary.codeClass == .known(.thirdParty))
    }

    @Test("What was known of a process stays true when it has gone")
    func knownThenExited() throws {
        let mac = try mac()
        _ = mac.immediate(token)
        mac.work()
        mac.kernel.exit(token)
        mac.pass(.seconds(10))
        #expect(mac.immediate(token).summary.codeClass == .known(.thirdParty))
    }

    @Test("A token whose cdhash changed is asked about anew: identity is kept by both")
    func otherHash() throws {
        let mac = try mac()
        _ = mac.immediate(token)
        mac.work()
        var other = KernelStatus.app
        other.cdhash = .numbered(7)
        mac.kernel.run(token, other)
        mac.pass(.seconds(2))
        #expect(mac.immediate(token).standing == .pending)
    }

    @Test("A debugger that comes while the oracle is asked shows in its answer")
    func debuggedBetween() throws {
        let mac = try mac()
        mac.oracle.answers { token, _ in
            var debugged = KernelStatus.app
            debugged.bits.insert(.debugged)
            mac.kernel.run(token, debugged)
            return .app
        }
        let received = mac.later(token)
        mac.work()
        #expect(received.all.map { $0.maker?.injection } == [[.debugged, .notEnforced]])
    }

    // MARK: Files that do not stay

    @Test("A program updated while it runs is changed on disk, for a while, and its facts are not believed")
    func changedOnDisk() throws {
        let mac = try mac()
        mac.oracle.answers { _, _ in
            var examination = CodeExamination.app
            examination.invalidity = .code(.staticCodeChanged)
            return examination
        }
        let received = mac.later(token)
        mac.work()
        #expect(received.all.map(\.unknown) == [.changedOnDisk])
        #expect(received.all.map(\.summary.codeClass) == [.unknown(.unresolved)])
        mac.pass(CodeIdentityLimits.failedExaminationAge.spent)
        #expect(mac.immediate(token).standing == .pending)
    }

    @Test("Facts of another cdhash than the kernel's are another program's, even when the oracle found all well")
    func factsOfAnother() throws {
        // oracle                            disk
        // validity: fine
        //                                   the file is replaced
        // facts: of the new file
        let mac = try mac()
        mac.oracle.answers { _, _ in
            var examination = CodeExamination.app
            examination.facts?.cdhash = .numbered(7)
            return examination
        }
        let received = mac.later(token)
        mac.work()
        #expect(received.all.map(\.unknown) == [.changedOnDisk])
    }

    @Test("A file that changes takes the identity that was known with it")
    func changedAfterwards() throws {
        let mac = try mac()
        _ = mac.immediate(token)
        mac.work()
        mac.resolver.use(try .init(requirements: ["always"]))
        mac.oracle.answers { _, _ in CodeExamination(invalidity: .code(.staticCodeChanged)) }
        _ = mac.immediate(token)
        mac.work()
        #expect(mac.immediate(token).unknown == .changedOnDisk)
    }

    // MARK: Oracles that do not answer

    @Test("An oracle that hangs: those who wait are told in time, and the answer heals when it comes after all")
    func hung() throws {
        // timer                             worker in the oracle
        //                                   verify of an app: silence
        // 5 s: expire, the waiter is told
        // a flow: timed out, not asked again
        //                                   the answer, late
        // a flow: known
        let mac = try mac()
        let received = mac.later(token)
        mac.oracle.answers { token, _ in
            mac.pass(CodeIdentityLimits.examinationWait.spent)
            mac.resolver.expire(now: mac.now)
            #expect(received.all.map(\.unknown) == [.timedOut])
            #expect(received.all.map(\.summary.codeClass) == [.unknown(.unresolved)])
            #expect(mac.immediate(token).unknown == .timedOut)
            mac.pass(CodeIdentityLimits.failedExaminationAge.spent)
            #expect(mac.immediate(token).unknown == .timedOut)
            #expect(mac.immediate(token).standing == .settled)
            return .app
        }
        mac.work()
        #expect(mac.oracle.asked.count == 1)
        #expect(received.all.count == 1)
        #expect(mac.immediate(token).summary.codeClass == .known(.thirdParty))
    }

    @Test("When all workers hang, what waits behind them is told in time as well, and no more are sent after them")
    func allHung() throws {
        let mac = try MockMac(atOnce: 1)
        for pid: UInt32 in 1...2 { mac.kernel.run(.process(pid), .app) }
        let first = mac.later(.process(1))
        let second = mac.later(.process(2))
        mac.oracle.answers { token, _ in
            if token == .process(1) {
                mac.work()  // another thread that was woken: there is no room for it
                mac.pass(CodeIdentityLimits.examinationWait.spent)
                mac.resolver.expire(now: mac.now)
                #expect(first.all.map(\.unknown) == [.timedOut])
                #expect(second.all.map(\.unknown) == [.timedOut])
                #expect(mac.immediate(.process(2)).unknown == .timedOut)
                #expect(mac.oracle.asked == [.process(1)])
            }
            return .app
        }
        mac.work()
        #expect(mac.oracle.asked == [.process(1)])
        #expect(mac.immediate(.process(1)).summary.codeClass == .known(.thirdParty))
    }

    @Test("A worker that comes too late tells those who waited, and asks for nobody")
    func lateWorker() throws {
        let mac = try mac()
        let received = mac.later(token)
        mac.pass(CodeIdentityLimits.examinationWait.spent)
        mac.work()
        #expect(received.all.map(\.unknown) == [.timedOut])
        #expect(mac.oracle.asked.isEmpty)
    }

    @Test("Settings that change while the oracle is asked: it is asked again under the new ones, then all are told")
    func settingsWhileAsked() throws {
        let mac = try mac()
        let received = mac.later(token)
        let asked = Mutex<[[String]]>([])
        mac.oracle.answers { _, requirements throws(CodeSigningError) in
            asked.withLock { $0.append(requirements) }
            if !requirements.contains("always") {
                guard let settings = try? AppleIdentityResolver.Settings(requirements: ["always"]) else {
                    throw .code(.internalError)
                }
                mac.resolver.use(settings)
            }
            return .app
        }
        mac.work()
        #expect(asked.withLock { $0.map { $0.contains("always") } } == [false, true])
        #expect(received.all.count == 1)
        #expect(mac.immediate(token).standing == .settled)
    }

    // MARK: Flows that the oracle waits for

    @Test(
        "The trust daemon's own flows are answered while the oracle waits for the trust daemon",
        arguments: [false, true])
    func trustDaemon(examinesPlatform: Bool) throws {
        // worker                            callback of the provider
        // verify of an app
        //   asks trustd, which makes a flow
        //                                   immediate: settled by the kernel's word
        //                                   later: answered within the call
        //   trustd has its answer
        // verified
        let mac = try MockMac(examinesPlatform: examinesPlatform, atOnce: 1)
        let daemons: [AuditToken] = [.process(200), .process(201)]  // trustd and, for it, ocspd
        mac.kernel.run(token, .app)
        for daemon in daemons { mac.kernel.run(daemon, .trustd) }
        let answered = Mutex<[MakerAnswer]>([])
        mac.oracle.answers { token, _ in
            for daemon in daemons where token == .process(80) {
                answered.withLock { $0.append(mac.immediate(daemon)) }
                let received = mac.later(daemon)
                // Here the daemon waits for its flow, and with it this call.
                #expect(received.all.count == 1)
            }
            return .app
        }
        let received = mac.later(token)
        mac.work()
        #expect(received.all.map(\.summary.codeClass) == [.known(.thirdParty)])
        #expect(answered.withLock { $0.map(\.standing) } == [.settled, .settled])
        #expect(mac.oracle.asked == [token], "nobody asks the oracle about what it waits for")
    }

    @Test("The oracle's wait for a daemon that makes a flow of the very token under examination ends too")
    func examinedItself() throws {
        // worker                            callback of the provider
        // verify of trustd (policy asked)
        //   trustd makes a flow
        //                                   settled by the kernel's word
        // verified
        let mac = try MockMac(examinesPlatform: true)
        mac.kernel.run(token, .trustd)
        mac.oracle.answers { token, _ in
            #expect(mac.later(token).all.map(\.standing) == [.settled])
            return CodeExamination(facts: StaticCodeFacts(cdhash: .numbered(2)))
        }
        _ = mac.immediate(token)
        mac.work()
        #expect(mac.oracle.asked == [token])
    }

    @Test("A worker that has finished before the waiter stands in line: the waiter is told from memory")
    func quickWorker() throws {
        // flow                              worker
        // later: pending, wake
        //                                   verified, nobody waits
        // into the line: nothing under way, but known
        let mac = try mac()
        mac.wakes.calls { [unowned mac] in mac.work() }
        #expect(mac.later(token).all.map(\.summary.codeClass) == [.known(.thirdParty)])
    }

    @Test("Neither rung, nor wake, nor a waiter is called under the lock: each may ask again")
    func reentrancy() throws {
        let mac = try mac()
        let other = AuditToken.process(81)
        mac.kernel.run(other, .app)
        let received = Received()
        mac.resolver.later(token, now: mac.now) { answer in
            received.take(answer)
            received.take(mac.immediate(other))
        }
        mac.oracle.answers { _, _ in
            _ = mac.immediate(other)
            return .app
        }
        mac.work()
        #expect(received.all.count == 2)
    }

    // MARK: Threads

    @Test("Many threads asking, working, expiring and changing settings: each waiter is told exactly once")
    func threads() async throws {
        let mac = try MockMac(capacity: 16, most: 16, atOnce: 4, mostWaiters: 64)
        for pid: UInt32 in 1...40 { mac.kernel.run(.process(pid), pid % 5 == 0 ? .trustd : .app) }
        let settings = try AppleIdentityResolver.Settings(requirements: ["always"])
        let (told, asked) = await withTaskGroup(of: [Received].self, returning: ([Int], Int).self) { group in
            for seed: UInt32 in 0..<4 {
                group.addTask {
                    (0..<500).map { step in mac.later(.process((step * 7 + seed * 13) % 40 + 1)) }
                }
                group.addTask {
                    for step in 0..<200 {
                        mac.work()
                        if step % 50 == 0 {
                            mac.pass(.seconds(1))
                            mac.resolver.expire(now: mac.now)
                            mac.resolver.use(settings)
                        }
                    }
                    return []
                }
            }
            var all: [Received] = []
            for await received in group { all += received }
            mac.work()
            return (all.map(\.all.count), all.count)
        }
        #expect(asked == 2000)
        #expect(told.allSatisfy { $0 == 1 })
    }
}
