// SPDX-License-Identifier: Apache-2.0

// Tests of the derived designated requirement: the trees are those of codesign.

import Testing

@testable import CodeIdentity

@Suite("DesignatedRequirement") struct DesignatedRequirementTests {
    private func derived(_ certificates: [CertificateFacts]) throws -> RequirementExpression {
        let derived = try DesignatedRequirement(
            identifier: Array("com.example.x".utf8), certificates: certificates, appleRoots: [Synthetic.rootDigest])
        #expect(derived.source == .implicit)
        guard case .and(.identifier(let name), let rest) = derived.expression, name == Array("com.example.x".utf8)
        else {
            Issue.record("it does not begin with the identifier")
            return .never
        }
        return rest
    }

    @Test("Developer ID pins markers and team") func developerIDPinsMarkers() throws {
        let expected = RequirementExpression.and(
            .appleGenericAnchor,
            .and(
                .marker(1, AppleMarkers.developerIDAuthority),
                .and(
                    .marker(0, AppleMarkers.developerIDApplication), .field(0, "subject.OU", .equal("AB12CD34EF")))))
        #expect(try derived(Synthetic.developerID) == expected)
    }

    @Test("A developer relations chain pins the leaf's common name") func aDeveloperRelationsChain() throws {
        var chain = Synthetic.developerID
        chain[1] = Synthetic.certificate(
            [("CN", "WWDR")], markers: [AppleMarkers.worldwideDeveloperRelations, AppleMarkers.developerIDAuthority])
        let expected = RequirementExpression.and(
            .appleGenericAnchor,
            .and(
                .field(0, "subject.CN", .equal("Developer ID Application: Example (AB12CD34EF)")),
                .marker(1, AppleMarkers.worldwideDeveloperRelations)))
        #expect(try derived(chain) == expected)
    }

    @Test("Any other chain to Apple's root is anchor apple") func anyOtherChainTo() throws {
        #expect(try derived(Synthetic.appleSoftware) == .appleAnchor)
        #expect(try derived([Synthetic.developerIDLeaf, Synthetic.root]) == .appleAnchor)
        #expect(try derived(Synthetic.developerID + [Synthetic.root]) == .appleAnchor)
        #expect(try derived([Synthetic.root]) == .appleAnchor)
    }

    @Test(
        "Another root pins the last certificate up that shares the leaf's organisation",
        arguments: [
            (["Org"], -1, 0), (["Org", "Org"], -1, 1), (["Org", "Other"], 0, 0), (["Org", "Org", "Other"], 1, 1),
            (["Org", "Other", "Org"], 0, 0), ([nil, "Org"], 0, 0), ([nil], 0, 0), ([nil, nil], 0, 0),
            (["Org", nil, "Org"], 0, 0), (["Org", "Org", "Org"], -1, 2), (["Org", "org"], 0, 0),
        ] as [([String?], Int32, Int)])
    func anotherRootPinsThe(
        organizations: [String?], slot: Int32, place: Int
    ) throws {
        let chain = organizations.enumerated().map { index, organization in
            Synthetic.certificate([("CN", "\(index)")] + (organization.map { [("O", $0)] } ?? []))
        }
        #expect(try derived(chain) == .certificateHash(slot: slot, chain[place].sha1))
    }

    @Test("Without the pinned attribute, or without certificates, there is none") func withoutThePinnedAttribute() {
        var chain = Synthetic.developerID
        chain[0] = Synthetic.certificate([("CN", "x")], markers: [AppleMarkers.developerIDApplication])
        for chain in [chain, []] {
            #expect(throws: CodeProblem(.designatedUnderivable, "")) {
                try DesignatedRequirement(identifier: [0x78], certificates: chain, appleRoots: [Synthetic.rootDigest])
            }
        }
    }

    private func directory(_ slot: UInt32, _ type: CodeHashType, _ fill: UInt8) throws -> DirectoryDigest {
        DirectoryDigest(
            slot: slot, hashType: type, full: [], cdhash: try #require(CDHash([UInt8](repeating: fill, count: 20))))
    }

    private func hash(_ fill: UInt8) -> RequirementExpression { .cdhash([UInt8](repeating: fill, count: 20)) }

    @Test("Ad-hoc code is its directories' hashes, by hash type, then the other slices'") func adHocCodeIs() throws {
        let own = [try directory(0, .sha256, 1), try directory(0x1000, .sha1, 2)]
        #expect(
            try DesignatedRequirement(directories: [own[0]], team: nil).expression == hash(1))
        #expect(try DesignatedRequirement(directories: own, team: nil).expression == .or(hash(2), hash(1)))
        let others = [
            DesignatedRequirement.OtherSlice(
                team: nil, directories: [try directory(0, .sha384, 3), try directory(0x1000, .sha256, 4)]),
            .init(team: Array("UNSIGNED".utf8), directories: []),
            .init(team: nil, directories: [try directory(0, .sha1, 5)]),
        ]
        let all = try DesignatedRequirement(directories: own, team: nil, otherSlices: others)
        #expect(all.expression == .or(.or(.or(.or(hash(2), hash(1)), hash(4)), hash(3)), hash(5)))
        #expect(all.source == .implicit)
    }

    @Test("Ad-hoc slices of two teams have none") func adHocSlicesOf() throws {
        let own = [try directory(0, .sha256, 1)]
        let team = Array("AB12CD34EF".utf8)
        for (mine, other) in [(team, nil), (nil, team), (team, Array("ZZ12CD34EF".utf8))] as [([UInt8]?, [UInt8]?)] {
            #expect(throws: CodeProblem(.evaluationSlicesDiffer, "")) {
                try DesignatedRequirement(
                    directories: own, team: mine, otherSlices: [.init(team: other, directories: own)])
            }
        }
        #expect(throws: CodeProblem(.designatedUnderivable, "")) {
            try DesignatedRequirement(directories: [], team: nil, otherSlices: [.init(team: nil, directories: own)])
        }
    }

    @Test("The derived requirement is true of the code it comes from") func theDerivedRequirementIs() throws {
        for chain in [Synthetic.developerID, Synthetic.appleSoftware, [Synthetic.developerIDLeaf]] {
            let derived = try DesignatedRequirement(
                identifier: Array("com.example.x".utf8), certificates: chain, appleRoots: [Synthetic.rootDigest])
            #expect(try evaluate(derived.expression, Synthetic.code(chain)) == .true)
        }
    }

    @Test("An explicit one is taken as it is") func anExplicitOneIs() {
        let explicit = DesignatedRequirement(explicit: .appleGenericAnchor)
        #expect(explicit.expression == .appleGenericAnchor)
        #expect(explicit.source == .explicit)
    }
}
