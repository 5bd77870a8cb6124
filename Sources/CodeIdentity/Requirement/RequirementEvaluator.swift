// SPDX-License-Identifier: Apache-2.0

// What a requirement says of a subject: Apple's semantics, and one more truth value.

import FlowModel

/// What a requirement says of a subject.
public enum RequirementResult: Sendable, Hashable {
    case `true`
    /// Not met; also where only atoms of the other system, or facts nobody knows, could have met it.
    case `false`
    /// It cannot be said; to be treated as a refusal.
    case error(CodeProblem)
}

/// Which certificates `anchor apple` accepts where the trust cache does not decide.
public enum AppleAnchorRule: Sendable, Hashable {
    /// The leaf must carry the marker 1.2.840.113635.100.6.22 (Security-61901, macOS 26).
    case current
    /// Releases before that asked for the root and the name of the intermediate only.
    case beforeLeafMarker
}

/// What a Mac's trust settings say of a certificate for code signing.
public enum CertificateTrust: Sendable, Hashable {
    case trusted
    case denied
    /// The settings do not mention it.
    case unspecified
    /// Nobody could be asked.
    case unknown
}

/// Answers that only a running system has.
public protocol RequirementAuthority: Sendable {
    /// The user's and the administrator's setting for one certificate of a chain.
    func trust(in certificate: CertificateFacts, isAnchor: Bool) -> CertificateTrust
    /// Whether Apple's list of code that need not be notarised holds the cdhash or the team.
    func isOnLegacyList(_ code: CodeSubject) -> SystemAnswer
}

/// How requirements are to be read.
public struct EvaluationRules: Sendable {
    public var appleAnchor: AppleAnchorRule
    /// Without one, `trusted` is an error, and `legacy` is where only the list could decide.
    public var authority: (any RequirementAuthority)?

    public init(appleAnchor: AppleAnchorRule = .current, authority: (any RequirementAuthority)? = nil) {
        self.appleAnchor = appleAnchor
        self.authority = authority
    }
}

/// What one node comes to.
///
/// Apple knows true, false and failure. Weir adds `undecided`: an atom of the other system, or a fact that nobody could
/// find out. Its negation is undecided too, so that no program is admitted for what it was never asked. `and` is the
/// lesser of its operands and `or` the greater, in the order of the raw values (Kleene's strong logic); a failure
/// anywhere fails the whole, whatever the rest. A requirement that is undecided at its root is false.
enum Outcome: UInt8 {
    case `false` = 0
    case undecided = 1
    case `true` = 2
    case error = 3

    init(_ value: Bool) { self = value ? .true : .false }
}

extension CompiledRequirement {
    /// Says whether the subject meets the requirement.
    ///
    /// Nothing is short-circuited: an error in any atom (an unknown opcode, an answer that nobody has) is the result,
    /// even where the other atoms would decide. Says nothing about whether the subject's signature is good.
    public func evaluate(_ subject: RequirementSubject, rules: EvaluationRules = .init()) -> RequirementResult {
        switch subject {
        case .apple(let code): evaluate(code, rules: rules)
        case .linux(let identity): evaluate(identity)
        }
    }

    /// Says whether signed code meets the requirement.
    public func evaluate(_ code: CodeSubject, rules: EvaluationRules = .init()) -> RequirementResult {
        run {
            outcome(of: $0, for: code, rules)
        } problem: {
            problem(of: $0, for: code, rules)
        }
    }

    /// Says whether a Linux program meets the requirement.
    public func evaluate(_ identity: LinuxIdentity) -> RequirementResult {
        run {
            outcome(of: $0, for: identity)
        } problem: {
            defect(of: $0)
        }
    }

    /// The stack is one word with two bits a place; `order` never needs more than 32 (see `Layout.evaluationOrder`).
    @inline(__always)
    private func run(_ atom: (Node) -> Outcome, problem: (Node) -> CodeProblem) -> RequirementResult {
        var stack: UInt64 = 0
        for index in order {
            let node = nodes[index]
            switch node.operation {
            case .not: stack ^= stack & 1 == 0 ? 2 : 0
            case .and: stack = (stack >> 4) << 2 | min(stack & 3, stack >> 2 & 3)
            case .or: stack = (stack >> 4) << 2 | max(stack & 3, stack >> 2 & 3)
            default:
                let outcome = atom(node)
                if outcome == .error { return .error(firstProblem(atom, problem)) }
                stack = stack << 2 | UInt64(outcome.rawValue)
            }
        }
        return stack & 3 == UInt64(Outcome.true.rawValue) ? .true : .false
    }

    /// The first error as the text reads, whichever came first in the order of evaluation.
    private func firstProblem(_ atom: (Node) -> Outcome, _ problem: (Node) -> CodeProblem) -> CodeProblem {
        for node in nodes where !node.operation.isOperator && atom(node) == .error { return problem(node) }
        return CodeProblem(.evaluationUnsupported, "an error without a cause")
    }

    /// What is wrong with an atom whatever the subject.
    func defect(of node: Node) -> CodeProblem {
        guard node.operation == .invalid, defects.indices.contains(node.number) else {
            return CodeProblem(.evaluationUnsupported, "not evaluated")
        }
        return defects[node.number]
    }

    /// Why an atom is an error.
    func problem(of node: Node, for code: CodeSubject, _ rules: EvaluationRules) -> CodeProblem {
        switch node.operation {
        case .notarized: CodeProblem(.evaluationUnanswered, "nobody said whether the code is notarised")
        case .legacyDeveloperID:
            CodeProblem(.evaluationUnanswered, "the dates do not decide, and nobody said what Apple's list holds")
        case .anchorTrusted, .certificateTrusted:
            CodeProblem(.evaluationUnanswered, "nobody said what this Mac's trust settings are")
        case .info, .entitlement:
            CodeProblem(
                .limit, "requirement.array-nesting: arrays more than \(CodeIdentityLimits.evaluationNesting.value) deep"
            )
        default: defect(of: node)
        }
    }

    func same(_ bytes: [UInt8], _ range: Bytes) -> Bool {
        guard bytes.count == range.count else { return false }
        for index in bytes.indices where bytes[index] != operands[range.start + index] { return false }
        return true
    }
}

extension CompiledRequirement.Operation {
    var isOperator: Bool { self == .and || self == .or || self == .not }
}
