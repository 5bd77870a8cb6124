// SPDX-License-Identifier: Apache-2.0

// Requirement text as a tree.

import FlowModel
import Testing

@testable import CodeIdentity

@Suite("RequirementParser") struct RequirementParserTests {
    private static let sha1 = "00112233445566778899aabbccddeeff00112233"
    private static let hash = Hexadecimal.bytes(sha1.utf8) ?? []

    private static func tree(_ text: String) throws(CodeProblem) -> RequirementExpression {
        var parser = try RequirementParser(Array(text.utf8))
        return try parser.requirement()
    }

    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test(
        "Every term of Apple's grammar",
        arguments: [
            ("always", .always), ("true", .always), ("never", .never), ("false", .never), ("notarized", .notarized),
            ("legacy", .legacyDeveloperID), ("identifier gh", .identifier(bytes("gh"))),
            ("identifier = \"a-b\"", .identifier(bytes("a-b"))), ("identifier == com.x", .identifier(bytes("com.x"))),
            ("identifier package", .identifier(bytes("package"))), ("cdhash H\"\(sha1)\"", .cdhash(hash)),
            ("platform = 14", .platform(14)), ("platform 2147483647", .platform(.max)),
            ("anchor apple", .appleAnchor), ("anchor apple generic", .appleGenericAnchor),
            ("anchor generic apple", .appleGenericAnchor), ("anchor apple x", .namedAnchor(bytes("x"))),
            ("anchor apple \"generic\"", .namedAnchor(bytes("generic"))), ("anchor trusted", .anchorTrusted),
            ("certificate trusted", .anchorTrusted), ("cert trusted", .anchorTrusted),
            ("cert leaf trusted", .certificateTrusted(slot: 0)), ("(sub)", .namedCode(bytes("sub"))),
            ("(\"a b\")", .namedCode(bytes("a b"))), ("anchor = H\"\(sha1)\"", .certificateHash(slot: -1, hash)),
            ("anchor H\"\(sha1)\"", .certificateHash(slot: -1, hash)),
            ("certificate root == H\"\(sha1.uppercased())\"", .certificateHash(slot: -1, hash)),
            ("certificate - 2 trusted", .certificateTrusted(slot: -2)),
            ("certificate -2147483648 trusted", .certificateTrusted(slot: .min)),
            ("anchor[subject.CN] exists", .certificateField(slot: -1, name: bytes("subject.CN"), .exists)),
            ("cert 1[\"subject.C-O\"]", .certificateField(slot: 1, name: bytes("subject.C-O"), .exists)),
            ("cert leaf[field.2.999.3] absent", .certificateExtension(slot: 0, oid: [0x88, 0x37, 3], .absent)),
            ("cert leaf[extension.2.999.3]", .certificateExtension(slot: 0, oid: [0x88, 0x37, 3], .exists)),
            ("cert leaf[field.1]", .certificateExtension(slot: 0, oid: [], .exists)),
            ("cert leaf[policy.2.999.3]", .certificatePolicy(slot: 0, oid: [0x88, 0x37, 3], .exists)),
            ("cert leaf[timestamp.2.999.3]", .certificateTimestamp(slot: 0, oid: [0x88, 0x37, 3], .exists)),
        ] as [(String, RequirementExpression)])
    func terms(_ text: String, _ expression: RequirementExpression) throws {
        #expect(try Self.tree(text) == expression)
    }

    @Test(
        "Every match",
        arguments: [
            ("", .exists), ("exists", .exists), ("absent", .absent), ("= v", .equal(bytes("v"))),
            ("== \"10\"", .equal(bytes("10"))), ("= 0x0aFF", .equal([10, 255])), ("= *v*", .contains(bytes("v"))),
            ("~ v", .contains(bytes("v"))), ("= v*", .beginsWith(bytes("v"))), ("=*v", .endsWith(bytes("v"))),
            ("= \"v*\"", .equal(bytes("v*"))), ("< v", .less(bytes("v"))), ("> v", .greater(bytes("v"))),
            ("<= v", .lessOrEqual(bytes("v"))), (">= v", .greaterOrEqual(bytes("v"))),
            ("= timestamp \"20010101000001Z\"", .on(1)), ("< timestamp \"20010101000001Z\"", .before(1)),
            ("> timestamp \"20010101000001Z\"", .after(1)), ("<= timestamp \"20010101000001Z\"", .onOrBefore(1)),
            (">= timestamp \"20010101000001Z\"", .onOrAfter(1)),
        ] as [(String, RequirementMatch)])
    func matches(_ text: String, _ match: RequirementMatch) throws {
        #expect(try Self.tree("info[k] \(text)") == .info(key: Self.bytes("k"), match))
        #expect(try Self.tree("entitlement [\"k\"]\(text)") == .entitlement(key: Self.bytes("k"), match))
    }

