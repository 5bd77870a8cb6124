// SPDX-License-Identifier: Apache-2.0

// One making for all who ask, bounds, and ends.

import FlowModel
import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import FlowEngine

@Suite struct SingleFlightCacheTests {
    private let clock = TestClock()
    private let made = Shared(0)
    private struct Failed: Error {}

    private func cache(capacity: Int = 8, inFlight: Int = 4) -> SingleFlightCache<Int, Int> {
        SingleFlightCache(
            capacity: Limit("capacity", capacity, .count, metric: "a", ""),
            inFlight: Limit("in-flight", inFlight, .count, metric: "b", ""), metrics: NoSink(),
            clock: { [clock] in clock.now })
    }

    private func get(_ key: Int, from cache: SingleFlightCache<Int, Int>, for seconds: Double = 60) async throws -> Int
    {
        try await cache.value(for: key) { [made, clock] in
            made.change { $0 += 1 }
            return .init(value: key * 2, until: clock.now.addingTimeInterval(seconds))
        }
    }

    @Test func `A value is made once and then kept`() async throws {
        let cache = cache()
        for _ in 0..<3 { #expect(try await get(4, from: cache) == 8) }
        #expect(made.value == 1)
    }

    @Test func `Those who ask together get one value, each on its own loop`() async throws {
        let cache = cache()
        let gate = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Void.self)
        let loops = (0..<4).map { _ in MultiThreadedEventLoopGroup.singleton.next() }
        let futures = loops.map { loop in
            cache.value(for: 1, on: loop) { [made, clock] in
                made.change { $0 += 1 }
                try await gate.futureResult.get()
                return .init(value: 5, until: clock.now.addingTimeInterval(1))
            }
        }
        gate.succeed()
        for (future, loop) in zip(futures, loops) {
            #expect(future.eventLoop === loop)
            #expect(try await future.get() == 5)
        }
        #expect(made.value == 1)
    }

    @Test func `A value past its time is made anew`() async throws {
        let cache = cache()
        _ = try await get(1, from: cache, for: 10)
        clock.advance(seconds: 10)
        _ = try await get(1, from: cache)
        #expect(made.value == 2)
    }

    @Test func `The cache never grows past its capacity and keeps what is in use`() async throws {
        let cache = cache()
        for key in 0..<100 {
            _ = try await get(key, from: cache)
            _ = try await get(0, from: cache)
            #expect(cache.count <= 8)
        }
        #expect(made.value == 100)
    }

    @Test func `A failure reaches all who wait and is not kept`() async throws {
        let cache = cache()
        await #expect(throws: Failed.self) { try await cache.value(for: 1) { throw Failed() } }
        #expect(try await get(1, from: cache) == 2)
    }

    @Test func `Beyond the limit of things being made the answer is busy at once`() async throws {
        let cache = cache(inFlight: 2)
        let gate = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Void.self)
        let waiting = (0..<2).map { key in
            cache.value(for: key, on: MultiThreadedEventLoopGroup.singleton.next()) { [clock] in
                try await gate.futureResult.get()
                return .init(value: key, until: clock.now)
            }
        }
        await #expect(throws: CacheBusy.self) { try await get(9, from: cache) }
        gate.succeed()
        for (key, future) in waiting.enumerated() { #expect(try await future.get() == key) }
    }
}
