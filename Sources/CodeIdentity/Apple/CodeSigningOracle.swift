// SPDX-License-Identifier: Apache-2.0

// Rung two of identity on macOS: validity and requirements, judged by the system, off the path of any flow.

/// What the signature on disk says; proved only as far as the examination that carries it.
public struct StaticCodeFacts: Hashable, Sendable {
    /// Where the system found the program; a label.
    public var path: String?
    public var identifier: String?
    public var team: String?
    public var cdhash: CDHash?
    public var flags: CodeSignatureFlags
    public var entitlements: [String: PropertyListValue]

    public init(
        path: String? = nil, identifier: String? = nil, team: String? = nil, cdhash: CDHash? = nil,
        flags: CodeSignatureFlags = [], entitlements: [String: PropertyListValue] = [:]
    ) {
        self.path = path
        self.identifier = identifier
        self.team = team
        self.cdhash = cdhash
        self.flags = flags
        self.entitlements = entitlements
    }
}

/// How running code stands to one requirement.
public enum RequirementOutcome: Hashable, Sendable {
    case satisfied
    case unsatisfied
    /// The requirement could not be read or evaluated, or the code is not valid: never to be taken for satisfied.
    case failed(CodeSigningError)
}

/// What the system found when it examined running code.
public struct CodeExamination: Hashable, Sendable {
    /// Why the code is not valid; nil when what runs is what is signed on disk, unchanged.
    ///
    /// A valid signature may be anybody's: who signed is known only from requirements.
    public var invalidity: CodeSigningError?
    /// By the requirement's text.
    public var outcomes: [String: RequirementOutcome]
    /// Never missing when the code is valid.
    public var facts: StaticCodeFacts?

    public init(
        invalidity: CodeSigningError? = nil, outcomes: [String: RequirementOutcome] = [:], facts: StaticCodeFacts? = nil
    ) {
        self.invalidity = invalidity
        self.outcomes = outcomes
        self.facts = facts
    }
}

/// The system's own judge of running code, the second rung of identity.
///
/// It may read gigabytes, ask daemons and wait for ever, and what it waits for may itself make flows: it is called on a
/// thread that nobody waits for, and never under a lock. It must not use the network.
public protocol CodeSigningOracle: Sendable {
    /// Examines the code behind a token.
    ///
    /// Throws what kept it from finding the code at all; that the code is not valid is an answer, not an error.
    func verify(_ token: AuditToken, requirements: [String]) throws(CodeSigningError) -> CodeExamination
}
