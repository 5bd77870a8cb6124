// SPDX-License-Identifier: Apache-2.0

// Requirement trees as text.

import Testing

@testable import CodeIdentity

@Suite("RequirementPrinter") struct RequirementPrinterTests {
    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static func info(_ match: RequirementMatch) -> RequirementExpression { .info(key: bytes("k"), match) }

    @Test(
        "Terms that both styles print alike",
        arguments: [
            (.never, "never"), (.always, "always"), (.appleAnchor, "anchor apple"),
            (.appleGenericAnchor, "anchor apple generic"), (.anchorTrusted, "anchor trusted"),
            (.notarized, "notarized"), (.legacyDeveloperID, "legacy"), (.identifier(bytes("gh")), "identifier gh"),
            (.identifier(bytes("com.x")), "identifier \"com.x\""), (.identifier(bytes("2x")), "identifier \"2x\""),
            (.identifier(bytes("apple")), "identifier \"apple\""), (.identifier([]), "identifier \"\""),
            (.identifier(bytes("package")), "identifier package"),
            (.identifier(bytes("a \"b\"")), "identifier \"a \\\"b\\\"\""),
            (.identifier(bytes("a\tb\u{0B}\n")), "identifier \"a\tb\u{0B}\n\""),
            (.identifier(bytes("é")), "identifier 0xc3a9"), (.identifier([0x61, 0]), "identifier 0x6100"),
            (.cdhash([0xAB, 1]), "cdhash H\"ab01\""), (.namedAnchor(bytes("generic")), "anchor apple \"generic\""),
            (.namedCode(bytes("unit")), "(unit)"), (.namedCode(bytes("a b")), "(\"a b\")"),
            (.platform(-1), "platform = -1"), (.certificateHash(slot: 0, [1]), "certificate leaf = H\"01\""),
            (.certificateHash(slot: -1, [1]), "certificate root = H\"01\""),
            (.certificateHash(slot: -2, []), "certificate -2 = H\"\""),
            (.legacyInfoValue(key: bytes("a.b"), value: bytes("c.d")), "info[a.b] = \"c.d\""),
            (.entitlement(key: bytes("a-b"), .exists), "entitlement[\"a-b\"] /* exists */"),
            (.entitlement(key: bytes("info"), .exists), "entitlement[\"info\"] /* exists */"),
            (.certificateField(slot: 1, name: bytes("subject.CN"), .absent), "certificate 1[subject.CN] absent "),
            (
                .certificateExtension(slot: 0, oid: [0x88, 0x37, 3], .exists),
                "certificate leaf[field.2.999.3] /* exists */"
            ),
            (.certificatePolicy(slot: 0, oid: [0x2A], .exists), "certificate leaf[policy.1.2] /* exists */"),
            (.certificateTimestamp(slot: 0, oid: [0x2A], .exists), "certificate leaf[timestamp.1.2] /* exists */"),
            (info(.equal(bytes("v"))), "info[k] = v"), (info(.contains(bytes("v"))), "info[k] ~ v"),
            (info(.beginsWith(bytes("v.w"))), "info[k] = \"v.w\"*"), (info(.endsWith([0xFF])), "info[k] = *0xff"),
            (info(.less(bytes("v"))), "info[k] < v"), (info(.greater(bytes("v"))), "info[k] > v"),
            (info(.lessOrEqual(bytes("v"))), "info[k] <= v"), (info(.greaterOrEqual(bytes("v"))), "info[k] >= v"),
        ] as [(RequirementExpression, String)])
    func alike(_ expression: RequirementExpression, _ text: String) {
        #expect(RequirementPrinter.text(expression) == text)
        #expect(RequirementPrinter.text(expression, style: .apple) == text)
    }