    @Test(
        "Not binds closer than and, and closer than or; both nest to the left; parentheses leave no node",
        arguments: [
            ("always or never or legacy", .or(.or(.always, .never), .legacyDeveloperID)),
            ("always and never and legacy", .and(.and(.always, .never), .legacyDeveloperID)),
            ("always or never and legacy", .or(.always, .and(.never, .legacyDeveloperID))),
            ("always and never or legacy", .or(.and(.always, .never), .legacyDeveloperID)),
            ("always and (never and legacy)", .and(.always, .and(.never, .legacyDeveloperID))),
            ("! always and never", .and(.not(.always), .never)), ("!! (((always)))", .not(.not(.always))),
            ("!(always or never)", .not(.or(.always, .never))), ("always;;", .always),
        ] as [(String, RequirementExpression)])
    func operators(_ text: String, _ expression: RequirementExpression) throws {
        #expect(try Self.tree(text) == expression)
    }

    @Test(
        "Every term of Linux",
        arguments: [
            ("anchor os", .osAnchor), ("package curl", .package(bytes("curl"))),
            ("package = \"libc6\"", .package(bytes("libc6"))), ("unit == \"a.service\"", .unit(bytes("a.service"))),
            ("path \"/usr/bin/x\"", .path(.equal(bytes("/usr/bin/x")))),
            ("path = \"/opt/x/\"*", .path(.beginsWith(bytes("/opt/x/")))),
            ("digest H\"\(sha1)\(sha1.prefix(24))\"", .digest(hash + hash.prefix(12))), ("interpreter", .interpreter),
            ("user = 4294967295", .user(.max)), ("! interpreter", .not(.interpreter)),
            ("(interpreter or user 0)", .or(.interpreter, .user(0))), ("(package x)", .package(bytes("x"))),
            ("(unit = x)", .unit(bytes("x"))),
        ] as [(String, RequirementExpression)])
    func linux(_ text: String, _ expression: RequirementExpression) throws {
        #expect(try Self.tree(text) == expression)
    }

    @Test(
        "The Linux words keep Apple's meaning wherever Apple's grammar has a word",
        arguments: RequirementLinuxWord.allCases)
    func contextual(_ linuxWord: RequirementLinuxWord) throws {
        let word = linuxWord.rawValue
        let bytes = Self.bytes(word)
        #expect(try Self.tree("info[\(word)] = \(word)") == .info(key: bytes, .equal(bytes)))
        #expect(try Self.tree("entitlement[\(word)] >= \(word)") == .entitlement(key: bytes, .greaterOrEqual(bytes)))
        #expect(try Self.tree("identifier \(word)") == .identifier(bytes))
        #expect(try Self.tree("anchor apple \(word)") == .namedAnchor(bytes))
        #expect(try Self.tree("(\(word))") == .namedCode(bytes))
        #expect(try Self.tree("((\(word)))") == .namedCode(bytes))
        #expect(try Self.tree("identifier \(word).x") == .identifier(bytes + Self.bytes(".x")))
        #expect(throws: CodeProblem.self) { try Self.tree("\(word).x") }
        #expect(throws: CodeProblem.self) { try Self.tree("anchor \(word)") }
    }

