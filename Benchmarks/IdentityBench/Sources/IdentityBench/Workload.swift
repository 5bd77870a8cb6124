// SPDX-License-Identifier: Apache-2.0

// What is measured, and how it is timed.

import CodeIdentity

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

struct BenchProblem: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// The files that Benchmarks/identity lays ready.
struct Inputs {
    let folder: String

    /// A universal program of two slices that are both signed with certificates.
    var universal: String { folder + "/universal" }
    /// A small program of one slice, signed the same way.
    var small: String { folder + "/small" }

    func bytes(_ name: String) throws -> [UInt8] {
        let file = try FileBytes(path: folder + "/" + name)
        return try file.read(at: 0, count: Int(file.count))
    }
}

/// Something ready to be repeated.
struct Prepared {
    /// Runs some rounds and says how many of them came out as they must.
    let run: (_ rounds: Int) throws -> Int
    /// Numbers to be reported besides time.
    var sizes: [(name: String, value: Int)] = []

    /// Runs, and throws when a round came out wrong: the time of a wrong answer says nothing.
    func check(_ rounds: Int) throws {
        let right = try run(rounds)
        guard right == rounds else { throw BenchProblem("\(rounds - right) of \(rounds) rounds came out wrong") }
    }
}

struct Workload {
    let name: String
    let prepare: () throws -> Prepared

    private static let repetitions = 15
    private static let shortest = 40_000_000

    /// Times some repetitions of at least 40 ms and gives the best, in nanoseconds of CPU time a round.
    ///
    /// The best, because whatever else the machine does can only add to it.
    func time() throws -> String {
        let prepared = try prepare()
        var rounds = 1
        while true {
            let start = Self.processorTime()
            try prepared.check(rounds)
            let taken = Self.processorTime() - start
            if taken >= Self.shortest { break }
            rounds *= taken < Self.shortest / 10 ? 8 : 2
        }
        var best = Int.max
        for _ in 0..<Self.repetitions {
            let start = Self.processorTime()
            try prepared.check(rounds)
            best = min(best, Self.processorTime() - start)
        }
        let nanoseconds = (Double(best) / Double(rounds) * 10).rounded() / 10
        let sizes = prepared.sizes.map { ", \"\($0.name)\": \($0.value)" }.joined()
        return "{\"case\": \"\(name)\", \"ns\": \(nanoseconds), \"rounds\": \(rounds)\(sizes)}"
    }

    /// User and system time of the process, in nanoseconds.
    private static func processorTime() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
    }
}

/// A sequence that is the same in each run, and whose order no cache can guess.
struct Sequence32 {
    private var state: UInt64 = 0x9e37_79b9_7f4a_7c15

    mutating func next(below bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
    }
}
