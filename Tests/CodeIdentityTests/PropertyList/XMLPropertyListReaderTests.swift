// SPDX-License-Identifier: Apache-2.0

// The XML form: what is read, and that everything with two readings is refused.

import FlowModel
import Testing

@testable import CodeIdentity

@Suite("XMLPropertyListReader") struct XMLPropertyListReaderTests {
    /// As Python's plistlib writes it.
    private static let everything = """
        <?xml version="1.0" encoding="UTF-8"?>
        <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
        <plist version="1.0">
        <dict>
        	<key>a</key>
        	<array>
        		<integer>1</integer>
        		<array/>
        		<dict/>
        	</array>
        	<key>b</key>
        	<data>
        	AP8Q
        	</data>
        	<key>d</key>
        	<date>2024-02-29T12:00:01Z</date>
        	<key>f</key>
        	<false/>
        	<key>min</key>
        	<integer>-9223372036854775808</integer>
        	<key>r</key>
        	<real>1.5</real>
        	<key>t</key>
        	<true/>
        	<key>u</key>
        	<string>Größe 😀</string>
        </dict>
        </plist>

        """

    private func read(_ text: String) throws -> PropertyListValue { try PropertyList.read(Array(text.utf8)) }

    private func content(_ text: String) throws -> PropertyListValue {
        try PropertyList.read(PropertyListWriter.document(text))
    }

