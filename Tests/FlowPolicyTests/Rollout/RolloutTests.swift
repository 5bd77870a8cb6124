// SPDX-License-Identifier: Apache-2.0

// Which devices take a rule.

import FlowPolicy
import Testing

@Suite struct RolloutTests {
    @Test("A percentage takes about that part of all devices", arguments: [1, 10, 25, 50, 90])
    func distribution(percent: Int) {
        let rollout = Rollout(percent: percent, salt: "strip the rest")
        // Names as they come: random, counted, and alike but for one digit.
        for name in [{ "\($0 &* 0x9e37_79b9_7f4a_7c15)" }, { "host-\($0)" }, { "0000-0000-0000-\($0)" }]
            as [(UInt64) -> String]
        {
            let devices = (0..<20_000 as Range<UInt64>).map(name)
            let taken = devices.count { rollout.includes($0) }
            let expected = 20_000 * Double(percent) / 100
            // Four standard deviations of a binomial count.
            let tolerance = 4 * (expected * (1 - Double(percent) / 100)).squareRoot()
            #expect(abs(Double(taken) - expected) < tolerance, "\(taken) of 20,000")
        }
    }

    @Test("Places are spread evenly over the whole range: a chi-squared test over a hundred of its parts")
    func uniform() {
        var counts = [Int](repeating: 0, count: 100)
        for number in 0..<50_000 { counts[Rollout.place(of: "device \(number)", salt: "x") / 100] += 1 }
        let statistic = counts.reduce(0.0) { $0 + (Double($1) - 500) * (Double($1) - 500) / 500 }
        // 99 degrees of freedom: 148.2 is exceeded by chance once in a thousand.
        #expect(statistic < 148.2, "\(statistic)")
    }

    @Test("A larger percentage keeps every device that a smaller one took")
    func monotone() {
        for number in 0..<500 {
            let first = (0...100).first { Rollout(percent: $0, salt: "s").includes("device \(number)") }
            let taken = (0...100).filter { Rollout(percent: $0, salt: "s").includes("device \(number)") }
            #expect(taken == Array((first ?? 101)...100))
        }
    }

    @Test("Two salts spread the same devices independently")
    func salts() {
        let devices = (0..<10_000).map { "device \($0)" }
        let both = devices.count {
            Rollout(percent: 50, salt: "a").includes($0) && Rollout(percent: 50, salt: "b").includes($0)
        }
        #expect((2_300...2_700).contains(both))
    }

    @Test("A device without a name takes part only when everybody does, and a place stays what it was")
    func edges() {
        #expect(!Rollout(percent: 99, salt: "s").includes(nil))
        #expect(Rollout(percent: 100, salt: "s").includes(nil))
        #expect(!Rollout(percent: 0, salt: "s").includes("any"))
        #expect(Rollout(percent: 250, salt: "s").percent == 100 && Rollout(percent: -3, salt: "s").percent == 0)
        // Devices in the field have these places already.
        #expect(Rollout.place(of: "0123456789abcdef", salt: "strip the rest") == 4947)
        #expect(Rollout.place(of: "ab", salt: "c") != Rollout.place(of: "b", salt: "ca"))
    }
}
