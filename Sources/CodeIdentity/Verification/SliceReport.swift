// SPDX-License-Identifier: Apache-2.0

// What one slice claims, and beside it what of that was proved.

/// What a slice says of itself: anybody can write it.
public struct ClaimedIdentity: Sendable, Hashable {
    /// Of the best code directory, up to its NUL.
    public let identifier: [UInt8]
    public let team: [UInt8]?
    public let cdhash: CDHash
    public let flags: CodeSignatureFlags
    /// The platform byte: 0 for everybody but Apple, and a claim for them too.
    public let platform: UInt8

    public var identifierText: String { String(decoding: identifier, as: UTF8.self) }
    public var teamText: String? { team.map { String(decoding: $0, as: UTF8.self) } }
}

/// What a slice is, after every check held: only `CodeExaminer` makes one.
public struct VerifiedIdentity: Sendable {
    /// What a requirement is evaluated against.
    public let subject: CodeSubject
    /// Who stands behind the signature; nil for ad-hoc code, which nobody signed.
    public let signer: SignerClass?
    /// The team that Apple issued the signer's certificate to; nil where the team is only claimed.
    public let provedTeam: [UInt8]?
    /// How foreign code may run under this identity, as far as the file says.
    public let injection: [InjectionPath]

    init(subject: CodeSubject, signer: SignerClass?, provedTeam: [UInt8]?, injection: [InjectionPath]) {
        self.subject = subject
        self.signer = signer
        self.provedTeam = provedTeam
        self.injection = injection
    }
}

/// The outcome of one kind of check.
public enum CheckOutcome: Sendable, Hashable {
    case ok
    /// There is nothing to check: no signature, no certificate, no team.
    case absent
    /// The team identifier is what its author wrote; nothing proves it and nothing had to.
    case claimed
    case failed(CodeProblem)

    /// `ok`, `absent`, `claimed` or `failed`.
    public var name: String {
        switch self {
        case .ok: "ok"
        case .absent: "absent"
        case .claimed: "claimed"
        case .failed: "failed"
        }
    }

    public var problem: CodeProblem? { if case .failed(let problem) = self { problem } else { nil } }

    init(_ problems: [CodeProblem], otherwise: CheckOutcome = .ok) {
        self = problems.first.map { .failed($0) } ?? otherwise
    }
}

/// Whether a slice is what was signed, by kind of check.
public struct SliceValidity: Sendable, Hashable {
    /// Container, index, directories, requirement set, entitlements and Info.plist can be read in one way only.
    public internal(set) var structure: CheckOutcome
    /// Every page matches every directory.
    public internal(set) var pages: CheckOutcome
    /// Every sealed component is the one that was sealed.
    public internal(set) var slots: CheckOutcome
    /// CMS: content, signer, code directories and timestamp.
    public internal(set) var signature: CheckOutcome
    /// A path of certificates that keeps the rules; says nothing about trust.
    public internal(set) var chain: CheckOutcome
    public internal(set) var team: CheckOutcome

    /// The outcomes by name, in the order of the checks.
    public var outcomes: [(name: String, outcome: CheckOutcome)] {
        [
            ("structure", structure), ("pages", pages), ("slots", slots), ("signature", signature), ("chain", chain),
            ("team", team),
        ]
    }

    /// Why the slice does not hold, in the order of the checks.
    public var problems: [CodeProblem] { outcomes.compactMap(\.outcome.problem) }
}

