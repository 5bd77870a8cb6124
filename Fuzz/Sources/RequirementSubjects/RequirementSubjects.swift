// SPDX-License-Identifier: Apache-2.0

// What the fuzzed requirements are evaluated against, and what every requirement promises there.

public import CodeIdentity

/// A signed program, an ad-hoc signed one and a daemon of a distribution.
public let subjects: [RequirementSubject] = {
    let leaf = certificate(
        [([0x55, 4, 3], "Developer ID Application: Example (AB12CD34EF)"), ([0x55, 4, 11], "AB12CD34EF")],
        marker: [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x63, 0x64, 6, 1, 13])
    let authority = certificate(
        [([0x55, 4, 3], "Developer ID Certification Authority")],
        marker: [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x63, 0x64, 6, 2, 6])
    let root = certificate([([0x55, 4, 3], "Root"), ([0x55, 4, 10], "Apple Inc.")], marker: [0x2A, 3])
    let values: [String: PropertyListValue] = [
        "CFBundleVersion": .string("1.10"), "a": .array([.string("x"), .integer(7), .array([.boolean(true)])]),
        "n": .integer(-3), "d": .date(700_000_000), "r": .real(0.5), "b": .data([0, 255]), "": .dictionary([:]),
    ]
    let signed = CodeSubject(
        identifier: Array("com.example.tool".utf8), cdhash: CDHash([UInt8](1...20)), team: Array("AB12CD34EF".utf8),
        platform: 1, certificates: [leaf, authority, root], info: values, entitlements: values,
        secureTimestamp: 1_735_689_600, inTrustCache: .no, notarized: .yes, appleRoots: [root.sha256])
    let daemon = LinuxIdentity(
        process: ProcessInstance(pid: 77, startTicks: 5), user: 101,
        executable: LinuxExecutable(
            path: "/usr/bin/tool", sha256: [UInt8](0..<32), claim: PackageClaim(package: "tool", verdict: .intact),
            rootOwnedChain: true),
        context: RunContext(
            cgroup: "/system.slice/tool.service",
            unit: .init(
                name: "tool.service", system: true, file: "/usr/lib/systemd/system/tool.service",
                claim: PackageClaim(package: "tool", verdict: .intact))))
    return [.apple(signed), .apple(CodeSubject(identifier: Array("tool".utf8))), .linux(daemon)]
}()

private func certificate(_ subject: [([UInt8], String)], marker: [UInt8]) -> CertificateFacts {
    let name = Array(subject.map(\.1).joined().utf8)
    return CertificateFacts(
        der: name, sha1: [UInt8](1...20), sha256: [UInt8](repeating: name.first ?? 0, count: 32), subjectDER: name,
        issuerDER: [], serialNumber: [1], subject: subject.map { .init(type: $0.0, value: Array($0.1.utf8)) },
        extensions: [.init(identifier: marker, critical: true, value: Array("\u{17}\u{0D}250101000000Z".utf8))],
        policies: [[0x2A, 3]], extendedKeyUsages: nil, notBefore: 0, notAfter: 4_000_000_000)
}

/// What a requirement says of each subject; nil when it cannot be compiled.
///
/// Stops the program when evaluating and explaining do not say the same, or when evaluating again does not.
public func results(of expression: RequirementExpression) -> [RequirementExplanation.Result]? {
    guard let compiled = try? CompiledRequirement(expression) else { return nil }
    return subjects.map { subject in
        let result = compiled.evaluate(subject)
        let explanation = compiled.explain(subject)
        let agrees =
            switch (result, explanation.result) {
            case (.true, .true), (.false, .false), (.false, .undecided), (.error, .error): true
            default: false
            }
        guard agrees else { fatalError("evaluated to \(result), explained as \(explanation.result)") }
        guard !explanation.rendered().unicodeScalars.contains(where: { $0.value < 0x20 && $0 != "\n" }) else {
            fatalError("an explanation with characters that a terminal acts on")
        }
        guard compiled.evaluate(subject) == result else { fatalError("evaluated differently the second time") }
        return explanation.result
    }
}