    @Test("`os` is a word everywhere but right after `anchor`")
    func anchorOS() throws {
        #expect(try Self.tree("anchor apple os") == .namedAnchor(Self.bytes("os")))
        #expect(try Self.tree("(os)") == .namedCode(Self.bytes("os")))
        #expect(try Self.tree("info[os] = os") == .info(key: Self.bytes("os"), .equal(Self.bytes("os"))))
        #expect(
            problemCode { () throws(CodeProblem) in _ = try Self.tree("anchor \"os\"") } == .requirementFileReference)
        #expect(problemCode { () throws(CodeProblem) in _ = try Self.tree("anchor = os") } == .requirementFileReference)
    }

    @Test(
        "What Apple refuses is refused, and what Apple's compiler would bend",
        arguments: [
            ("", "requirement-unexpected-end", 0), (" # x", "requirement-unexpected-end", 4),
            ("always and", "requirement-unexpected-end", 10), ("(always", "requirement-unexpected-end", 7),
            ("always)", "requirement-unexpected-token", 6), ("()", "requirement-unexpected-token", 1),
            ("always never", "requirement-unexpected-token", 7), ("; always", "requirement-unexpected-token", 0),
            ("not always", "requirement-unexpected-token", 0), ("and always", "requirement-unexpected-token", 0),
            ("leaf", "requirement-unexpected-token", 0), ("foo", "requirement-unexpected-token", 0),
            ("\"foo\"", "requirement-unexpected-token", 0), ("(foo and always)", "requirement-unexpected-token", 5),
            ("(\"unit\" x)", "requirement-unexpected-token", 8), ("always, never", "requirement-unexpected-token", 6),
            ("identifier com-x", "requirement-unexpected-token", 14),
            ("identifier a.2fast", "requirement-unexpected-token", 14),
            ("identifier apple", "requirement-reserved-word", 11), ("info[k] = true", "requirement-reserved-word", 10),
            ("info[exists]", "requirement-reserved-word", 5),
            ("info[k] = *timestamp \"20010101000000Z\"", "requirement-reserved-word", 11),
            ("info[k] = 10", "requirement-unquoted-number", 10), ("identifier 5", "requirement-unquoted-number", 11),
            ("identifier 0x4142", "requirement-unexpected-token", 11),
            ("info[0x41]", "requirement-unexpected-token", 5),
            ("info[k] = 0x123", "requirement-invalid-hexadecimal", 10), ("info", "requirement-unexpected-end", 4),
            ("info k", "requirement-unexpected-token", 5), ("info[k", "requirement-unexpected-end", 6),
            ("info[k] ~ *v", "requirement-unexpected-token", 10), ("info[k] ! v", "requirement-unexpected-token", 8),
            ("cdhash H\"00\"", "requirement-hash-length", 7), ("cdhash 0x00", "requirement-unexpected-token", 7),
            ("certificate leaf = H\"\(sha1)00\"", "requirement-hash-length", 19),
            ("certificate leaf = \"/etc/passwd\"", "requirement-file-reference", 19),
            ("certificate leaf /etc/passwd", "requirement-file-reference", 17),
            ("certificate leaf = foo", "requirement-file-reference", 19),
            ("anchor foo", "requirement-file-reference", 7),
            ("certificate leaf", "requirement-unexpected-end", 16),
            ("certificate anchor[subject.CN]", "requirement-unexpected-token", 12),
            ("certificate apple", "requirement-unexpected-token", 12),
            ("anchor leaf trusted", "requirement-unexpected-token", 7),
            ("anchor generic", "requirement-unexpected-end", 14), ("anchor", "requirement-unexpected-end", 6),
            ("certificate leaf[email]", "requirement-certificate-field", 16),
            ("certificate leaf[subject]", "requirement-certificate-field", 16),
            ("certificate leaf[field.x]", "requirement-invalid-object-identifier", 16),
            ("certificate leaf[\"policy.\"]", "requirement-invalid-object-identifier", 16),
            ("certificate 4294967295 trusted", "requirement-integer-range", 12),
            ("certificate -2147483649 trusted", "requirement-integer-range", 13),
            ("certificate 99999999999999999999999 trusted", "requirement-integer-range", 12),
            ("platform = 2147483648", "requirement-integer-range", 11),
            ("platform = -1", "requirement-unexpected-token", 11),
            ("platform x", "requirement-unexpected-token", 9),
            ("info[k] = timestamp \"2001\"", "requirement-invalid-timestamp", 20),
            ("info[k] < timestamp \"20010230000000Z\"", "requirement-invalid-timestamp", 20),
            ("info[k] = timestamp 20010101000000Z", "requirement-unexpected-token", 20),
            ("host => always", "requirement-set-unexpected", 0), ("3 => always", "requirement-set-unexpected", 0),
            ("package", "requirement-unexpected-end", 7), ("package 5", "requirement-unquoted-number", 8),
            ("path \"usr/bin/x\"", "requirement-relative-path", 5),
            ("path /usr/bin/x", "requirement-unexpected-token", 5),
            ("path *\"/x\"", "requirement-unexpected-token", 5), ("digest H\"\(sha1)\"", "requirement-hash-length", 7),
            ("user 4294967296", "requirement-integer-range", 5), ("user \"root\"", "requirement-unexpected-token", 5),
            ("interpreter = x", "requirement-unexpected-token", 12), ("unit \"a\"*", "requirement-unexpected-token", 8),
        ])
    func refused(_ text: String, _ code: String, _ offset: UInt64) {
        #expect(throws: CodeProblem(CodeProblem.Code(code), at: offset, "")) { try Self.tree(text) }
    }

    @Test("Each refusal says line and column, and what to do where it can")
    func advice() {
        let problem = #expect(throws: CodeProblem.self) { try Self.tree("always and\n  identifier apple") }
        #expect(
            problem?.detail
                == "line 2, column 14: the keyword `apple` where an identifier is wanted: write \"apple\" in quotes if it is meant"
        )
    }

    @Test("A tree of 999 levels is read, one more is not, however it is nested")
    func depth() throws {
        let limit = CodeIdentityLimits.requirementDepth.value
        for (repeated, end, levels) in [("! ", "always", 1), ("always and ", "always", 1), ("never or ", "always", 1)] {
            let fits = String(repeating: repeated, count: limit - levels) + end
            #expect(throws: Never.self) { try Self.tree(fits) }
            #expect(problemCode { () throws(CodeProblem) in _ = try Self.tree(repeated + fits) } == .limit)
        }
        let parentheses = String(repeating: "(", count: limit) + "always" + String(repeating: ")", count: limit)
        #expect(try Self.tree(parentheses) == .always)
        #expect(problemCode { () throws(CodeProblem) in _ = try Self.tree("(\(parentheses))") } == .limit)
        // Only what is open at a time counts.
        for repeated in ["((always)) and ", "!!always and "] {
            let closed = String(repeating: repeated, count: 600) + "always"
            #expect(throws: Never.self) { try Self.tree(closed) }
        }
        // Far too deep ends at the limit, not at the end of the stack.
        let flood = String(repeating: "!(", count: 400_000)
        #expect(problemCode { () throws(CodeProblem) in _ = try Self.tree(flood) } == .limit)
    }

    @Test("A text beyond the limit is not read")
    func size() {
        let text = String(repeating: " ", count: CodeIdentityLimits.requirementText.value) + "always"
        #expect(problemCode { () throws(CodeProblem) in _ = try Self.tree(text) } == .limit)
    }

    @Test("Every beginning of a text is read or refused, and none traps")
    func beginnings() {
        let text = Self.bytes(
            "anchor apple generic and (certificate -1[field.1.2.3] /* c */ or !info[k] = *\"a\\\"b\"*) and cdhash H\"\(Self.sha1)\" # x"
        )
        for end in 0...text.count {
            _ = problemCode { () throws(CodeProblem) in
                var parser = try RequirementParser(Array(text[..<end]))
                _ = try parser.requirement()
            }
        }
    }

    @Test("A soup of tokens is read or refused, and what is read can be printed and read again")
    func soup() throws {
        var source = RequirementTreeSource(seed: 7)
        let tokens =
            RequirementKeyword.allCases.map(\.rawValue) + RequirementLinuxWord.allCases.map(\.rawValue)
            + [
                "=>", ";", "(", ")", "[", "]", "<", ">", "<=", ">=", ",", "=", "==", "~", "-", "!", "*", "x",
                "subject.CN",
            ]
            + [
                "\"a\"", "\"/a\"", "0x41", "1", "H\"\(Self.sha1)\"", "/* c */", "# c\n", "/a/b", "field.1.2", "os", "'",
                "\"",
            ]
        var read = 0
        for _ in 0..<20_000 {
            let count = Int.random(in: 1...6, using: &source)
            let text = (0..<count).map { _ in source.pick(tokens) }.joined(separator: " ")
            guard let first = try? RequirementSource.read(text: text) else { continue }
            read += 1
            #expect(try RequirementSource.read(text: first.text).text == first.text)
        }
        #expect(read > 100)
    }

    @Test("Bytes of any kind are refused or read, and none traps")
    func noise() {
        var source = RequirementTreeSource(seed: 8)
        for _ in 0..<5_000 {
            let bytes = source.bytes(0...40)
            _ = problemCode { () throws(CodeProblem) in
                var parser = try RequirementParser(bytes)
                _ = try parser.requirement()
            }
        }
    }
}
