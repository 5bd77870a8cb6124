// SPDX-License-Identifier: Apache-2.0

// What is kept, and for how long.

import Testing

@testable import CodeIdentity

@Suite("AppleIdentityCache") struct AppleIdentityCacheTests {
    private let now = ContinuousClock.now

    private func entry(_ pid: UInt32, until: ContinuousClock.Instant? = nil) -> AppleIdentityCache.Entry {
        .init(identity: AppleIdentity(token: .process(pid), kernel: .app), seen: now, until: until)
    }

    @Test("However many are kept, the cache never holds more than its capacity, and says what it drops")
    func bounded() {
        var cache = AppleIdentityCache(capacity: 8)
        var dropped = 0
        for pid: UInt32 in 1...1000 {
            dropped += cache.keep(entry(pid)).count
            #expect(cache.count <= 8)
        }
        #expect(cache.count + dropped == 1000)
    }

    @Test("What is kept anew stays while others go")
    func recent() {
        var cache = AppleIdentityCache(capacity: 8)
        for pid: UInt32 in 2...100 {
            let dropped = [cache.keep(entry(1)), cache.keep(entry(pid))]
            #expect(dropped.allSatisfy { $0[.process(1)] == nil })
        }
        #expect(cache.entry(for: .process(1), now: now) != nil)
        #expect(cache.entry(for: .process(2), now: now) == nil)
    }

    @Test("An entry with an end is gone when it comes")
    func ends() {
        var cache = AppleIdentityCache(capacity: 8)
        _ = cache.keep(entry(1, until: now + .seconds(2)))
        #expect(cache.entry(for: .process(1), now: now + .milliseconds(1999)) != nil)
        #expect(cache.entry(for: .process(1), now: now + .seconds(2)) == nil)
        #expect(cache.count == 0)
    }

    @Test("A process number with another version is another process")
    func version() {
        var cache = AppleIdentityCache(capacity: 8)
        _ = cache.keep(entry(1))
        #expect(cache.entry(for: .process(1, version: 2), now: now) == nil)
    }

    @Test("A capacity of nothing still works")
    func zero() {
        var cache = AppleIdentityCache(capacity: 0)
        _ = cache.keep(entry(1))
        _ = cache.keep(entry(2))
        #expect(cache.count <= 1)
    }
}
