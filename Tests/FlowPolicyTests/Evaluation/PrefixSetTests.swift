// SPDX-License-Identifier: Apache-2.0

// Sets of networks against the plain walk.

import FlowModel
import Testing

@testable import FlowPolicy

@Suite("Sets of networks")
struct PrefixSetTests {
    @Test("A set of any size covers the addresses that one of its networks contains")
    func differential() throws {
        var dice = Dice(3)
        for size in [0, 1, 8, 9, 200] {
            var set = PrefixSet()
            for _ in 0..<size {
                let length = dice.roll(33)
                let address = UInt32(dice.roll(1 << 30)) & ~(UInt32.max >> UInt32(length))
                set.append(try #require(IPPrefix("\(IPAddress.v4(address))/\(length)")))
                set += [try #require(IPPrefix("2001:db8:\(dice.roll(99))::/48"))]
            }
            for _ in 0..<300 {
                let v4 = IPAddress.v4(UInt32(dice.roll(1 << 30)))
                #expect(set.covers(v4) == set.contains { $0.contains(v4) })
                let v6 = try #require(IPAddress("2001:db8:\(dice.roll(99))::1"))
                #expect(set.covers(v6) == set.contains { $0.contains(v6) })
            }
        }
    }

    @Test("What was taken out is covered no more")
    func removal() throws {
        var set = PrefixSet(try (0..<20).map { try #require(IPPrefix("10.0.\($0).0/24")) })
        set.remove(at: 3)
        #expect(try !set.covers(#require(IPAddress("10.0.3.1"))))
        #expect(try set.covers(#require(IPAddress("10.0.4.1"))))
    }
}
