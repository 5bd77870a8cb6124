// SPDX-License-Identifier: Apache-2.0

// Looks for described flows, tests of policies and recorded events that trap their readers, or that policies contradict.

import FlowModel
import FlowPolicy

private let context = FlowDescription.Context(
    now: 1_700_000_000_000, utcOffset: 3_600, userID: { $0 == "alice" ? 501 : nil })

/// Every kind of condition that a flow's facts answer.
private let yaml = """
    version: 1
    mode: enforce
    dns: {others: report}
    unknown: {exited: hold, contradictory: block}
    deferred: {within: 5s, then: relay}
    vendor: {teams: [AB12CD34EF], packages: [acme-agent]}
    rules:
      - {name: system, when: {class: os}, then: bypass}
      - {name: code, when: {code: 'package "curl" or anchor apple and identifier "com.apple.curl"'}, then: relay}
      - {name: proved, when: {to: "*.example.com", name-proof: proved}, then: block}
      - {name: private, when: {to: catalogue private-life}, then: relay}
      - {name: place, when: {interface: wifi, session: console, user: 501}, then: relay}
      - {name: time, when: {time: {days: [mon-fri], hours: "08:00-18:00", zone: local}}, then: inspect}
      - {name: secrets, when: {content: key}, then: block}
      - {name: rest, then: inspect}
    profiles:
      strict: {detect: "*", outbound: redact}
    """

private let policy: Policy = {
    do {
        return try Policy.read(
            yaml: yaml, file: "fuzz.yaml", PolicyEnvironment(detectors: [DetectorName(id: "key", family: "secret")]))
    } catch {
        fatalError("\(error)")
    }
}()

/// What was read, in words, or why it was refused.
private func outcome(_ read: () throws(PolicyProblems) -> String) -> String {
    do {
        return try read()
    } catch {
        guard !error.problems.isEmpty else { fatalError("refused without a problem") }
        return error.problems.map(\.description).joined(separator: "\n")
    }
}

/// What the policy makes of the flows, whose two phases must agree.
private func meaning(_ flows: [FlowDescription]) -> String {
    flows.map { flow in
        let facts = flow.facts(for: policy)
        if case .decided(let verdict) = policy.admit(facts), verdict != policy.refine(facts) {
            fatalError("admission and refinement differ")
        }
        return flow.explanation(policy) + flow.explanationLines(policy)
    }.joined()
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    func flows() -> String {
        outcome { () throws(PolicyProblems) in meaning(try FlowDescription.read(text, file: "flows", context)) }
    }
    // A crash is how libFuzzer learns of a failing case.
    guard flows() == flows() else { fatalError("read differently the second time") }
    _ = outcome { () throws(PolicyProblems) in
        let report = try PolicyTest.read(yaml: text, file: "test", context).run(policy)
        return report.text + report.jsonLines
    }
    var diff = PolicyDiff(from: policy, to: policy, file: "events", context)
    let lines = text.split(separator: "\n")
    for (number, line) in lines.enumerated() { diff.add(line: String(line), number: number + 1) }
    guard diff.changed == 0, diff.movedOnly == 0 else { fatalError("a policy differs from itself") }
    guard diff.flows + diff.otherEvents + diff.unusable == lines.count else { fatalError("a line is not counted") }
    _ = diff.text + diff.jsonLines
    return 0
}
