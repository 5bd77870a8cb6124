// SPDX-License-Identifier: Apache-2.0

// The program that Benchmarks/identity runs: it times workloads, or repeats one so that it can be counted from outside.
//
//   IdentityBench INPUTS time [CASE ...]        one line of JSON for each
//   IdentityBench INPUTS repeat CASE ROUNDS     for callgrind and the allocation counter: what two numbers of rounds
//                                               differ by is the cost of the rounds between them
//
// INPUTS is the folder that Benchmarks/identity makes.

import CodeIdentity

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

func run(_ arguments: [String]) throws {
    guard arguments.count >= 2 else { throw BenchProblem("name the folder of inputs, and `time` or `repeat`") }
    let workloads = workloads(Inputs(folder: arguments[0]))
    func workload(_ name: String) throws -> Workload {
        guard let found = workloads.first(where: { $0.name == name }) else {
            throw BenchProblem("there is no case \(name); there are \(workloads.map(\.name).joined(separator: ", "))")
        }
        return found
    }
    switch arguments[1] {
    case "time":
        let names = arguments.count > 2 ? Array(arguments[2...]) : workloads.map(\.name)
        for name in names { print(try workload(name).time()) }
    case "repeat":
        guard arguments.count == 4, let rounds = Int(arguments[3]), rounds > 0 else {
            throw BenchProblem("repeat wants a case and a number of rounds")
        }
        try workload(arguments[2]).prepare().check(rounds)
    default: throw BenchProblem("`time` or `repeat`, not `\(arguments[1])`")
    }
}

func workloads(_ inputs: Inputs) -> [Workload] {
    signedFileWorkloads(inputs) + requirementWorkloads(inputs) + runningCodeWorkloads() + packageWorkloads()
}

do {
    try run(Array(CommandLine.arguments.dropFirst()))
} catch {
    let text = Array("IdentityBench: \(error)\n".utf8)
    _ = write(2, text, text.count)
    exit(1)
}
