// SPDX-License-Identifier: Apache-2.0

// Tests of the flat form and of how results combine.

import Testing

@testable import CodeIdentity

@Suite("CompiledRequirement") struct CompiledRequirementTests {
    /// The definition, against which the flat form is held: no short circuit, errors win, else least and greatest.
    static func plain(_ expression: RequirementExpression) -> Outcome {
        switch expression {
        case .always: return .true
        case .never: return .false
        case .osAnchor: return .undecided
        case .notarized: return .error
        case .not(let operand):
            return switch plain(operand) {
            case .true: .false
            case .false: .true
            case .undecided: .undecided
            case .error: .error
            }
        case .and(let left, let right):
            let both = [plain(left), plain(right)]
            if both.contains(.error) { return .error }
            return both.contains(.false) ? .false : both.contains(.undecided) ? .undecided : .true
        case .or(let left, let right):
            let both = [plain(left), plain(right)]
            if both.contains(.error) { return .error }
            return both.contains(.true) ? .true : both.contains(.undecided) ? .undecided : .false
        default: return .error
        }
    }

    static func random(_ atoms: Int, _ leaves: [RequirementExpression], _ random: inout SeededRandom)
        -> RequirementExpression
    {
        if Int.random(in: 0..<5, using: &random) == 0 { return .not(Self.random(atoms, leaves, &random)) }
        guard atoms > 1 else { return leaves[Int.random(in: leaves.indices, using: &random)] }
        let left = Int.random(in: 1..<atoms, using: &random)
        let (a, b) = (Self.random(left, leaves, &random), Self.random(atoms - left, leaves, &random))
        return Bool.random(using: &random) ? .and(a, b) : .or(a, b)
    }

    @Test("Any tree comes to what its definition says", arguments: [3, 4]) func anyTreeComesTo(kinds: Int) throws {
        var random = SeededRandom(state: 42)
        let leaves = Array([RequirementExpression.always, .never, .osAnchor, .notarized].prefix(kinds))
        var seen: Set<RequirementResult> = []
        for round in 0..<2000 {
            let tree = Self.random(1 + round % 40, leaves, &random)
            let result = try evaluate(tree)
            let expected = Self.plain(tree)
            switch expected {
            case .true: #expect(result == .true)
            case .false, .undecided: #expect(result == .false)
            case .error: #expect(result.code == .evaluationUnanswered)
            }
            let explained = try CompiledRequirement(tree).explain(.apple(Synthetic.code())).result
            #expect(explained == .init(expected))
            seen.insert(result)
        }
        #expect(seen.count == (kinds == 4 ? 3 : 2))
    }

    @Test("A full tree of 4096 atoms needs 13 places of the stack and comes out right") func aFullTreeOf() throws {
        var level = (0..<4096).map { $0 == 1234 ? RequirementExpression.never : .always }
        while level.count > 1 {
            level = stride(from: 0, to: level.count, by: 2).map { .and(level[$0], level[$0 + 1]) }
        }
        #expect(try evaluate(level[0]) == .false)
        #expect(try evaluate(.not(level[0])) == .true)
    }

    @Test("999 levels evaluate, 1000 are an error, however they lean") func n999LevelsEvaluate1000() throws {
        func chain(_ terms: Int, _ join: (RequirementExpression, RequirementExpression) -> RequirementExpression)
            -> RequirementExpression
        { (1..<terms).reduce(.always) { tree, _ in join(tree, .always) } }
        #expect(try evaluate(chain(999) { .and($0, $1) }) == .true)
        #expect(try evaluate(chain(999) { .and($1, $0) }) == .true)
        for tree in [chain(1000) { .and($0, $1) }, chain(1000) { .or($1, $0) }, chain(1000) { a, _ in .not(a) }] {
            #expect(throws: CodeProblem(.evaluationTooDeep, "")) { try CompiledRequirement(tree) }
        }
    }

    @Test("Operands and atoms are bounded") func operandsAndAtomsAre() {
        #expect(throws: CodeProblem(.limit, "")) {
            try CompiledRequirement(.identifier([UInt8](repeating: 0x61, count: 1024 * 1024 + 1)))
        }
        // A tree that shares its halves is small in memory and endless to walk.
        let shared = (0..<100).reduce(RequirementExpression.always) { tree, _ in .and(tree, tree) }
        #expect(throws: CodeProblem(.limit, "")) { try CompiledRequirement(shared) }
    }

    @Test("Nothing is short-circuited: an error fails what the other side would decide") func nothingIsShortCircuited()
        throws
    {
        let unknown = RequirementExpression.unknown(opcode: 99, operand: [])
        for tree in [
            .or(.always, unknown), .or(unknown, .always), .and(.never, unknown), .and(unknown, .never), .not(unknown),
        ] as [RequirementExpression] {
            #expect(try evaluate(tree).code == .evaluationUnsupported)
        }
    }

    @Test("Of several errors the first in the text is told") func ofSeveralErrorsThe() throws {
        let deep = RequirementExpression.and(.and(.always, .notarized), .and(.always, .always))
        #expect(try evaluate(.and(.unknown(opcode: 99, operand: []), deep)).code == .evaluationUnsupported)
        #expect(try evaluate(.and(deep, .unknown(opcode: 99, operand: []))).code == .evaluationUnanswered)
    }

    @Test(
        "What cannot be evaluated is an error on either system",
        arguments: [
            (
                RequirementExpression.unknown(opcode: 0x8000_0063, operand: [1, 2]),
                CodeProblem.Code.evaluationUnsupported
            ),
            (.unknown(opcode: 0x4000_0063, operand: []), .evaluationUnsupported),
            (.namedAnchor([0x61]), .evaluationUnsupported), (.namedCode([0x61]), .evaluationUnsupported),
            (.field(0, "email", .exists), .evaluationUnsupported),
            (.certificateHash(slot: 9, [1, 2, 3]), .evaluationOperand), (.digest([1]), .evaluationOperand),
            (.path(.contains("x")), .evaluationUnsupported), (.info(key: [0xFF], .exists), .evaluationOperand),
            (.info("x", .equal([0xC3, 0x28])), .evaluationOperand),
            (.field(0, "subject.CN", .beginsWith([0xFF])), .evaluationOperand),
        ]) func whatCannotBeEvaluated(
            expression: RequirementExpression, code: CodeProblem.Code
        ) throws
    {
        #expect(try evaluate(expression).code == code)
        #expect(try evaluate(expression, Synthetic.daemon).code == code)
        #expect(try evaluate(.not(expression)).code == code)
    }
}