/// Everything that was found out about one slice.
public struct SliceReport: Sendable {
    public let slice: MachOSlice
    /// Nil for an unsigned slice, and for a signature that cannot be read.
    public internal(set) var signature: EmbeddedSignature?
    /// The CMS signature's claims and proofs; nil without one, and for one that cannot be read.
    public internal(set) var proof: SignatureProof?
    public internal(set) var entitlements = Entitlements(xml: nil, der: nil)
    public internal(set) var requirements: RequirementSet?
    /// The content of Info.plist where a hash seals it; empty otherwise.
    public internal(set) var info: [String: PropertyListValue] = [:]
    /// The outcome for each special slot, by the best directory.
    public internal(set) var slots: [SpecialSlot: SlotOutcome] = [:]
    public internal(set) var validity: SliceValidity
    /// The requirement by which the slice says who it is: its own, or else the derived one.
    public internal(set) var designated: DesignatedRequirement?
    /// The one that is derived from the signature, also where the slice brings its own.
    public internal(set) var implicitDesignated: DesignatedRequirement?
    /// Nil unless every check held.
    public internal(set) var verified: VerifiedIdentity?
    /// All that is wrong, without duplicates; more than the first of each check.
    public internal(set) var problems: [CodeProblem] = []
    /// What is worth knowing and refuses nothing.
    public internal(set) var remarks: [CodeProblem] = []

    public var claimed: ClaimedIdentity? {
        signature.map {
            ClaimedIdentity(
                identifier: $0.best.identifier, team: $0.best.team, cdhash: $0.best.cdhash, flags: $0.best.flags,
                platform: $0.best.platform)
        }
    }

    /// How the slice claims to be signed; `unsigned` also where a signature stands that cannot be read.
    public var signing: CodeSigning { signature?.signing ?? .unsigned }

    /// What a requirement sees of the slice, or why it may not see it.
    public var evaluable: AllSlicesEvaluation.Slice {
        if let verified { return .code(verified.subject) }
        let reason =
            signature == nil
            ? CodeProblem(.codeUnsigned, "the \(slice.architecture) slice is not signed")
            : CodeProblem(.pagesNotHashed, "the pages of the \(slice.architecture) slice were not hashed")
        return .unusable(problems.first ?? reason)
    }

    init(_ slice: MachOSlice) {
        self.slice = slice
        validity = SliceValidity(
            structure: .ok, pages: .absent, slots: .absent, signature: .absent, chain: .absent, team: .absent)
    }
}

/// Everything that was found out about one file.
public struct CodeReport: Sendable {
    public let isUniversal: Bool
    public internal(set) var slices: [SliceReport]
    /// What is wrong with container, detached signature and bundle; each slice has its own besides.
    public internal(set) var problems: [CodeProblem]
    /// The bundle of which the file is the main executable.
    public internal(set) var bundle: CodeBundle?
    /// The result of the deep check of the bundle's resources; nil when it was not asked for, or there is no bundle.
    public internal(set) var seal: SealReport?

    /// Why slices that hold by themselves are not one program; nil when they can be.
    ///
    /// Such a file meets no requirement: a genuine slice beside an attacker's was taken for genuine in 2018.
    public var disagreement: CodeProblem? { AllSlicesEvaluation.disagreement(of: slices.map(\.evaluable)) }

    /// Whether every slice passed every check, all are one program, and the resources hold where they were looked at.
    public var isValid: Bool {
        problems.isEmpty && slices.allSatisfy { $0.verified != nil } && disagreement == nil
            && seal?.problems.isEmpty != false
    }

    /// What the requirement says of the whole file: every slice is asked, and all must agree.
    public func evaluate(
        _ requirement: CompiledRequirement, rules: EvaluationRules = .init()
    ) -> AllSlicesEvaluation {
        AllSlicesEvaluation(requirement, slices: slices.map(\.evaluable), rules: rules)
    }
}

extension CodeProblem.Code {
    /// Nothing is signed here.
    public static let codeUnsigned = Self("code-unsigned")
    /// The slice is signed, and nobody looked at its pages.
    public static let pagesNotHashed = Self("pages-not-hashed")
    /// A page is not the one that was signed.
    public static let pageMismatch = Self("page-mismatch")
    /// A sealed component is missing or another.
    public static let slotMismatch = Self("slot-mismatch")
    /// Code inside a bundle is not valid, or not the code that the bundle's seal asks for.
    public static let nestedCode = Self("nested-code")
    /// Info.plist is sealed and cannot be read as a dictionary.
    public static let infoUnreadable = Self("info-unreadable")
}
