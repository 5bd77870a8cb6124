// SPDX-License-Identifier: Apache-2.0

// Processes and files that do not stay as they were, workers that do not come back, and threads.

import FlowModel
import Synchronization
import Testing

@testable import CodeIdentity

@Suite("LinuxIdentityResolver, races", .timeLimit(.minutes(1))) struct LinuxIdentityResolverRaceTests {
    // MARK: Processes that do not stay

    @Test("A process that has gone before the question has exited")
    func gone() {
        let linux = MockLinux()
        linux.exit()
        let answer = linux.immediate()
        #expect(answer.unknown == .exited)
        #expect(answer.summary == IdentitySummary(.unknown(.exited), processID: 7))
        #expect(linux.later().all == [answer])
    }

    @Test("A process that goes while it waits, or while it is examined, has exited", arguments: [false, true])
    func goes(whileExamined: Bool) {
        let linux = MockLinux()
        let received = linux.later()
        if whileExamined { linux.whileHashing { [unowned linux] in linux.exit() } } else { linux.exit() }
        linux.work()
        #expect(received.all.map(\.unknown) == [.exited])
        #expect(received.all.map(\.standing) == [.settled])
    }

    @Test("A number that is another process's now does not give that process's identity")
    func reused() {
        // flow                              process 7
        // looked up: 7, started at 500
        //                                   exit; another gets 7, started at 900
        // the old instance: replaced
        // the new one: by itself
        let linux = MockLinux()
        _ = linux.immediate()
        linux.work()
        linux.change { $0.setStat(start: 900) }
        #expect(linux.immediate().unknown == .replaced)
        #expect(linux.immediate().summary.codeClass == .unknown(.exited))
        #expect(linux.immediate(.numbered(7, start: 900)).standing == .pending)
    }

    @Test("A number that becomes another's while it waits gives no identity, but that other one is known then")
    func reusedWhileWaiting() {
        let linux = MockLinux()
        let received = linux.later()
        linux.change { $0.setStat(start: 900) }
        linux.work()
        #expect(received.all.map(\.unknown) == [.replaced])
        #expect(linux.immediate(.numbered(7, start: 900)).summary.codeClass == .known(.os))
    }

    @Test("A process that executes another program while it waits is not taken for that program")
    func execWhileWaiting() {
        // flow                              process 7                     worker
        // an unknown image: pending
        //                                   exec of /usr/bin/tool again
        //                                                                 examined: another image
        // replaced
        // a new flow: known
        let linux = MockLinux()
        let received = linux.later()
        linux.change { $0.setStat(code: 8192, stack: 9100) }
        linux.work()
        #expect(received.all.map(\.unknown) == [.replaced])
        #expect(received.all.map(\.maker) == [nil])
        #expect(linux.immediate().summary.codeClass == .known(.os))
    }

    @Test("Another program in a known process is asked about anew")
    func execAfterwards() {
        let linux = MockLinux()
        _ = linux.immediate()
        linux.work()
        linux.change { $0.run("/home/user/tool", inode: 99) }
        let received = linux.later()
        #expect(received.all.isEmpty)
        linux.work()
        #expect(received.all.map(\.summary.codeClass) == [.known(.unsigned)])
        #expect(received.all.map(\.summary.executable) == ["/home/user/tool"])
    }

    // MARK: Files that do not stay

    @Test("A program that is written while it is hashed is not known, and asked about again by the next flow")
    func written() {
        let linux = MockLinux()
        linux.change { $0.files[.executable]?.later = SimulatedFile(11, "written").key }
        let received = linux.later()
        linux.work()
        #expect(received.all.map(\.unknown) == [.changedOnDisk])
        #expect(received.all.map(\.summary.codeClass) == [.unknown(.unresolved)])
        linux.change { $0.files[.executable]?.later = nil }
        #expect(linux.immediate().standing == .pending)
        linux.work()
        #expect(linux.immediate().summary.codeClass == .known(.os))
    }

    // MARK: Workers that do not come back

    @Test("A disk that hangs: those who wait are told in time, and the answer heals when it comes after all")
    func hung() {
        // timer                             worker
        //                                   reads a program: silence
        // 1 s: expire, the waiter is told
        // a flow: timed out, not asked again
        //                                   the bytes, late
        // a flow: known
        let linux = MockLinux()
        let received = linux.later()
        linux.whileHashing { [unowned linux] in
            linux.pass(.seconds(1))
            linux.resolver.expire(now: linux.now)
            #expect(received.all.map(\.unknown) == [.timedOut])
            #expect(received.all.map(\.summary.codeClass) == [.unknown(.unresolved)])
            #expect(linux.immediate().unknown == .timedOut)
            #expect(linux.later().all.map(\.standing) == [.settled])
        }
        linux.work()
        #expect(linux.examined == 1)
        #expect(received.all.count == 1)
        #expect(linux.immediate().summary.codeClass == .known(.os))
    }

    @Test("What waits behind a worker that hangs is told in time as well, and no other worker follows it")
    func waitsBehind() {
        let linux = MockLinux(processes: [7, 8])
        let first = linux.later()
        linux.whileHashing { [unowned linux] in
            let second = linux.later(.numbered(8))
            linux.work()
            linux.pass(.seconds(1))
            linux.resolver.expire(now: linux.now)
            #expect(second.all.map(\.unknown) == [.timedOut])
        }
        linux.work()
        #expect(first.all.map(\.unknown) == [.timedOut])
        #expect(linux.examined == 1)
        #expect(linux.wakes.count == 2)
    }

    @Test("A worker that comes too late tells those who waited, and examines nothing")
    func lateWorker() {
        let linux = MockLinux()
        let received = linux.later()
        linux.pass(.seconds(1))
        linux.work()
        #expect(received.all.map(\.unknown) == [.timedOut])
        #expect(linux.examined == 0)
    }

    @Test("A worker that has finished before `later` returns has told the one who asked, once")
    func quickWorker() {
        let linux = MockLinux()
        linux.wakes.calls { [unowned linux] in linux.work() }
        #expect(linux.later().all.map(\.summary.codeClass) == [.known(.os)])
    }

    @Test("Neither wake, nor a waiter, nor the examination is under the lock: each may ask again")
    func reentrancy() {
        let linux = MockLinux(processes: [7, 8, 9])
        let received = Received()
        linux.resolver.later(.numbered(7), now: linux.now) { [unowned linux] answer in
            received.take(answer)
            received.take(linux.immediate(.numbered(8)))
        }
        linux.whileHashing { [unowned linux] in _ = linux.immediate(.numbered(9)) }
        linux.work()
        #expect(received.all.map(\.standing) == [.settled, .pending])
        #expect(linux.immediate(.numbered(9)).standing == .settled)
    }

    // MARK: Threads

    @Test("Many threads asking, working, expiring and executing: each waiter is told exactly once")
    func threads() async {
        let linux = MockLinux(processes: Array(1...40), capacity: 16, most: 16, atOnce: 4, mostWaiters: 64)
        let told = await withTaskGroup(of: [Received].self, returning: [Int].self) { group in
            for seed: Int32 in 0..<4 {
                group.addTask {
                    (0..<500).map { step in linux.later(.numbered((Int32(step) * 7 + seed * 13) % 40 + 1)) }
                }
                group.addTask {
                    for step in 0..<200 {
                        linux.work()
                        if step % 50 == 0 {
                            linux.pass(.seconds(1))
                            linux.resolver.expire(now: linux.now)
                            linux.change(Int32(step) % 40 + 1) { $0.setStat(pid: Int32(step) % 40 + 1, stack: step) }
                        }
                    }
                    return []
                }
            }
            var all: [Received] = []
            for await received in group { all += received }
            linux.work()
            return all.map(\.all.count)
        }
        #expect(told.count == 2000)
        #expect(told.allSatisfy { $0 == 1 })
    }
}