    @Test(
        "Where Apple's text could not be read again, the canonical one is mended",
        arguments: [
            (.certificateTrusted(slot: 0), "certificate leaf trusted", "certificate leaftrusted"),
            (info(.on(0)), "info[k] = timestamp \"20010101000000Z\"", "info[k] = <2001-01-01 00:00:00 +0000>"),
            (info(.before(1)), "info[k] < timestamp \"20010101000001Z\"", "info[k] < <2001-01-01 00:00:01 +0000>"),
            (info(.after(1)), "info[k] > timestamp \"20010101000001Z\"", "info[k] > <2001-01-01 00:00:01 +0000>"),
            (
                info(.onOrBefore(1)), "info[k] <= timestamp \"20010101000001Z\"",
                "info[k] <= <2001-01-01 00:00:01 +0000>"
            ),
            (info(.onOrAfter(1)), "info[k] >= timestamp \"20010101000001Z\"", "info[k] >= <2001-01-01 00:00:01 +0000>"),
            (info(.equal(bytes("a\\b"))), "info[k] = 0x615c62", "info[k] = \"a\\\\b\""),
            (
                .certificateExtension(slot: 0, oid: [], .exists), "certificate leaf[field.0] /* exists */",
                "certificate leaf[field.] /* exists */"
            ),
            (.info(key: bytes("a..b"), .exists), "info[\"a..b\"] /* exists */", "info[a..b] /* exists */"),
            (.info(key: bytes("a.2b"), .exists), "info[\"a.2b\"] /* exists */", "info[a.2b] /* exists */"),
        ] as [(RequirementExpression, String, String)])
    func mended(_ expression: RequirementExpression, _ canonical: String, _ apple: String) throws {
        #expect(RequirementPrinter.text(expression) == canonical)
        #expect(RequirementPrinter.text(expression, style: .apple) == apple)
        #expect(try Requirement(text: canonical).expression == expression)
    }

    @Test(
        "What text cannot say prints so that nobody reads it as something else",
        arguments: [
            (.unknown(opcode: 0x8000_0063, operand: []), "OPCODE 2147483747 NOT UNDERSTOOD", "false /* opcode 99 */"),
            (
                .skipped(opcode: 0x4000_0063, operand: [], .or(.always, .never)),
                "OPCODE 1073741923 NOT UNDERSTOOD, SKIPPED FOR (always or never)", "/* opcode 99 */"
            ),
            (
                .not(.unknown(opcode: 0x8000_0063, operand: [])), "! OPCODE 2147483747 NOT UNDERSTOOD",
                "!  false /* opcode 99 */"
            ),
            (
                info(.unknown(code: .max, operand: [])), "info[k] MATCH OPCODE 4294967295 NOT UNDERSTOOD",
                "info[k]MATCH OPCODE -1 NOT UNDERSTOOD"
            ),
            (info(.on(.max)), "info[k] = timestamp \"9223372036854775807\"", "info[k] = <9223372036854775807>"),
            (
                .certificateExtension(slot: 0, oid: [0x80], .exists), "certificate leaf[field.0x80] /* exists */",
                "certificate leaf[field.0.0] /* exists */"
            ),
            (.identifier(bytes("\\")), "identifier 0x5c", "identifier \"\\\\\""),
        ] as [(RequirementExpression, String, String)])
    func unsayable(_ expression: RequirementExpression, _ canonical: String, _ apple: String) {
        #expect(RequirementPrinter.text(expression) == canonical)
        #expect(RequirementPrinter.text(expression, style: .apple) == apple)
        #expect(throws: CodeProblem.self) { try Requirement(text: canonical) }
    }

    @Test(
        "Parentheses stand where they must and nowhere else",
        arguments: [
            (.and(.or(.always, .never), .always), "(always or never) and always"),
            (.or(.and(.always, .never), .always), "always and never or always"),
            (.and(.always, .and(.never, .always)), "always and never and always"),
            (.or(.always, .or(.never, .always)), "always or never or always"),
            (.not(.and(.always, .never)), "! (always and never)"), (.not(.not(.always)), "! ! always"),
            (.and(.not(.or(.always, .never)), .always), "! (always or never) and always"),
        ] as [(RequirementExpression, String)])
    func parentheses(_ expression: RequirementExpression, _ text: String) {
        #expect(RequirementPrinter.text(expression) == text)
    }

    @Test(
        "Terms of Linux",
        arguments: [
            (.osAnchor, "anchor os"), (.package(bytes("curl")), "package curl"),
            (.unit(bytes("a.service")), "unit \"a.service\""), (.path(.equal(bytes("/bin/x"))), "path \"/bin/x\""),
            (.path(.beginsWith(bytes("/opt/"))), "path \"/opt/\"*"), (.digest([0xAB]), "digest H\"ab\""),
            (.interpreter, "interpreter"), (.user(1000), "user 1000"),
        ] as [(RequirementExpression, String)])
    func linux(_ expression: RequirementExpression, _ text: String) {
        #expect(RequirementPrinter.text(expression) == text)
    }

    @Test("Apple cuts a bare word to 255 characters, but no string in quotes")
    func longWord() {
        let word = String(repeating: "a", count: 300)
        #expect(RequirementPrinter.text(.identifier(Self.bytes(word)), style: .apple).utf8.count == 11 + 255)
        #expect(RequirementPrinter.text(.identifier(Self.bytes(word))).utf8.count == 11 + 300)
        #expect(RequirementPrinter.text(.identifier(Self.bytes("\(word).")), style: .apple).utf8.count == 11 + 303)
    }
}
