// SPDX-License-Identifier: Apache-2.0

// Tests of requirements over universal files.

import Testing

@testable import CodeIdentity

@Suite("AllSlicesEvaluation") struct AllSlicesEvaluationTests {
    private let requirement = try? CompiledRequirement(.and(.appleGenericAnchor, .identifier("com.example.x")))

    private func result(_ slices: [AllSlicesEvaluation.Slice]) throws -> AllSlicesEvaluation {
        AllSlicesEvaluation(try #require(requirement), slices: slices)
    }

    private func code(_ change: (inout CodeSubject) -> Void = { _ in }) -> AllSlicesEvaluation.Slice {
        var code = Synthetic.code()
        change(&code)
        return .code(code)
    }

    @Test("True only if every slice meets it") func trueOnlyIfEvery() throws {
        #expect(try result([code(), code()]).result == .true)
        let mixed = try result([code(), code { $0.identifier = [0x78] }, code()])
        #expect(mixed.result == .false)
        #expect(mixed.slices == [.true, .false, .true])
    }

    @Test("A slice that cannot be used is an error, wherever it stands and whatever the others say")
    func aSliceThatCannot() throws {
        let unsigned = AllSlicesEvaluation.Slice.unusable(CodeProblem(.unreadable, "no signature"))
        for slices in [[unsigned], [unsigned, code()], [code(), unsigned], [code { $0.identifier = [] }, unsigned]] {
            #expect(try result(slices).result.code == .unreadable)
            #expect(try result(slices).slices.count == slices.count)
        }
    }

    @Test("A file without slices is an error") func aFileWithoutSlices() throws {
        #expect(try result([]).result.code == .evaluationSlicesDiffer)
    }

    @Test("Slices of two teams, or one signed by certificates and one not, are an error") func slicesOfTwoTeams() throws
    {
        let always = try CompiledRequirement(.always)
        for other in [
            code { $0.team = Array("ZZ12CD34EF".utf8) }, code { $0.team = nil }, code { $0.certificates = [] },
        ] {
            #expect(AllSlicesEvaluation(always, slices: [code(), other]).result.code == .evaluationSlicesDiffer)
            #expect(AllSlicesEvaluation(always, slices: [other, code()]).result.code == .evaluationSlicesDiffer)
        }
    }

    @Test("An error in one slice is the file's") func anErrorInOne() throws {
        let notarized = try CompiledRequirement(.notarized)
        let slices = [code { $0.notarized = .yes }, code()]
        #expect(AllSlicesEvaluation(notarized, slices: slices).result.code == .evaluationUnanswered)
    }
}
