// SPDX-License-Identifier: Apache-2.0

// The order of examinations: the table in `ExaminationQueue`, cell by cell, and its bounds.

import Testing

@testable import CodeIdentity

private typealias Queue = ExaminationQueue<AuditToken, KernelStatus>

extension ExaminationQueue.Asked: Equatable {
    static func == (a: Self, b: Self) -> Bool {
        switch (a, b) {
        case (.waiting(let a), .waiting(let b)): a == b
        case (.joined, .joined), (.lost, .lost), (.full, .full): true
        case (.waiting, _), (.joined, _), (.lost, _), (.full, _): false
        }
    }
}

@Suite("ExaminationQueue") struct ExaminationQueueTests {
    private let now = ContinuousClock.now
    private var late: ContinuousClock.Instant { now + .seconds(5) }
    private let token = AuditToken.process(1)

    private func queue(most: Int = 8, atOnce: Int = 2, mostWaiters: Int = 8) -> Queue {
        Queue(wait: .seconds(5), most: most, atOnce: atOnce, mostWaiters: mostWaiters)
    }

    @Test("A token not known waits, and a worker is called for it")
    func unknown() {
        var queue = queue()
        #expect(queue.add({ _ in }, for: token) == nil)
        #expect(queue.finish(token).isEmpty)
        #expect(queue.next()?.process == nil)
        #expect(queue.expire(now: late).isEmpty)
        #expect(queue.ask(token, .app, now: now) == .waiting(wake: true))
    }

    @Test("A waiting token is joined, then asked; past its deadline it is not known")
    func waiting() {
        var queue = queue()
        _ = queue.ask(token, .app, now: now)
        #expect(queue.ask(token, .app, now: now) == .joined)
        #expect(queue.add({ _ in }, for: token) == true)
        #expect(!queue.isAsking)
        #expect(queue.expire(now: now + .milliseconds(4999)).isEmpty)
        #expect(queue.expire(now: late).map(\.waiters.count) == [1])
        #expect(queue.next()?.process == nil)
        #expect(queue.ask(token, .app, now: late) == .waiting(wake: true))
    }

    @Test("A token that is asked is joined, not asked again; its end tells the waiters")
    func asked() {
        var queue = queue()
        _ = queue.ask(token, .app, now: now)
        #expect(queue.next()?.process == token)
        #expect(queue.isAsking)
        #expect(queue.ask(token, .app, now: now) == .joined)
        #expect(queue.next()?.process == nil)
        #expect(queue.add({ _ in }, for: token) == true)
        #expect(queue.finish(token).count == 1)
        #expect(!queue.isAsking)
        #expect(queue.ask(token, .app, now: now) == .waiting(wake: true))
    }

    @Test("A lost examination is not asked again until it comes back, and keeps its place meanwhile")
    func lost() {
        var queue = queue(atOnce: 1)
        _ = queue.ask(token, .app, now: now)
        _ = queue.next()
        _ = queue.add({ _ in }, for: token)
        #expect(queue.expire(now: late).map(\.waiters.count) == [1])
        #expect(queue.ask(token, .app, now: late) == .lost)
        #expect(queue.ask(.process(2), .app, now: late) == .waiting(wake: false))
        #expect(queue.next()?.process == nil)
        #expect(queue.isAsking)
        #expect(queue.finish(token).isEmpty)
        #expect(queue.next()?.process == .process(2))
        #expect(queue.ask(token, .app, now: late) == .waiting(wake: false))
    }

    @Test("What is put back waits behind the others with its waiters; what is lost is not put back")
    func putBack() {
        var queue = queue(atOnce: 1)
        _ = queue.ask(token, .app, now: now)
        _ = queue.ask(.process(2), .app, now: now)
        _ = queue.next()
        _ = queue.add({ _ in }, for: token)
        #expect(queue.putBack(token) == true)
        #expect(queue.next()?.process == .process(2))
        _ = queue.finish(.process(2))
        #expect(queue.next()?.waiters.count == 1)
        _ = queue.expire(now: late)
        #expect(queue.putBack(token) == false)
        #expect(!queue.isAsking)
    }

    @Test("First come, first examined, and no more at once than allowed")
    func order() {
        var queue = queue(atOnce: 2)
        for pid: UInt32 in 1...4 { _ = queue.ask(.process(pid), .app, now: now) }
        #expect(queue.next()?.process == .process(1))
        #expect(queue.next()?.process == .process(2))
        #expect(queue.next()?.process == nil)
        _ = queue.finish(.process(2))
        #expect(queue.next()?.process == .process(3))
    }

    @Test("Tokens and waiters are bounded, and room comes back")
    func bounds() {
        var queue = queue(most: 2, mostWaiters: 2)
        _ = queue.ask(.process(1), .app, now: now)
        _ = queue.ask(.process(2), .app, now: now)
        #expect(queue.ask(.process(3), .app, now: now) == .full)
        #expect(queue.add({ _ in }, for: .process(1)) == true)
        #expect(queue.add({ _ in }, for: .process(2)) == true)
        #expect(queue.add({ _ in }, for: .process(1)) == false)
        _ = queue.next()
        _ = queue.finish(.process(1))
        #expect(queue.ask(.process(3), .app, now: now) == .waiting(wake: true))
        #expect(queue.add({ _ in }, for: .process(3)) == true)
        #expect(queue.add({ _ in }, for: .process(3)) == false)
    }

    @Test("Tokens that expire again and again leave nothing behind in the line")
    func noLeak() {
        var queue = queue(most: 2, atOnce: 1)
        var time = now
        _ = queue.ask(.process(1), .app, now: time)
        _ = queue.next()
        for _ in 0..<1000 {
            #expect(queue.ask(.process(2), .app, now: time) == .waiting(wake: false))
            time += .seconds(5)
            _ = queue.expire(now: time)
        }
        _ = queue.finish(.process(1))
        _ = queue.ask(.process(3), .app, now: time)
        #expect(queue.next()?.process == .process(3))
    }
}
