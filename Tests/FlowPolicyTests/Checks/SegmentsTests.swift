// SPDX-License-Identifier: Apache-2.0

// Sets of ranges against sets of their members.

import FlowModel
import Testing

@testable import FlowPolicy

@Suite("Segments")
struct SegmentsTests {
    @Test("They are what the sets of their members are")
    func sets() {
        var dice = Dice(3)
        for _ in 0..<2_000 {
            let draw = { (dice: inout Dice) -> [Range<Int>] in
                (0..<dice.roll(5)).map { _ in
                    let low = dice.roll(20)
                    return low..<(low + dice.roll(6))
                }
            }
            let (a, b) = (draw(&dice), draw(&dice))
            let (one, two) = (Segments(a), Segments(b))
            let (mine, theirs) = (Set(a.flatMap { $0 }), Set(b.flatMap { $0 }))
            let members = { (set: Segments<Int>) in Set(set.ranges.flatMap { $0 }) }
            #expect(members(one) == mine)
            #expect(members(one.intersection(two)) == mine.intersection(theirs))
            #expect(members(one.subtracting(two)) == mine.subtracting(theirs))
            var budget = CheckBudget()
            #expect(one.isWithin(two, &budget) == mine.isSubset(of: theirs))
            #expect(zip(one.ranges, one.ranges.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound })
        }
    }

    @Test(
        "Prefixes of every length are the addresses they contain, the ends of each family included",
        arguments: [
            "0.0.0.0", "255.255.255.255", "10.128.0.0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "2001:db8::8000:0:0:0",
        ])
    func prefixes(text: String) throws {
        let address = try #require(IPAddress(text))
        let own = try #require(IPPrefix(text)).keys.lowerBound
        let width = address.networkBytes.count * 8
        for length in 0...width {
            var bytes = address.networkBytes
            for bit in length..<width { bytes[bit / 8] &= ~(0x80 >> UInt8(bit % 8)) }
            let first =
                width == 32
                ? IPAddress.v4(bytes.reduce(0) { $0 << 8 | UInt32($1) }) : try #require(IPAddress(v6Bytes: bytes))
            let keys = try #require(IPPrefix("\(first)/\(length)")).keys
            #expect(keys.contains(own), "\(text)/\(length)")
            var budget = CheckBudget()
            #expect(Segments([keys]).isWithin(Region.knownAddress, &budget), "\(text)/\(length)")
            // Flipping the last bit that must agree leads out.
            if length > 0 {
                bytes = address.networkBytes
                bytes[(length - 1) / 8] ^= 0x80 >> UInt8((length - 1) % 8)
                let outside =
                    width == 32
                    ? IPAddress.v4(bytes.reduce(0) { $0 << 8 | UInt32($1) }) : try #require(IPAddress(v6Bytes: bytes))
                #expect(!keys.contains(try #require(IPPrefix("\(outside)")).keys.lowerBound), "\(text)/\(length)")
            }
        }
    }
}
