// SPDX-License-Identifier: Apache-2.0

// The program that Benchmarks/policy runs.
//
//   PolicyBench time              a line of JSON: decisions a second, nanoseconds of a decision, seconds to load
//   PolicyBench repeat CASE N     N decisions, `bypass` or `mixed`, to be counted from outside: what two numbers of
//                                 decisions differ by is the cost of those between them

import FlowModel
import FlowPolicy

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

struct BenchProblem: Error, CustomStringConvertible {
    let description: String
}

/// Time that this thread has used, in nanoseconds.
func threadTime() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
}

/// Decides each flow once; returns in how many lanes that ends, so that no decision can be left out.
@inline(never)
func decide(_ policy: Policy, _ flows: ArraySlice<FlowFacts>) -> (bypass: Int, deferred: Int) {
    var count = (bypass: 0, deferred: 0)
    for facts in flows {
        switch policy.admit(facts) {
        case .decided(let verdict): if verdict.lane == .bypass { count.bypass += 1 }
        case .deferred: count.deferred += 1
        }
    }
    return count
}

func time() throws {
    let subject = Subject()
    var load = Int.max
    var policy = try subject.read()
    for _ in 0..<3 {
        let start = threadTime()
        policy = try subject.read()
        load = min(load, threadTime() - start)
    }
    let flows = subject.mixed(policy, 20_000)
    let counts = decide(policy, flows[...])
    var rate = 0.0
    var batches: [Int] = []
    let size = 16
    for _ in 0..<20 {
        let start = threadTime()
        _ = decide(policy, flows[...])
        rate = max(rate, Double(flows.count) / Double(threadTime() - start) * 1e9)
        // Reading the clock costs as much as a decision, so a few are timed together.
        for first in stride(from: 0, to: flows.count, by: size) {
            let start = threadTime()
            _ = decide(policy, flows[first..<min(first + size, flows.count)])
            batches.append((threadTime() - start) / size)
        }
    }
    batches.sort()
    print(
        """
        {"case": "policy-mixed", "decisions_a_second": \(Int(rate)), "p50_ns": \(batches[batches.count / 2]), \
        "p99_ns": \(batches[batches.count * 99 / 100]), "load_s": \(Double(load / 1_000_000) / 1e3), \
        "flows": \(flows.count), "bypassed": \(counts.bypass), "deferred": \(counts.deferred)}
        """)
}

func `repeat`(_ name: String, _ count: Int) throws {
    let subject = Subject()
    let policy = try subject.read()
    // As many different flows in each run: only decisions differ.
    let flows = name == "bypass" ? subject.bypassed(policy, 1_000) : subject.mixed(policy, 1_000)
    var bypassed = decide(policy, flows[...]).bypass
    for first in stride(from: 0, to: count, by: flows.count) {
        bypassed += decide(policy, flows[..<min(flows.count, count - first)]).bypass
    }
    guard name != "bypass" || bypassed == count + flows.count else { throw BenchProblem(description: "not all bypass") }
}

do {
    let arguments = CommandLine.arguments.dropFirst()
    switch (arguments.first, arguments.dropFirst().first, arguments.last.flatMap { Int($0) }) {
    case ("time", _, _): try time()
    case ("repeat", let name?, let count?) where ["bypass", "mixed"].contains(name): try `repeat`(name, count)
    default: throw BenchProblem(description: "`time`, or `repeat` with `bypass` or `mixed` and a number")
    }
} catch {
    let text = Array("PolicyBench: \(error)\n".utf8)
    _ = write(2, text, text.count)
    exit(1)
}
