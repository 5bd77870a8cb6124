// SPDX-License-Identifier: Apache-2.0

// What bounds the evaluation of requirements, and how it can fail.

public import FlowModel

extension CodeIdentityLimits {
    /// The root stands at level 1; an expression at this level is an error, as in Apple's `reqinterp.cpp`.
    public static let evaluationDepth = Limit(
        "requirement.depth", 1000, .count, metric: "limit_requirement_depth_total",
        "Apple's own bound, so that both say the same; a flat chain of and/or is as deep as it has terms.")
    public static let evaluationNodes = Limit(
        "requirement.nodes", 10_000, .count, metric: "limit_requirement_nodes_total",
        "Atoms and operators of one requirement; the longest that tools write have some dozens.")
    public static let evaluationOperands = Limit(
        "requirement.operands", 1024 * 1024, .bytes, metric: "limit_requirement_operands_total",
        "Operands of one requirement together; names, hashes and markers take some dozens of bytes each.")
    public static let evaluationNesting = Limit(
        "requirement.array-nesting", 64, .count, metric: "limit_requirement_array_nesting_total",
        "Arrays within arrays that a match looks into; deeper ones make the evaluation fail, not the match.")
    public static let explanationDepth = Limit(
        "requirement.explanation-depth", 64, .count, metric: "limit_requirement_explanation_depth_total",
        "Levels of an explanation, so that readers of JSON take it; deeper parts keep their result without detail.")
    public static let explanationText = Limit(
        "requirement.explanation-text", 200, .bytes, metric: "limit_requirement_explanation_text_total",
        "How much of a value an explanation shows; certificates and property lists hold values of any length.")

    static let requirementEvaluation: [Limit] = [
        evaluationDepth, evaluationNodes, evaluationOperands, evaluationNesting, explanationDepth, explanationText,
    ]
}

extension CodeProblem.Code {
    /// The requirement is nested too deeply (errSecCSReqInvalid in Apple's).
    public static let evaluationTooDeep = Self("requirement-too-deep")
    /// An operand that no value could be compared with.
    public static let evaluationOperand = Self("requirement-operand")
    /// Something that Weir does not evaluate.
    public static let evaluationUnsupported = Self("requirement-unsupported")
    /// The answer is the system's, and there was none.
    public static let evaluationUnanswered = Self("requirement-unanswered")
    /// The slices of a file are not signed alike.
    public static let evaluationSlicesDiffer = Self("slices-differ")
    /// A designated requirement cannot be derived.
    public static let designatedUnderivable = Self("designated-underivable")
}