    @Test("Every kind of value is read")
    func everything() throws {
        #expect(
            try read(Self.everything)
                == .dictionary([
                    "a": .array([.integer(1), .array([]), .dictionary([:])]), "b": .data([0, 255, 16]),
                    "d": .date(730_900_801), "f": .boolean(false), "min": .integer(.min), "r": .real(1.5),
                    "t": .boolean(true), "u": .string("Größe 😀"),
                ]))
    }

    @Test(
        "References, CDATA and comments mean what XML says",
        arguments: [
            ("<string>&lt;&gt;&amp;&quot;&apos;&#65;&#x1F600;&#xA;</string>", "<>&\"'A😀\n"),
            ("<string>a<![CDATA[<b>&amp;]]]>c</string>", "a<b>&amp;]c"), ("<string><![CDATA[]]></string>", ""),
            ("<string></string>", ""), ("<string/>", ""), ("<string />", ""), ("<string >x</string\n>", "x"),
            ("<!-- a - comment --><string> x </string><!---->", " x "), ("<string>]] ></string>", "]] >"),
        ])
    func text(_ xml: String, _ text: String) throws { #expect(try content(xml) == .string(text)) }

    @Test("Flags may be written with two tags, keys may be empty")
    func tags() throws {
        #expect(
            try content("<array><true></true><false /><dict><key/><true/></dict></array>")
                == .array([.boolean(true), .boolean(false), .dictionary(["": .boolean(true)])]))
    }

    @Test(
        "Prologs of every usual form are read",
        arguments: [
            "", "\u{FEFF}", "<?xml version=\"1.0\"?>", "<?xml version='1.0' encoding='utf-8' standalone=\"yes\" ?>",
            "<!DOCTYPE plist SYSTEM \"file://localhost/System/Library/DTDs/PropertyList.dtd\">", "<!-- c -->\n",
            "<!DOCTYPE plist PUBLIC '-//Apple Computer//DTD PLIST 1.0//EN' 'x' >", "\n ",
        ])
    func prolog(_ prolog: String) throws {
        #expect(try read(prolog + "<plist version=\"1.0\"><true/></plist>\n<!-- end -->\n") == .boolean(true))
        #expect(try read(prolog + "<plist><true/></plist>") == .boolean(true))
    }

    @Test(
        "A prolog with an entity, an instruction or anything unknown is refused",
        arguments: [
            " <?xml version=\"1.0\"?>", "<?xml version=\"1.1\"?>", "<?xml?>", "<?xml version=\"1.0\"", "<?php ?>",
            "<?xml version=\"1.0\" encoding=\"UTF-7\"?>", "<!DOCTYPE plist [<!ENTITY a \"b\">]>", "<!DOCTYPE html>",
            "<!DOCTYPE plist PUBLIC \"a\" \"b\" [<!ENTITY a \"b\">]>", "<!DOCTYPE plist>", "x",
            "<!DOCTYPE plist SYSTEM \"a>",
            "<!DOCTYPE plist SYSTEM \"a\"><!DOCTYPE plist SYSTEM \"a\">",
        ])
    func badProlog(_ prolog: String) {
        #expect(throws: CodeProblem.self) { try read(prolog + "<plist><true/></plist>") }
    }

    @Test(
        "What has two readings, or none, is refused where it stands",
        arguments: [
            // The comments of "psychic paper": some readers see a short comment, some a long one.
            ("<!---><true/><!-->", 4), ("<!--><true/>", 4), ("<!-- a -- b --><true/>", 9), ("<!-- a ---><true/>", 9),
            ("<!-- a", 16), ("<true/><?a?>", 8), ("<true/><true/>", 7), ("<true/>x", 7), ("", 1), ("x<true/>", 0),
            // Tags.
            ("<True/>", 1), ("<true a=\"b\"/>", 6), ("< true/>", 1), ("<true", 6), ("<true/", 6), ("<nil/>", 1),
            ("<plist><true/></plist>", 0), ("<strings>x</strings>", 1), ("<!DOCTYPE a><true/>", 1),
            ("<true>x</true>", 6),
            ("<true><true/></true>", 6), ("<array><true/></dict>", 14), ("</array>", 0), ("<array>x</array>", 7),
            ("<dict/ >", 6), ("<array></array", 15),
            // Dictionaries.
            ("<key>a</key>", 0), ("<array><key>a</key></array>", 7), ("<dict><true/></dict>", 6),
            ("<dict><key>a</key></dict>", 18), ("<dict><key>a</key><key>b</key></dict>", 18),
            ("<dict><key><key>a</key></key></dict>", 11), ("<dict><key>a</key><true/><true/></dict>", 25),
            // Text.
            ("<string>a</key>", 9), ("<string>a<!-- b --></string>", 10), ("<string>&nbsp;</string>", 8),
            ("<string>a & b</string>", 10), ("<string>&#0;</string>", 8), ("<string>&#xD800;</string>", 8),
            ("<string>&#xFFFE;</string>", 8), ("<string>&#1;</string>", 8), ("<string>&#x110000;</string>", 8),
            ("<string>&#;</string>", 8), ("<string>&#65</string>", 8), ("<string>&#000000065;</string>", 8),
            ("<string>]]></string>", 8), ("<string><![CDATA[a</string>", 37), ("<string>a", 10),
            ("<string>a</string", 18), ("<string>a<string>b</string></string>", 9),
            ("<integer><![CDATA[1]]></integer>", 10), ("<integer>1<!-- --></integer>", 11), ("<integer/>", 0),
            ("<real/>", 0), ("<date/>", 0),
        ])
    func refused(_ xml: String, _ offset: Int) {
        let start = PropertyListWriter.head.utf8.count
        #expect(throws: CodeProblem(.propertyListSyntax, at: UInt64(start + offset), "")) { try content(xml) }
    }

    @Test("Numbers, dates and data that are none are refused where they stand")
    func badValue() {
        for (element, text) in [
            ("integer", "x"), ("integer", "&#49;"), ("real", "nan"), ("date", "now"), ("data", "!"),
        ] {
            let offset = UInt64(PropertyListWriter.head.utf8.count + element.utf8.count + 2)
            #expect(throws: CodeProblem(.propertyListValue, at: offset, "")) {
                try content("<\(element)>\(text)</\(element)>")
            }
        }
    }

    @Test(
        "Control characters in text are refused, the carriage return too",
        arguments: [
            "<string>a\rb</string>", "<string>\u{1}</string>", "<string><![CDATA[\u{B}]]></string>",
            "<!-- \u{0} --><true/>",
        ])
    func control(_ xml: String) {
        #expect { try content(xml) } throws: { ($0 as? CodeProblem)?.code == .propertyListText }
    }

    @Test("Bytes that are not UTF-8 are refused in text and in comments")
    func encoding() {
        for (before, after) in [
            ("<string>", "</string>"), ("<!--", "--><true/>"), ("<string><![CDATA[", "]]></string>"),
        ] {
            let bytes = Array("<plist>\(before)".utf8) + [0xC3, 0x28] + Array("\(after)</plist>".utf8)
            #expect { try PropertyList.read(bytes) } throws: { ($0 as? CodeProblem)?.code == .propertyListText }
        }
    }

    @Test(
        "A key that stands twice is refused, in whatever spelling",
        arguments: [("a", "a"), ("a", "&#97;"), ("a", "<![CDATA[a]]>"), ("é", "e\u{301}")])
    func duplicate(_ first: String, _ second: String) {
        #expect {
            try content("<dict><key>\(first)</key><true/><key>\(second)</key><false/></dict>")
        } throws: { ($0 as? CodeProblem)?.code == .propertyListDuplicateKey }
    }

    @Test("Arrays and dictionaries stand inside each other up to the limit, and no deeper")
    func depth() throws {
        let limit = CodeIdentityLimits.propertyListDepth.value
        func nested(_ depth: Int) -> String {
            String(repeating: "<array><dict><key>k</key>", count: depth / 2) + "<true/>"
                + String(repeating: "</dict></array>", count: depth / 2)
        }
        #expect(throws: Never.self) { try content(nested(limit)) }
        #expect { try content(nested(limit + 2)) } throws: { ($0 as? CodeProblem)?.code == .limit }
        // Far deeper ones too: no stack is used up.
        #expect { try content(nested(1_000_000)) } throws: { ($0 as? CodeProblem)?.code == .limit }
    }

    @Test("More values than the limit are refused")
    func items() {
        let xml =
            "<array>" + String(repeating: "<true/>", count: CodeIdentityLimits.propertyListItems.value) + "</array>"
        #expect { try content(xml) } throws: { ($0 as? CodeProblem)?.code == .limit }
    }

    @Test("A list that is cut anywhere is refused")
    func truncated() {
        let bytes = Array(Self.everything.utf8)
        let end = bytes.count - "\n".utf8.count
        for count in 0..<end {
            #expect(throws: CodeProblem.self, "\(count)") { try PropertyList.read(Array(bytes[..<count])) }
        }
    }

    @Test("A list with any bytes changed is read or refused, and never traps")
    func mutated() {
        var random = PropertyListSeed(state: 11)
        let bytes = Array(Self.everything.utf8)
        var refused = 0
        for _ in 0..<4000 {
            var mutant = bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                mutant[Int.random(in: 0..<mutant.count, using: &random)] =
                    Bool.random(using: &random)
                    ? UInt8.random(in: 0...255, using: &random) : "<>/&;!-[]?\"".utf8.randomElement(using: &random) ?? 0
            }
            do { _ = try PropertyList.read(mutant) } catch { refused += 1 }
        }
        #expect(refused > 2000)
    }
}
