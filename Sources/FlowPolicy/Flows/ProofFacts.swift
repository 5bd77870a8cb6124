// SPDX-License-Identifier: Apache-2.0

// What a description says is proved of a program, as the evidence that a real system would give.

internal import CodeIdentity
internal import FlowModel

/// The proved facts of a described program.
struct ProofFacts {
    enum System: String, CaseIterable { case macos, linux }

    /// Who signed a program that is not the system's.
    enum Signer: String, CaseIterable {
        case developerID = "developer-id"
        case appStore = "app-store"
        case development
        /// A certificate of one's own.
        case other
    }

    var executable: String?
    var userID: UInt32?

    // macOS
    var identifier: String?
    var team: String?
    var signer: Signer?
    /// The kernel calls it a program of the system.
    var platform = false
    /// Whether the inventory of this build has it among what the system itself runs; nil without an inventory.
    var inInventory: Bool?
    var adhoc = false
    var unsigned = false
    /// `anchor apple` holds.
    var anchorApple = false
    var notarized: Bool?

    // Linux
    var package: String?
    /// The system's unit that runs it, from an unchanged unit file of the same package.
    var unit: String?
    /// Whether the file is what the package brought.
    var intact: Bool?
    /// Whether only root can change the file and every folder above it.
    var rootOwned: Bool?
    var interpreter = false
    var injection: [InjectionPath] = []

    /// The evidence, or why the facts make none.
    enum Outcome {
        case evidence(CodeEvidence)
        case unknown(UnknownCause, String)
    }

    func outcome(_ system: System) -> Outcome {
        switch system {
        case .macos: return apple
        case .linux: return linux
        }
    }

    // MARK: macOS

    private var apple: Outcome {
        if let contradiction = appleContradiction { return .unknown(.contradictory, contradiction) }
        let isSigned = signer != nil || team != nil || anchorApple
        guard unsigned || adhoc || platform || isSigned else {
            return .unknown(
                .unresolved,
                "nothing says how it is signed: give `platform`, `team`, `signer`, `anchor`, `adhoc` or `unsigned`")
        }
        let subject = subject
        // What the system would answer to the requirements that prove names, answered by our own evaluation.
        var examination = AppleIdentity.Examination.none
        if !platform, !unsigned {
            let names = [AppleRequirements.apple, AppleRequirements.team]
            let outcomes = names.map { text in
                let holds = Self.compiled(text).map { $0.evaluate(.apple(subject)) == .true } ?? false
                return (text, holds ? RequirementOutcome.satisfied : .unsatisfied)
            }
            examination = .done(
                CodeExamination(
                    outcomes: Dictionary(outcomes) { first, _ in first },
                    facts: StaticCodeFacts(path: executable, identifier: identifier, team: team)))
        }
        let identity = AppleIdentity(
            token: AuditToken(fields: .zero),
            kernel: KernelStatus(
                bits: bits, cdhash: Self.cdhash, claimedIdentifier: unsigned ? nil : identifier, claimedTeam: team),
            examination: examination)
        let osPrograms = inInventory.map { OSProgramSet(cdhashes: Set($0 ? [Self.cdhash].compactMap(\.self) : [])) }
        let summary = IdentitySummary(
            identity.codeClass(osPrograms: osPrograms), executable: executable, userID: userID)
        let isUnsigned = unsigned
        return .evidence(
            CodeEvidence(summary: summary, name: identity.provedName.map(CodeEvidence.Name.apple)) { requirement in
                // Nothing is asked of code that has no signature, whatever it calls itself.
                !isUnsigned && requirement.evaluate(.apple(subject)) == .true
            })
    }

    private var appleContradiction: String? {
        let pairs = [
            (unsigned && adhoc, "`unsigned` and `adhoc`"), (unsigned && platform, "`unsigned` and `platform`"),
            (unsigned && (team != nil || signer != nil), "`unsigned` and a signer"),
            (unsigned && anchorApple, "`unsigned` and `anchor: apple`"),
            (unsigned && notarized == true, "`unsigned` and `notarized`"),
            (adhoc && (team != nil || signer != nil), "`adhoc`, which is nobody's signature, and a signer"),
            (adhoc && anchorApple, "`adhoc`, which is nobody's signature, and `anchor: apple`"),
            (platform && (team != nil || signer != nil), "`platform`, a program of the system, and another signer"),
            (anchorApple && (team != nil || signer != nil), "`anchor: apple` and another signer"),
            (signer == .other && team != nil, "`team`, which Apple gives, and `signer: other`"),
        ]
        return pairs.first(where: \.0).map { "\($0.1) cannot both be true" }
    }

    private var bits: KernelCodeStatus {
        if unsigned { return [] }
        if platform { return [.valid, .signed, .platformBinary] }
        return adhoc ? [.valid, .signed, .adhoc] : [.valid, .signed]
    }

