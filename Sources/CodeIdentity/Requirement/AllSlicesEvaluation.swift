// SPDX-License-Identifier: Apache-2.0

// A requirement asked of every slice of a file: the answer to checkers that looked at the first slice only.

/// What a requirement says of a whole file.
///
/// True only if it is true of every slice, of whatever processor; an error if it is one for any slice, if a slice cannot
/// be used (unsigned, cut, invalid), or if the slices differ in team or in whether certificates sign them. Universal files
/// with one slice of Apple's and one of an attacker's were taken for Apple's otherwise (CVE-2018-10403 and others).
/// Identifiers may differ: honest files do.
public struct AllSlicesEvaluation: Sendable, Hashable {
    public enum Slice: Sendable {
        case code(CodeSubject)
        /// Why the slice cannot be evaluated.
        case unusable(CodeProblem)
    }

    /// The result of each slice, in the order of the file.
    public let slices: [RequirementResult]
    public let result: RequirementResult

    /// Evaluates every slice; a file without slices is an error.
    public init(_ requirement: CompiledRequirement, slices: [Slice], rules: EvaluationRules = .init()) {
        self.slices = slices.map { slice in
            switch slice {
            case .code(let code): requirement.evaluate(code, rules: rules)
            case .unusable(let problem): .error(problem)
            }
        }
        result = Self.conclusion(self.slices, slices)
    }

    private static func conclusion(_ results: [RequirementResult], _ slices: [Slice]) -> RequirementResult {
        for case .error(let problem) in results { return .error(problem) }
        if slices.isEmpty {
            return .error(CodeProblem(.evaluationSlicesDiffer, "there is no slice to evaluate"))
        }
        if let problem = disagreement(of: slices) { return .error(problem) }
        return results.allSatisfy { $0 == .true } ? .true : .false
    }

    /// Why usable slices are not one program: they name different teams, or certificates sign some and not others.
    static func disagreement(of slices: [Slice]) -> CodeProblem? {
        let codes = slices.compactMap { if case .code(let code) = $0 { code } else { nil } }
        guard let first = codes.first else { return nil }
        guard codes.allSatisfy({ $0.team == first.team }) else {
            return CodeProblem(.evaluationSlicesDiffer, "the slices name different teams")
        }
        guard codes.allSatisfy({ $0.certificates.isEmpty == first.certificates.isEmpty }) else {
            return CodeProblem(.evaluationSlicesDiffer, "certificates sign some slices and not others")
        }
        return nil
    }
}
