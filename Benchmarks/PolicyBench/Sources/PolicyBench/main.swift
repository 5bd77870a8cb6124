// SPDX-License-Identifier: Apache-2.0

// The program that Benchmarks/policy runs.
//
//   PolicyBench time              lines of JSON: what happens once, then for each case decisions a second and
//                                 nanoseconds of a decision
//   PolicyBench repeat CASE N     N decisions of one case, to be counted from outside: what two numbers of decisions
//                                 differ by is the cost of those between them

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

/// The CPU time of one call, in milliseconds.
func milliseconds<Result>(_ work: () throws -> Result) rethrows -> (result: Result, Double) {
    let start = threadTime()
    let result = try work()
    return (result, Double((threadTime() - start) / 1_000) / 1e3)
}

func timeOnce() throws {
    let catalogues = milliseconds { Catalogues.shipped }
    let subject = Subject()
    let (policy, load) = try milliseconds { try subject.read() }
    let (findings, check) = milliseconds { policy.check(now: 0) }
    let (plan, planning) = milliseconds { policy.capturePlan(for: .networkExtension) }
    let evidence = subject.evidence(.thirdParty)
    let (_, judging) = milliseconds { for _ in 0..<1_000 { _ = policy.judge(evidence) } }
    let (_, shared) = try milliseconds { try Subject(.shared).read() }
    print(
        """
        {"case": "policy-once", "catalogues_ms": \(catalogues.1), "load_ms": \(load), "check_ms": \(check), \
        "findings": \(findings.count), "plan_ms": \(planning), "plan_exclusions": \(plan.exclusions.count), \
        "requirements": \(policy.requirements.count), "judge_us": \(judging), "load_shared_ms": \(shared)}
        """)
}

func time(_ name: String, _ flows: [FlowFacts], _ policy: Policy) {
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
        {"case": "policy-\(name)", "decisions_a_second": \(Int(rate)), "p50_ns": \(batches[batches.count / 2]), \
        "p99_ns": \(batches[batches.count * 99 / 100]), "flows": \(flows.count), "bypassed": \(counts.bypass), \
        "deferred": \(counts.deferred)}
        """)
}

/// The policy and the flows of a case.
func subject(_ name: String, _ count: Int) throws -> (policy: Policy, flows: [FlowFacts]) {
    let subject = Subject(Subject.Shape(rawValue: name) ?? .plain)
    let policy = try subject.read()
    let way = Subject.Bypass(rawValue: name)
    return (policy, way.map { subject.bypassed($0, policy, count) } ?? subject.mixed(policy, count))
}

func time() throws {
    try timeOnce()
    for name in cases {
        let (policy, flows) = try subject(name, 20_000)
        time(name, flows, policy)
    }
}

func `repeat`(_ name: String, _ count: Int) throws {
    // As many different flows in each run: only decisions differ.
    let (policy, flows) = try subject(name, 1_000)
    var bypassed = decide(policy, flows[...]).bypass
    for first in stride(from: 0, to: count, by: flows.count) {
        bypassed += decide(policy, flows[..<min(flows.count, count - first)]).bypass
    }
    guard Subject.Bypass(rawValue: name) == nil || bypassed == count + flows.count else {
        throw BenchProblem(description: "not all bypass")
    }
}

let cases = Subject.Bypass.allCases.map(\.rawValue) + ["mixed", "code", "shared"]

do {
    let arguments = CommandLine.arguments.dropFirst()
    switch (arguments.first, arguments.dropFirst().first, arguments.last.flatMap { Int($0) }) {
    case ("time", _, _): try time()
    case ("repeat", let name?, let count?) where cases.contains(name): try `repeat`(name, count)
    default: throw BenchProblem(description: "`time`, or `repeat` with a number and one of \(cases)")
    }
} catch {
    let text = Array("PolicyBench: \(error)\n".utf8)
    _ = write(2, text, text.count)
    exit(1)
}