    /// The signed code as requirements see it, with certificates made up for it below a root of their own.
    private var subject: CodeSubject {
        if platform { return CodeEvidence.platformCode(identifier ?? "") }
        return CodeSubject(
            identifier: Array((identifier ?? "").utf8), team: team.map { Array($0.utf8) },
            certificates: SyntheticChain.certificates(self),
            notarized: notarized.map { $0 ? .yes : .no } ?? .unknown, appleRoots: [SyntheticChain.appleRoot])
    }

    /// Of every described program, and of whatever an inventory is said to hold.
    private static let cdhash = CDHash([UInt8](repeating: 0, count: 20))

    private static func compiled(_ text: String) -> CompiledRequirement? {
        (try? Requirement(text: text)).flatMap { try? CompiledRequirement($0.expression) }
    }

    // MARK: Linux

    private var linux: Outcome {
        guard let executable else {
            return .unknown(.unresolved, "`path` is missing, and a program of Linux is told by its file")
        }
        if package == nil, intact == true {
            return .unknown(.contradictory, "`intact: true` without `package`: nothing says what the file should be")
        }
        let known = ProgramRoles.known(path: executable, package: package)?.role ?? .ordinary
        let role = interpreter && known != .loader ? .interpreter : known
        var paths = injection
        if role == .interpreter || role == .loader { paths.append(.runsOtherCode) }
        let claim = package.map { PackageClaim(package: $0, verdict: intact == false ? .modified : .intact) }
        let identity = LinuxIdentity(
            process: ProcessInstance(pid: 0, startTicks: 0), user: userID,
            executable: LinuxExecutable(
                path: executable, claim: claim, rootOwnedChain: rootOwned ?? (package != nil), role: role),
            context: RunContext(
                unit: unit.map { name in
                    RunContext.Unit(
                        name: name, system: true, file: "/usr/lib/systemd/system/\(name)",
                        claim: package.map { PackageClaim(package: $0, verdict: .intact) })
                }), injection: InjectionPath.allCases.filter(paths.contains))
        return .evidence(
            CodeEvidence(
                MakerAnswer(
                    summary: IdentitySummary(.known(identity.codeClass), executable: executable, userID: userID),
                    maker: .linux(identity))))
    }
}

/// Certificates as Apple issues them, with the markers that requirements ask for and nothing behind them.
enum SyntheticChain {
    /// Stands for the fingerprint of Apple's root in the evaluation of described programs alone.
    static let appleRoot = Array("a root of descriptions".utf8)
    private static let otherRoot = Array("a root of nobody".utf8)

    /// Leaf first; none for code that nobody signed.
    static func certificates(_ facts: ProofFacts) -> [CertificateFacts] {
        if facts.unsigned || facts.adhoc { return [] }
        let team = facts.team.map { [(organizationalUnit, $0)] } ?? []
        let root = certificate(commonName: "Apple Root CA", sha256: appleRoot)
        if facts.anchorApple {
            return [
                certificate(commonName: "Software Signing", [AppleMarkers.macOSSoftwareSigning]),
                certificate(
                    commonName: "Apple Code Signing Certification Authority", more: [(organization, "Apple Inc.")]),
                root,
            ]
        }
        switch facts.signer ?? .developerID {
        case .developerID:
            return [
                certificate(
                    commonName: "Developer ID Application", [AppleMarkers.developerIDApplication], more: team),
                certificate(
                    commonName: "Developer ID Certification Authority", [AppleMarkers.developerIDAuthority]), root,
            ]
        case .appStore:
            return [
                certificate(commonName: "Apple Mac OS Application Signing", [AppleMarkers.macAppStore]),
                certificate(commonName: intermediateName, [AppleMarkers.worldwideDeveloperRelations]), root,
            ]
        case .development:
            return [
                certificate(commonName: "Apple Development", [AppleMarkers.macDevelopment], more: team),
                certificate(commonName: intermediateName, [AppleMarkers.worldwideDeveloperRelations]), root,
            ]
        case .other: return [certificate(commonName: "Somebody", sha256: otherRoot)]
        }
    }

    private static let intermediateName = "Apple Worldwide Developer Relations Certification Authority"
    private static let commonName: [UInt8] = [0x55, 4, 3]
    private static let organization: [UInt8] = [0x55, 4, 10]
    private static let organizationalUnit: [UInt8] = [0x55, 4, 11]

    private static func certificate(
        commonName name: String, _ markers: [[UInt8]] = [], more: [([UInt8], String)] = [], sha256: [UInt8] = []
    ) -> CertificateFacts {
        CertificateFacts(
            der: [], sha1: [], sha256: sha256, subjectDER: [], issuerDER: [], serialNumber: [],
            subject: ([(commonName, name)] + more).map { .init(type: $0.0, value: Array($0.1.utf8)) },
            extensions: markers.map { .init(identifier: $0, critical: false, value: []) }, policies: [],
            extendedKeyUsages: nil, notBefore: 0, notAfter: .max)
    }
}
