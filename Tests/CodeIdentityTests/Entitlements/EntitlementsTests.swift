// SPDX-License-Identifier: Apache-2.0

// Which entitlements count, when two forms disagree, and what they let in.

import FlowModel
import Testing

@testable import CodeIdentity

@Suite("Entitlements") struct EntitlementsTests {
    private let values: [String: PropertyListValue] = ["com.apple.security.get-task-allow": .boolean(true)]
    private let der: [UInt8]
    private let xml = PropertyListWriter.document("<dict><key>com.apple.security.get-task-allow</key><true/></dict>")

    init() throws { der = try EntitlementsDER.encode(values) }

    @Test("DER counts before XML, and there may be neither")
    func source() {
        let both = Entitlements(xml: xml, der: der)
        #expect(both.source == .der && both.values == values && both.agree == true && both.problems.isEmpty)
        let onlyXML = Entitlements(xml: xml, der: nil)
        #expect(onlyXML.source == .xml && onlyXML.values == values && onlyXML.agree == nil && onlyXML.problems.isEmpty)
        let onlyDER = Entitlements(xml: nil, der: der)
        #expect(onlyDER.source == .der && onlyDER.values == values && onlyDER.agree == nil && onlyDER.problems.isEmpty)
        let none = Entitlements(xml: nil, der: nil)
        #expect(none.source == .none && none.values.isEmpty && none.agree == nil && none.problems.isEmpty)
    }

    @Test("A real pair agrees")
    func real() throws {
        let der = try #require(Hexadecimal.bytes(EntitlementsDERTests.real.utf8))
        let xml = PropertyListWriter.document(PropertyListWriter.xml(.dictionary(EntitlementsDERTests.realValues)))
        #expect(Entitlements(xml: xml, der: der).agree == true)
        #expect(Entitlements(xml: xml, der: self.der).problems == [CodeProblem(.entitlementsDiffer, "")])
    }

    @Test("Empty ones agree, however they are empty")
    func empty() {
        let der: [UInt8] = [0x70, 5, 2, 1, 1, 0xB0, 0]
        for xml in [[], PropertyListWriter.document("<dict/>"), PropertyListWriter.document("<dict></dict>")] {
            let entitlements = Entitlements(xml: xml, der: der)
            #expect(entitlements.agree == true && entitlements.values.isEmpty && entitlements.problems.isEmpty)
        }
        #expect(Entitlements(xml: [], der: self.der).agree == false)
        #expect(Entitlements(xml: xml, der: der).agree == false)
    }

    @Test(
        "Every difference is told, in value, type, number and spelling",
        arguments: [
            "<dict><key>com.apple.security.get-task-allow</key><false/></dict>",
            "<dict><key>com.apple.security.get-task-allow</key><integer>1</integer></dict>",
            "<dict><key>com.apple.security.get-task-allow</key><real>1</real></dict>", "<dict/>",
            "<dict><key>com.apple.security.get-task-allow</key><true/><key>b</key><true/></dict>",
        ])
    func differ(_ xml: String) {
        let entitlements = Entitlements(xml: PropertyListWriter.document(xml), der: der)
        #expect(entitlements.agree == false && entitlements.problems == [CodeProblem(.entitlementsDiffer, "")])
        #expect(entitlements.source == .der && entitlements.values == values)
    }

    @Test("Two spellings of one text are two values")
    func spelling() throws {
        let der = try EntitlementsDER.encode(["k": .string("\u{212A}")])
        let xml = PropertyListWriter.document("<dict><key>k</key><string>K</string></dict>")
        #expect(Entitlements(xml: xml, der: der).agree == false)
    }

    @Test("What cannot be read is a problem, and the other form does not step in for it")
    func unreadable() {
        let badDER = Entitlements(xml: xml, der: Array(der.dropLast()))
        #expect(badDER.source == .der && badDER.values.isEmpty && badDER.agree == false)
        #expect(badDER.problems.map(\.code) == [.entitlementsDER, .entitlementsDiffer])
        let badXML = Entitlements(xml: Array(xml.dropLast(12)), der: der)
        #expect(badXML.values == values && badXML.agree == false)
        #expect(badXML.problems.map(\.code) == [.propertyListSyntax, .entitlementsDiffer])
        let alone = Entitlements(xml: Array("<plist><array/></plist>".utf8), der: nil)
        #expect(alone.values.isEmpty && alone.problems.map(\.code) == [.entitlementsXML])
        let binary = Entitlements(xml: PropertyListWriter.binary(.dictionary(values)), der: nil)
        #expect(binary.values.isEmpty && !binary.problems.isEmpty)
        let long = [UInt8](repeating: 0x20, count: CodeIdentityLimits.entitlementsBytes.value + 1)
        #expect(Entitlements(xml: long, der: nil).problems.map(\.code) == [.limit])
    }

    @Test("The comments of psychic paper do not hide an entitlement")
    func psychicPaper() {
        let xml = PropertyListWriter.document(
            "<dict><!---><!--><key>com.apple.private.security.no-container</key><true/><!-- --></dict>")
        let entitlements = Entitlements(xml: xml, der: nil)
        #expect(entitlements.values.isEmpty && entitlements.problems.map(\.code) == [.propertyListSyntax])
    }

    @Test("Without hardened runtime and library validation, foreign code gets in")
    func notHardened() {
        #expect(Entitlements.injectionPaths(flags: [.adhoc, .hard, .kill], entitlements: [:]) == [.notHardened])
        #expect(Entitlements.injectionPaths(flags: .runtime, entitlements: [:]) == [])
        #expect(Entitlements.injectionPaths(flags: .libraryValidation, entitlements: [:]) == [])
    }

    @Test(
        "Each entitlement that relaxes the hardened runtime is one way in, unless it is false",
        arguments: [
            ("com.apple.security.cs.disable-library-validation", .libraryValidationOff),
            ("com.apple.private.security.clear-library-validation", .libraryValidationOff),
            ("com.apple.security.cs.allow-dyld-environment-variables", .dyldEnvironment),
            ("com.apple.security.get-task-allow", .getTaskAllow), ("get-task-allow", .getTaskAllow),
            ("com.apple.security.cs.allow-unsigned-executable-memory", .unsignedExecutableMemory),
            ("com.apple.security.cs.disable-executable-page-protection", .pageProtectionOff),
        ] as [(String, InjectionPath)])
    func relaxations(_ name: String, _ path: InjectionPath) {
        #expect(Entitlements.injectionPaths(flags: .runtime, entitlements: [name: .boolean(true)]) == [path])
        #expect(Entitlements.injectionPaths(flags: .runtime, entitlements: [name: .integer(1)]) == [path])
        #expect(Entitlements.injectionPaths(flags: .runtime, entitlements: [name: .boolean(false)]) == [])
    }

    @Test("Several ways in come in one order and once each; other entitlements are none")
    func order() {
        let entitlements: [String: PropertyListValue] = [
            "get-task-allow": .boolean(true), "com.apple.security.get-task-allow": .boolean(true),
            "com.apple.security.cs.disable-library-validation": .boolean(true),
            "com.apple.security.cs.allow-jit": .boolean(true), "com.apple.security.cs.debugger": .boolean(true),
        ]
        #expect(
            Entitlements.injectionPaths(flags: [], entitlements: entitlements)
                == [.notHardened, .libraryValidationOff, .getTaskAllow])
    }
}
