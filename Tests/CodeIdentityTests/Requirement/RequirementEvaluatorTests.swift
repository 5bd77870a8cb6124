// SPDX-License-Identifier: Apache-2.0

// Tests of the atoms of Apple's language: one row an answer, one test a quirk.

import Testing

@testable import CodeIdentity

@Suite("RequirementEvaluator") struct RequirementEvaluatorTests {
    typealias Row = (RequirementExpression, RequirementResult)
    static let appStore: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x63, 0x64, 6, 1, 9]
    static let rootHash = Synthetic.root.sha1

    @Test(
        "Signed code",
        arguments: [
            (.always, .true), (.never, .false), (.not(.always), .false), (.not(.never), .true),
            (.identifier("com.example.x"), .true), (.identifier("COM.EXAMPLE.X"), .false),
            (.identifier("com.example.xx"), .false), (.identifier("com.example."), .false), (.identifier(""), .false),
            (.cdhash([UInt8](1...20)), .true), (.cdhash([UInt8](2...21)), .false), (.cdhash([1, 2]), .false),
            (.platform(0), .true), (.platform(1), .false), (.platform(256), .false), (.platform(-1), .false),
            (.appleAnchor, .false), (.not(.appleAnchor), .true), (.appleGenericAnchor, .true),
            (.marker(1, AppleMarkers.developerIDAuthority), .true),
            (.marker(0, AppleMarkers.developerIDApplication), .true),
            (.marker(0, appStore), .false), (.marker(0, appStore, .absent), .true),
            (.marker(0, AppleMarkers.developerIDApplication, .absent), .false),
            (.marker(5, appStore, .absent), .false), (.marker(5, appStore), .false),
            (.field(0, "subject.OU", .exists), .true), (.field(0, "subject.OU", .equal("AB12CD34EF")), .true),
            (.field(0, "subject.OU", .equal("NOTEAM1234")), .false),
            (.field(0, "subject.CN", .beginsWith("Developer ID Application: ")), .true),
            (.field(0, "subject.CN", .beginsWith("developer id application: ")), .false),
            (.field(0, "subject.CN", .endsWith(")")), .true), (.field(0, "subject.STREET", .absent), .false),
            (.certificateHash(slot: -1, rootHash), .true), (.certificateHash(slot: 0, rootHash), .false),
            (.certificateHash(slot: 3, rootHash), .false), (.certificateHash(slot: -4, rootHash), .false),
            (.field(-1, "subject.CN", .equal("Apple Root CA")), .true),
            (.field(2, "subject.CN", .equal("Apple Root CA")), .true),
            (.field(1, "subject.O", .equal("Apple Inc.")), .true),
            (.field(-2, "subject.CN", .contains("Certification")), .true),
            (.entitlement("com.apple.security.cs.allow-jit", .exists), .true),
            (.entitlement("com.apple.security.app-sandbox", .exists), .false),
            (.entitlement("com.apple.security.network.client", .absent), .true),
            (.info("CFBundleIdentifier", .equal("com.example.x")), .true),
            (.info("CFBundleIdentifier", .absent), .false), (.info("CFBundleName", .absent), .true),
            (.info("CFBundleShortVersionString", .greaterOrEqual("0.9")), .true),
            (.info("CFBundleVersion", .greaterOrEqual("0.9")), .false),
            (.or(.never, .and(.appleGenericAnchor, .identifier("com.example.x"))), .true),
            (.certificatePolicy(slot: 0, oid: [0x2A, 3], .exists), .true),
            (.certificatePolicy(slot: 0, oid: [0x2A, 4], .exists), .false),
            (.certificatePolicy(slot: 0, oid: [0x2A, 4], .absent), .true),
            (.certificatePolicy(slot: 9, oid: [0x2A, 4], .absent), .false),
        ] as [Row]) func signedCode(expression: RequirementExpression, result: RequirementResult) throws
    {
        let code = Synthetic.code(
            info: ["CFBundleIdentifier": .string("com.example.x"), "CFBundleShortVersionString": .string("0.10")],
            entitlements: [
                "com.apple.security.cs.allow-jit": .boolean(true), "com.apple.security.app-sandbox": .boolean(false),
            ])
        #expect(try evaluate(expression, code) == result)
    }

    @Test(
        "Ad-hoc code has no certificates, and what is asked of them is false",
        arguments: [
            (.identifier("com.example.x"), .true), (.cdhash([UInt8](1...20)), .true), (.appleAnchor, .false),
            (.appleGenericAnchor, .false), (.not(.appleAnchor), .true), (.marker(0, appStore), .false),
            (.marker(0, appStore, .absent), .false), (.field(0, "subject.OU", .exists), .false),
            (.field(0, "subject.OU", .absent), .false), (.certificateHash(slot: -1, rootHash), .false),
            (.field(-2, "subject.CN", .contains("Certification")), .false),
            (.info("CFBundleIdentifier", .absent), .true),
            (.entitlement("com.apple.security.cs.allow-jit", .absent), .true), (.legacyDeveloperID, .false),
        ] as [Row]) func adHocCodeHas(
            expression: RequirementExpression, result: RequirementResult
        ) throws
    {
        #expect(try evaluate(expression, Synthetic.adhoc) == result)
    }

    @Test(
        "A slot outside of the chain is no certificate, in either direction",
        arguments: [-4, -5, 3, 4, Int32.min, Int32.max])
    func aSlotOutsideOf(slot: Int32) throws {
        #expect(try evaluate(.field(slot, "subject.CN", .exists)) == .false)
        #expect(try evaluate(.certificateHash(slot: slot, Self.rootHash)) == .false)
        #expect(try evaluate(.marker(slot, Self.appStore, .absent)) == .false)
    }

    @Test("On a chain of three, 1 is -2 and 2 is -1; on a chain of two, 1 is the root") func onAChainOf() throws {
        #expect(try evaluate(.marker(-2, AppleMarkers.developerIDAuthority)) == .true)
        let two = Synthetic.code([Synthetic.developerIDLeaf, Synthetic.root])
        #expect(try evaluate(.field(1, "subject.CN", .equal("Apple Root CA")), two) == .true)
    }

    @Test("Of two attributes of one type the last is read") func ofTwoAttributesOf() throws {
        let leaf = Synthetic.certificate([("OU", "FIRST"), ("CN", "x"), ("OU", "LAST")])
        let code = Synthetic.code([leaf, Synthetic.root])
        #expect(try evaluate(.field(0, "subject.OU", .equal("LAST")), code) == .true)
        #expect(try evaluate(.field(0, "subject.OU", .equal("FIRST")), code) == .false)
    }

    @Test(
        "Each name of Apple's table finds its attribute and no other",
        arguments: SubjectField.objectIdentifiers.map(\.name))
    func eachNameOfApple(name: String) throws {
        let code = Synthetic.code([Synthetic.certificate([(name, "value")])])
        for other in SubjectField.objectIdentifiers.map(\.name) {
            let result = try evaluate(.field(0, "subject.\(other)", .equal("value")), code)
            #expect(result == (other == name ? .true : .false))
        }
    }

    @Test(
        "An unknown name is false, even for absent and even with an attribute without a type",
        arguments: ["subject.XX", "subject.", "subject.C-L", "subject.cn", "CN", ""])
    func anUnknownNameIs(name: String) throws {
        let certificate = Synthetic.certificate([("unknown", "value")])
        #expect(certificate.subject[0].type.isEmpty)
        #expect(try evaluate(.field(0, name, .absent), Synthetic.code([certificate])) == .false)
        #expect(try evaluate(.field(0, name, .exists), Synthetic.code([certificate])) == .false)
    }

    @Test("An extension is there or not; comparing it with anything is false") func anExtensionIsThere() throws {
        for match: RequirementMatch in [
            .equal("x"), .contains("x"), .less("x"), .greaterOrEqual(""), .on(0), .onOrAfter(.min),
            .unknown(code: 77, operand: []),
        ] {
            #expect(try evaluate(.marker(0, AppleMarkers.developerIDApplication, match)) == .false)
            #expect(try evaluate(.certificatePolicy(slot: 0, oid: [0x2A, 3], match)) == .false)
        }
    }

    @Test("A timestamp without a certificate is absent, unlike an extension") func aTimestampWithoutA() throws {
        #expect(try evaluate(.certificateTimestamp(slot: 7, oid: [0x2A], .absent)) == .true)
        #expect(try evaluate(.certificateTimestamp(slot: 7, oid: [0x2A], .exists)) == .false)
        #expect(try evaluate(.certificateTimestamp(slot: 0, oid: [0x2A], .absent), Synthetic.adhoc) == .true)
    }

    @Test(
        "A date inside an extension",
        arguments: [
            ("20190408000000Z", .exists, .true), ("20190408000000Z", .absent, .false),
            ("20190408000000Z", .on(576_374_400), .true), ("20190408000001Z", .on(576_374_400), .false),
            ("20190407235959Z", .before(576_374_400), .true), ("20190408000000Z", .before(576_374_400), .false),
            ("20190408000001Z", .after(576_374_400), .true), ("20190408000000Z", .after(576_374_400), .false),
            ("20190408000000Z", .onOrBefore(576_374_400), .true), ("20190408000001Z", .onOrBefore(576_374_400), .false),
            ("20190408000000Z", .onOrAfter(576_374_400), .true), ("20190407235959Z", .onOrAfter(576_374_400), .false),
            ("20190408000000Z", .equal("20190408000000Z"), .false), ("19000101000000Z", .before(0), .true),
            // What cannot be read is null, and so is the first second of 2001, as in Apple's reader.
            ("20190408000000", .absent, .true), ("20191308000000Z", .absent, .true),
            ("20190229000000Z", .exists, .false),
            ("20200229000000Z", .exists, .true), ("20010101000000Z", .absent, .true),
        ] as [(String, RequirementMatch, RequirementResult)]) func aDateInsideAn(
            text: String, match: RequirementMatch, result: RequirementResult
        ) throws
    {
        let value = [0x0C, UInt8(text.utf8.count)] + Array(text.utf8)
        let leaf = Synthetic.certificate(
            [("CN", "x")], extensions: [.init(identifier: [0x2A], critical: false, value: value)])
        let code = Synthetic.code([leaf])
        #expect(try evaluate(.certificateTimestamp(slot: 0, oid: [0x2A], match), code) == result)
    }

    @Test("Opcode 5 asks what info equal asks") func opcode5AsksWhat() throws {
        let code = Synthetic.code(info: ["K": .string("v"), "A": .array([.string("w"), .string("v")])])
        for (key, value, result) in [("K", "v", true), ("K", "V", false), ("A", "v", true), ("N", "v", false)] {
            let legacy = RequirementExpression.legacyInfoValue(key: Array(key.utf8), value: Array(value.utf8))
            #expect(try evaluate(legacy, code) == (result ? .true : .false))
            #expect(try evaluate(.info(key, .equal(value)), code) == (result ? .true : .false))
        }
    }

    @Test("Keys are not paths, and keys that only look alike are different") func keysAreNotPaths() throws {
        let code = Synthetic.code(info: ["a": .dictionary(["b": .string("v")]), "e\u{301}": .string("v")])
        #expect(try evaluate(.info("a.b", .exists), code) == .false)
        #expect(try evaluate(.info("e\u{301}", .exists), code) == .true)
        #expect(try evaluate(.info("\u{E9}", .exists), code) == .false)
        #expect(try evaluate(.info("\u{E9}", .absent), code) == .true)
    }

    @Test("anchor apple needs root, intermediate and the leaf's marker, each of them") func anchorAppleNeedsRoot()
        throws
    {
        let good = Synthetic.appleSoftware
        #expect(try evaluate(.appleAnchor, Synthetic.code(good)) == .true)
        var unmarked = good
        unmarked[0] = Synthetic.certificate([("CN", "Software Signing"), ("O", "Apple Inc.")])
        #expect(try evaluate(.appleAnchor, Synthetic.code(unmarked)) == .false)
        let older = EvaluationRules(appleAnchor: .beforeLeafMarker)
        #expect(try evaluate(.appleAnchor, Synthetic.code(unmarked), rules: older) == .true)
        for intermediate in [
            [("CN", "Apple Code Signing Certification Authority")],
            [("CN", "Apple Code Signing Certification Authority"), ("O", "Apple Inc")],
            [("CN", "Apple Code Signing Certification Authority "), ("O", "Apple Inc.")],
            [("CN", "Apple Code Signing Certification Authority"), ("O", "Apple Inc."), ("CN", "Other")],
        ] {
            let chain = [good[0], Synthetic.certificate(intermediate), Synthetic.root]
            #expect(try evaluate(.appleAnchor, Synthetic.code(chain), rules: older) == .false)
        }
        let otherRoot = Synthetic.certificate([("CN", "Apple Root CA")])
        #expect(try evaluate(.appleAnchor, Synthetic.code(good.dropLast() + [otherRoot])) == .false)
        #expect(try evaluate(.appleAnchor, Synthetic.code([Synthetic.root])) == .false)
    }

    @Test(
        "The trust cache makes code Apple's without any certificate, and no answer is no",
        arguments: [(SystemAnswer.yes, RequirementResult.true), (.no, .false), (.unknown, .false)])
    func theTrustCacheMakes(
        answer: SystemAnswer, result: RequirementResult
    ) throws {
        var code = Synthetic.adhoc
        code.inTrustCache = answer
        #expect(try evaluate(.appleAnchor, code) == result)
        #expect(try evaluate(.appleGenericAnchor, code) == .false)
    }

    @Test(
        "Notarised is what the system answers", arguments: [(SystemAnswer.yes, RequirementResult.true), (.no, .false)])
    func notarisedIsWhatThe(answer: SystemAnswer, result: RequirementResult) throws {
        var code = Synthetic.code()
        code.notarized = answer
        #expect(try evaluate(.notarized, code) == result)
    }

    @Test("Without an answer neither notarised nor its negation comes true") func withoutAnAnswerNeither() throws {
        #expect(try evaluate(.notarized).code == .evaluationUnanswered)
        #expect(try evaluate(.not(.notarized)).code == .evaluationUnanswered)
        #expect(try evaluate(.or(.always, .notarized)).code == .evaluationUnanswered)
    }

    @Test(
        "legacy goes by the account's date, then the timestamp, then the list",
        arguments: [
            (nil, 1_559_347_199, .unknown, .true), (nil, 1_559_347_200, .no, .false), (nil, 1_559_347_200, .yes, .true),
            (nil, nil, .no, .false), ("20190407235959Z", 1_559_347_199, .no, .true),
            ("20190408000000Z", 1_559_347_199, .yes, .false), ("nonsense", 1_559_347_199, .yes, .false),
        ] as [(String?, Int64?, SystemAnswer, RequirementResult)])
    func legacyGoesByThe(
        account: String?, signed: Int64?, listed: SystemAnswer, result: RequirementResult
    ) throws {
        let dates = account.map {
            [
                CertificateFacts.Extension(
                    identifier: AppleMarkers.developerIDDate, critical: false,
                    value: [0x0C, UInt8($0.utf8.count)] + Array($0.utf8))
            ]
        }
        var code = Synthetic.code([Synthetic.certificate([("CN", "x")], extensions: dates ?? []), Synthetic.root])
        code.secureTimestamp = signed
        #expect(try evaluate(.legacyDeveloperID, code, rules: .init(authority: Authority(listed: listed))) == result)
    }

    @Test("legacy without a list is an error where only the list could decide") func legacyWithoutAList() throws {
        var code = Synthetic.code()
        #expect(try evaluate(.legacyDeveloperID, code).code == .evaluationUnanswered)
        code.secureTimestamp = 0
        #expect(try evaluate(.legacyDeveloperID, code) == .true)
    }

    @Test("Trust settings are an error without somebody to ask") func trustSettingsAreAn() throws {
        for atom: RequirementExpression in [.anchorTrusted, .certificateTrusted(slot: 0), .certificateTrusted(slot: 9)]
        {
            #expect(try evaluate(atom).code == .evaluationUnanswered)
            #expect(try evaluate(.not(atom)).code == .evaluationUnanswered)
        }
        let rules = EvaluationRules(authority: Authority(trust: [.unknown]))
        #expect(try evaluate(.anchorTrusted, rules: rules).code == .evaluationUnanswered)
        #expect(try evaluate(.certificateTrusted(slot: 0), rules: rules).code == .evaluationUnanswered)
    }

    @Test(
        "anchor trusted takes any certificate up to the first that is denied",
        arguments: [
            ([.unspecified, .unspecified, .trusted], .true), ([.unspecified, .denied, .trusted], .false),
            ([.trusted, .denied, .denied], .true), ([.unspecified, .unspecified, .unspecified], .false),
        ] as [([CertificateTrust], RequirementResult)])
    func anchorTrustedTakesAny(
        trust: [CertificateTrust], result: RequirementResult
    ) throws {
        let rules = EvaluationRules(authority: Authority(trust: trust))
        #expect(try evaluate(.anchorTrusted, rules: rules) == result)
        for (slot, setting) in trust.enumerated() {
            let one = try evaluate(.certificateTrusted(slot: Int32(slot)), rules: rules)
            #expect(one == (setting == .trusted ? .true : .false))
        }
        #expect(try evaluate(.certificateTrusted(slot: 3), rules: rules) == .false)
        #expect(try evaluate(.anchorTrusted, Synthetic.adhoc, rules: rules) == .false)
    }

    @Test("Linux atoms are undecided of a Mac program, and so are their negations") func linuxAtomsAreUndecided() throws
    {
        for atom in linuxAtoms {
            #expect(try evaluate(atom) == .false)
            #expect(try evaluate(.not(atom)) == .false)
            #expect(try evaluate(.or(atom, .appleGenericAnchor)) == .true)
            #expect(try evaluate(.and(.not(atom), .appleGenericAnchor)) == .false)
        }
    }

    private let linuxAtoms: [RequirementExpression] = [
        .osAnchor, .package([0x61]), .unit([0x61]), .path(.equal("/a")), .digest([UInt8](repeating: 0, count: 32)),
        .interpreter, .user(0),
    ]

    /// Answers by the place of the certificate's hash in the Developer ID chain.
    private struct Authority: RequirementAuthority {
        var listed = SystemAnswer.unknown
        var trust: [CertificateTrust] = []

        func trust(in certificate: CertificateFacts, isAnchor: Bool) -> CertificateTrust {
            let place = Synthetic.developerID.firstIndex(of: certificate) ?? 0
            #expect(isAnchor == (place == 2))
            return trust[place % trust.count]
        }

        func isOnLegacyList(_ code: CodeSubject) -> SystemAnswer { listed }
    }
}
