// SPDX-License-Identifier: Apache-2.0

// Subjects made by hand: certificates that no one issued, programs that never ran.

@testable import CodeIdentity

enum Synthetic {
    /// What stands for Apple's root.
    static let rootDigest = [UInt8](repeating: 0xA9, count: 32)

    static func certificate(
        _ subject: [(String, String)], markers: [[UInt8]] = [], extensions: [CertificateFacts.Extension] = [],
        policies: [[UInt8]] = [], sha1: [UInt8]? = nil, sha256: [UInt8]? = nil
    ) -> CertificateFacts {
        let name = subject.map { "\($0.0)=\($0.1)" }.joined(separator: ",")
        return CertificateFacts(
            der: Array(name.utf8), sha1: sha1 ?? Array("\(name)····················".utf8.prefix(20)),
            sha256: sha256 ?? [UInt8](repeating: 0x11, count: 32), subjectDER: [], issuerDER: [], serialNumber: [1],
            subject: subject.map { name, value in
                .init(
                    type: SubjectField.objectIdentifier(Array("subject.\(name)".utf8)) ?? [], value: Array(value.utf8))
            },
            extensions: markers.map { .init(identifier: $0, critical: true, value: [5, 0]) } + extensions,
            policies: policies, extendedKeyUsages: nil, notBefore: 0, notAfter: 0)
    }

    static let root = certificate(
        [("C", "US"), ("O", "Apple Inc."), ("OU", "Apple Certification Authority"), ("CN", "Apple Root CA")],
        sha1: Hexadecimal.bytes("611e5b662c593a08ff58d14ae22452d198df6c60".utf8), sha256: rootDigest)
    static let developerIDAuthority = certificate(
        [("CN", "Developer ID Certification Authority"), ("O", "Apple Inc.")],
        markers: [AppleMarkers.developerIDAuthority])
    static let developerIDLeaf = certificate(
        [
            ("UID", "AB12CD34EF"), ("CN", "Developer ID Application: Example (AB12CD34EF)"), ("OU", "AB12CD34EF"),
            ("O", "Example"), ("C", "US"),
        ], markers: [AppleMarkers.developerIDApplication], policies: [[0x2A, 3]])
    static let developerID = [developerIDLeaf, developerIDAuthority, root]

    static let appleSoftware = [
        certificate([("CN", "Software Signing"), ("O", "Apple Inc.")], markers: [AppleMarkers.macOSSoftwareSigning]),
        certificate([("CN", "Apple Code Signing Certification Authority"), ("O", "Apple Inc.")]), root,
    ]

    static func code(
        _ certificates: [CertificateFacts] = developerID, info: [String: PropertyListValue] = [:],
        entitlements: [String: PropertyListValue] = [:]
    ) -> CodeSubject {
        CodeSubject(
            identifier: Array("com.example.x".utf8), cdhash: CDHash([UInt8](1...20)), team: Array("AB12CD34EF".utf8),
            certificates: certificates, info: info, entitlements: entitlements, appleRoots: [rootDigest])
    }

    static let adhoc = code([])

    /// A packaged daemon as it should be.
    static let daemon = LinuxIdentity(
        process: ProcessInstance(pid: 77, startTicks: 5), user: 101,
        executable: LinuxExecutable(
            path: "/usr/lib/systemd/systemd-timesyncd", sha256: [UInt8](repeating: 7, count: 32),
            claim: PackageClaim(package: "systemd-timesyncd", architecture: "amd64", version: "1", verdict: .intact),
            rootOwnedChain: true),
        context: RunContext(
            cgroup: "/system.slice/systemd-timesyncd.service",
            unit: .init(
                name: "systemd-timesyncd.service", system: true,
                file: "/usr/lib/systemd/system/systemd-timesyncd.service",
                claim: PackageClaim(package: "systemd-timesyncd", verdict: .intact))))

    static func daemon(_ change: (inout LinuxIdentity) -> Void) -> LinuxIdentity {
        var identity = daemon
        change(&identity)
        return identity
    }
}

/// The result of one expression.
func evaluate(
    _ expression: RequirementExpression, _ subject: RequirementSubject, rules: EvaluationRules = .init()
) throws -> RequirementResult {
    try CompiledRequirement(expression).evaluate(subject, rules: rules)
}

func evaluate(
    _ expression: RequirementExpression, _ code: CodeSubject = Synthetic.code(), rules: EvaluationRules = .init()
) throws -> RequirementResult {
    try evaluate(expression, .apple(code), rules: rules)
}

func evaluate(_ expression: RequirementExpression, _ identity: LinuxIdentity) throws -> RequirementResult {
    try evaluate(expression, .linux(identity))
}

extension RequirementResult {
    var code: CodeProblem.Code? { if case .error(let problem) = self { problem.code } else { nil } }
}

extension RequirementExpression {
    static func field(_ slot: Int32, _ name: String, _ match: RequirementMatch) -> Self {
        .certificateField(slot: slot, name: Array(name.utf8), match)
    }
    static func info(_ key: String, _ match: RequirementMatch) -> Self { .info(key: Array(key.utf8), match) }
    static func entitlement(_ key: String, _ match: RequirementMatch) -> Self {
        .entitlement(key: Array(key.utf8), match)
    }
    static func marker(_ slot: Int32, _ oid: [UInt8], _ match: RequirementMatch = .exists) -> Self {
        .certificateExtension(slot: slot, oid: oid, match)
    }
    static func identifier(_ name: String) -> Self { .identifier(Array(name.utf8)) }
}

extension RequirementMatch {
    static func equal(_ text: String) -> Self { .equal(Array(text.utf8)) }
    static func contains(_ text: String) -> Self { .contains(Array(text.utf8)) }
    static func beginsWith(_ text: String) -> Self { .beginsWith(Array(text.utf8)) }
    static func endsWith(_ text: String) -> Self { .endsWith(Array(text.utf8)) }
    static func less(_ text: String) -> Self { .less(Array(text.utf8)) }
    static func greater(_ text: String) -> Self { .greater(Array(text.utf8)) }
    static func lessOrEqual(_ text: String) -> Self { .lessOrEqual(Array(text.utf8)) }
    static func greaterOrEqual(_ text: String) -> Self { .greaterOrEqual(Array(text.utf8)) }
}
