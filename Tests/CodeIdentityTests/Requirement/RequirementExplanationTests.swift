// SPDX-License-Identifier: Apache-2.0

// Tests of what an evaluation says of itself.

import Testing

@testable import CodeIdentity

@Suite("RequirementExplanation") struct RequirementExplanationTests {
    private func explain(_ expression: RequirementExpression, _ code: CodeSubject = Synthetic.code()) throws
        -> RequirementExplanation
    { try CompiledRequirement(expression).explain(.apple(code)) }

    @Test("A rule reads as a tree with what each atom saw") func aRuleReadsAs() throws {
        let rule = RequirementExpression.and(
            .and(.and(.appleGenericAnchor, .marker(1, AppleMarkers.developerIDAuthority)), .not(.identifier("evil"))),
            .or(.field(0, "subject.OU", .equal("S8XHQB96PW")), .marker(5, AppleMarkers.developerIDApplication)))
        #expect(
            try explain(rule).rendered() == """
                false     and
                  true      anchor apple generic
                            saw: root "Apple Root CA" is one of Apple's
                  true      certificate 1[field.1.2.840.113635.100.6.2.6] /* exists */
                            saw: 1 has the extension
                  true      !
                    false     identifier evil
                              saw: identifier is "com.example.x"
                  false     or
                    false     certificate leaf[subject.OU] = S8XHQB96PW
                              saw: leaf subject.OU is "AB12CD34EF"
                    false     certificate 5[field.1.2.840.113635.100.6.1.13] /* exists */
                              saw: no certificate at slot 5, the chain has 3

                """)
    }

    @Test("An atom of the other system, and an error, say so") func anAtomOfThe() throws {
        let mixed = try explain(.or(.osAnchor, .notarized))
        #expect(mixed.result == .error)
        #expect(mixed.children.map(\.result) == [.undecided, .error])
        #expect(mixed.children[0].saw == "asked of a Mac program")
        #expect(mixed.children[1].saw == "requirement-unanswered: nobody said whether the code is notarised")
        let linux = try CompiledRequirement(.not(.appleAnchor)).explain(.linux(Synthetic.daemon))
        #expect(linux.result == .undecided)
        #expect(linux.children[0].saw == "asked of a Linux program")
    }

    @Test("anchor os tells each reason") func anchorOsTellsEach() throws {
        let identity = Synthetic.daemon {
            $0.executable.role = .transferTool
            $0.injection = [.traced]
        }
        let explained = try CompiledRequirement(.osAnchor).explain(.linux(identity))
        #expect(explained.saw == "it is of the role transfer-tool; foreign code can run in it: traced")
        #expect(explained.result == .false)
    }

    @Test(
        "What each atom saw",
        arguments: [
            (.cdhash([1]), "cdhash is H\"0102030405060708090a0b0c0d0e0f1011121314\""), (.platform(1), "platform is 0"),
            (.field(0, "subject.ST", .exists), "leaf has no subject.ST"),
            (.field(0, "subject.XX", .exists), "nothing: no attribute has this name"),
            (.certificatePolicy(slot: 0, oid: [0x2A, 4], .exists), "leaf lacks the policy"),
            (.certificateTimestamp(slot: 0, oid: [0x2A], .exists), "leaf lacks the extension"),
            (.info("a", .exists), "info is an array of 3: \"x\", …"), (.info("b", .exists), "no such key among 2"),
            (.info("d", .exists), "info is 20190408000000Z"), (.entitlement("t", .exists), "entitlement is true"),
            (
                .appleAnchor,
                "trust cache: unknown; root \"Apple Root CA\" is one of Apple's; issuer \"Developer ID Certification Authority\"; leaf lacks the marker of macOS software"
            ),
            (.certificateHash(slot: -4, [UInt8](1...20)), "no certificate at slot -4, the chain has 3"),
            (.always, "nothing is looked at"),
        ] as [(RequirementExpression, String)]) func whatEachAtomSaw(
            expression: RequirementExpression, saw: String
        )
        throws
    {
        let code = Synthetic.code(
            info: ["a": .array([.string("x"), .integer(1), .string("y")]), "d": .date(576_374_400)],
            entitlements: ["t": .boolean(true)])
        #expect(try explain(expression, code).saw == saw)
    }

    @Test("Every atom can be explained of either system") func everyAtomCanBe() throws {
        let match = RequirementMatch.equal("x")
        let atoms: [RequirementExpression] = [
            .never, .always, .identifier("x"), .appleAnchor, .appleGenericAnchor, .certificateHash(slot: 0, [1]),
            .legacyInfoValue(key: [0x61], value: [0x62]), .cdhash([1]), .info("a", match), .entitlement("a", match),
            .field(0, "subject.CN", match), .marker(0, [0x2A, 0x80], match),
            .certificatePolicy(slot: -1, oid: [], match),
            .certificateTimestamp(slot: 3, oid: [0x2A], .onOrAfter(.min)), .certificateTrusted(slot: 0), .anchorTrusted,
            .namedAnchor([0x61]), .namedCode([0x61]), .platform(-3), .notarized, .legacyDeveloperID,
            .unknown(opcode: .max, operand: []), .osAnchor, .package([0x61]), .unit([0x61]), .path(match), .digest([1]),
            .interpreter, .user(.max),
        ]
        let all = atoms.dropFirst().reduce(atoms[0]) { .or($0, $1) }
        for subject in [RequirementSubject.apple(Synthetic.code()), .linux(Synthetic.daemon)] {
            let explained = try CompiledRequirement(all).explain(subject)
            #expect(explained.children.count == atoms.count)
            #expect(explained.children.allSatisfy { !$0.text.isEmpty && $0.saw?.isEmpty == false })
            #expect(explained.children.map(\.text) == atoms.map { RequirementPrinter.text($0) })
        }
    }

    @Test("Hostile bytes are shown cut and harmless") func hostileBytesAreShown() throws {
        func saw(_ identifier: [UInt8]) throws -> String? {
            var code = Synthetic.code()
            code.identifier = identifier
            return try explain(.identifier("x"), code).saw
        }
        #expect(try saw(Array("a\u{1B}[2J".utf8)) == "identifier is 0x611b5b324a")
        #expect(try saw(Array("a\u{202E}b".utf8)) == "identifier is 0x61e280ae62")
        #expect(try saw([0xFF, 0xFE]) == "identifier is 0xfffe")
        #expect(try saw(Array("say \"\\\"".utf8)) == "identifier is \"say \\\"\\\\\\\"\"")
        let long = try saw([UInt8](repeating: 0x61, count: 5000))
        #expect(long == "identifier is \"\(String(repeating: "a", count: 200))\"… (5000 bytes)")
        let cut = try saw(Array(("a" + String(repeating: "é", count: 500)).utf8))
        #expect(cut == "identifier is \"a\(String(repeating: "é", count: 99))\"… (1001 bytes)")
        #expect(try saw([UInt8](repeating: 0, count: 5000)).map { $0.utf8.count < 300 } == true)
    }

    @Test("A chain is one part; what lies too deep keeps its result without detail") func aChainIsOne() throws {
        let chain = (0..<900).reduce(RequirementExpression.always) { tree, _ in .and(tree, .always) }
        #expect(try explain(chain).children.count == 901)
        var deep = RequirementExpression.never
        for level in 0..<300 { deep = level % 2 == 0 ? .and(deep, .always) : .or(deep, .never) }
        let explained = try explain(deep)
        func depth(_ part: RequirementExplanation) -> Int { 1 + (part.children.map(depth).max() ?? 0) }
        #expect(depth(explained) == 64)
        #expect(explained.result == .false)
        #expect(explained.rendered().contains("its parts are not shown"))
    }

    @Test("Random requirements over random subjects never trap, and the explanation says what the evaluation says")
    func random() throws {
        var random = SeededRandom(state: 11)
        var results: Set<RequirementExplanation.Result> = []
        for _ in 0..<3000 {
            let atoms = (0..<8).map { _ in Self.atom(&random) }
            let tree = CompiledRequirementTests.random(Int.random(in: 1...12, using: &random), atoms, &random)
            let requirement = try CompiledRequirement(tree)
            let subject = Self.subject(&random)
            let explained = requirement.explain(subject)
            switch requirement.evaluate(subject) {
            case .true: #expect(explained.result == .true)
            case .false: #expect(explained.result == .false || explained.result == .undecided)
            case .error: #expect(explained.result == .error)
            }
            results.insert(explained.result)
        }
        #expect(results.count == 4)
    }

    private static func bytes(_ random: inout SeededRandom) -> [UInt8] {
        (0..<Int.random(in: 0...6, using: &random)).map { _ in
            [0x61, 0x62, 0x31, 0xC3, 0xA9].randomElement(using: &random) ?? 0
        }
    }

    private static func atom(_ random: inout SeededRandom) -> RequirementExpression {
        let (a, b) = (bytes(&random), bytes(&random))
        let moment = Int64.random(in: .min ... .max, using: &random)
        let matches: [RequirementMatch] = [
            .exists, .absent, .equal(a), .contains(a), .beginsWith(a), .endsWith(a), .less(a), .greater(a),
            .lessOrEqual(a), .greaterOrEqual(a), .on(moment), .before(moment), .after(moment), .onOrBefore(moment),
            .onOrAfter(moment), .unknown(code: .max, operand: a),
        ]
        let match = matches.randomElement(using: &random) ?? .exists
        let slot = Int32.random(in: -5...5, using: &random)
        let atoms: [RequirementExpression] = [
            .always, .identifier(a), .appleAnchor, .appleGenericAnchor, .certificateHash(slot: slot, [UInt8](1...20)),
            .cdhash(a), .info(key: b, match), .entitlement(key: b, match), .field(slot, "subject.CN", match),
            .certificateExtension(slot: slot, oid: b, match), .certificatePolicy(slot: slot, oid: b, match),
            .certificateTimestamp(slot: slot, oid: b, match), .platform(slot), .osAnchor, .package(a), .unit(a),
            .path(.beginsWith(a)), .interpreter, .user(0), .notarized,
        ]
        return atoms.randomElement(using: &random) ?? .always
    }

    private static func subject(_ random: inout SeededRandom) -> RequirementSubject {
        if Int.random(in: 0..<4, using: &random) == 0 { return .linux(Synthetic.daemon { $0.user = nil }) }
        let chain = (0..<Int.random(in: 0...4, using: &random)).map { _ in
            Synthetic.certificate(
                [("CN", String(decoding: bytes(&random), as: UTF8.self))],
                extensions: [.init(identifier: bytes(&random), critical: false, value: bytes(&random))],
                policies: [bytes(&random)])
        }
        let key = String(decoding: bytes(&random), as: UTF8.self)
        let values: [PropertyListValue] = [
            .string(key), .boolean(false), .date(.infinity), .array([.string(key), .array([])]), .integer(.min),
        ]
        var code = Synthetic.code(chain, info: [key: values.randomElement(using: &random) ?? .boolean(true)])
        code.notarized = .yes
        return .apple(code)
    }
}
