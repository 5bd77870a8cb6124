// SPDX-License-Identifier: Apache-2.0

// Looks for catalogue files and tables of known-bad combinations that trap their readers, or whose rows break a policy.

import CodeIdentity
import FlowModel
@_spi(Fuzzing) import FlowPolicy
import NamedParts

private let flows = ["origin.example:443", "192.0.2.7:22", "[2001:db8::1]:123"].compactMap { Endpoint($0) }.map {
    FlowFacts(id: FlowID(1), intake: .exec, destination: $0, startedAt: 0)
}

/// Decides flows by a policy that leaves alone all it may.
private func use(_ catalogues: Catalogues) {
    let yaml = "{version: 1, capture: {exclude: [core-protocols]}, rules: [{name: rest, then: relay}]}"
    guard let policy = try? Policy.read(yaml: yaml, file: "x", PolicyEnvironment(detectors: [], catalogues: catalogues))
    else { return }
    for facts in flows {
        if case .decided(let verdict) = policy.admit(facts), verdict != policy.refine(facts) {
            fatalError("admission and refinement differ")
        }
    }
    for row in catalogues.programs {
        guard case .applePlatform(let identifier) = row.match else { continue }
        let evidence = CodeEvidence(
            summary: IdentitySummary(.known(.platformInteractive)), name: .apple(.platform(identifier: identifier))
        ) { _ in false }
        _ = policy.judge(evidence)
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = NamedParts(Array(UnsafeBufferPointer(start: start, count: count)))
    let files = input.names.map { (name: $0, bytes: input[$0] ?? []) }
    let (catalogues, problems) = Catalogues.readFiles(files)
    // A crash is how libFuzzer learns of a failing case.
    for problem in problems {
        let lines = (input[problem.catalogue] ?? []).count { $0 == UInt8(ascii: "\n") }
        guard (1...max(lines, 1)).contains(problem.line) else { fatalError("a problem outside its file") }
    }
    use(catalogues)
    if let known = input["known-bad"] {
        do {
            let table = try KnownBadTable(csv: String(decoding: known, as: UTF8.self))
            let build = SystemBuild.macOS(version: "26.4", build: "25E246")
            let facts = SystemFacts(build: build, hardware: ["Mac16,1"], others: nil)
            guard table.cap(for: facts) == nil || !table.rows(for: facts).isEmpty else { fatalError("a cap by no row") }
        } catch {
            guard !error.message.isEmpty else { fatalError("refused without a reason") }
        }
    }
    return 0
}
