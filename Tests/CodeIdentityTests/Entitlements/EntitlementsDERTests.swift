// SPDX-License-Identifier: Apache-2.0

// Entitlements in DER: a real blob, every refusal, and both ways.

import FlowModel
import Testing

@testable import CodeIdentity

@Suite("EntitlementsDER") struct EntitlementsDERTests {
    /// From the signature of Mitmproxy Redirector.app (mitmproxy-macos 0.12.15, PyPI).
    static let real =
        "70820115020101b082010e304d0c20636f6d2e6170706c652e6170706c69636174696f6e2d6964656e7469666965720c29533858"
        + "485142393650572e6f72672e6d69746d70726f78792e6d61636f732d72656469726563746f7230570c2f636f6d2e6170706c652e"
        + "646576656c6f7065722e6e6574776f726b696e672e6e6574776f726b657874656e73696f6e30240c226170702d70726f78792d70"
        + "726f76696465722d73797374656d657874656e73696f6e30310c2c636f6d2e6170706c652e646576656c6f7065722e7379737465"
        + "6d2d657874656e73696f6e2e696e7374616c6c0101ff30310c23636f6d2e6170706c652e646576656c6f7065722e7465616d2d69"
        + "64656e7469666965720c0a53385848514239365057"
    static let realValues: [String: PropertyListValue] = [
        "com.apple.application-identifier": .string("S8XHQB96PW.org.mitmproxy.macos-redirector"),
        "com.apple.developer.networking.networkextension": .array([.string("app-proxy-provider-systemextension")]),
        "com.apple.developer.system-extension.install": .boolean(true),
        "com.apple.developer.team-identifier": .string("S8XHQB96PW"),
    ]

    private func bytes(_ hex: String) throws -> [UInt8] {
        try #require(Hexadecimal.bytes(hex.filter { $0 != " " }.utf8))
    }

    @Test("A real blob is read, and written again as the same bytes")
    func vector() throws {
        let der = try bytes(Self.real)
        #expect(try EntitlementsDER.decode(der) == Self.realValues)
        #expect(try EntitlementsDER.encode(Self.realValues) == der)
    }

    @Test("Empty entitlements have their form too")
    func empty() throws {
        #expect(try EntitlementsDER.decode(bytes("70 05 020101 b000")) == [:])
        #expect(try EntitlementsDER.encode([:]) == bytes("70 05 020101 b000"))
    }

    @Test(
        "Each kind of value has one form",
        arguments: [
            ("0101ff", .boolean(true)), ("010100", .boolean(false)), ("0c00", .string("")),
            ("0403 00ff10", .data([0, 255, 16])),
            ("3000", .array([])), ("b000", .dictionary([:])), ("020100", .integer(0)), ("02017f", .integer(127)),
            ("02020080", .integer(128)), ("0201ff", .integer(-1)), ("020180", .integer(-128)),
            ("0202ff7f", .integer(-129)),
            ("02087fffffffffffffff", .integer(.max)), ("02088000000000000000", .integer(.min)),
            ("3006 0201 01 0c01 61", .array([.integer(1), .string("a")])),
            ("b008 3006 0c01 62 020102", .dictionary(["b": .integer(2)])),
        ] as [(String, PropertyListValue)])
    func values(_ hex: String, _ value: PropertyListValue) throws {
        let content = try bytes(hex)
        let size = UInt8(content.count)
        let der = [0x70, size + 10, 2, 1, 1, 0xB0, size + 5, 0x30, size + 3, 0x0C, 1, 0x6B] + content
        #expect(try EntitlementsDER.decode(der) == ["k": value])
        #expect(try EntitlementsDER.encode(["k": value]) == der)
    }

    @Test("Keys are written in the order of their bytes, and read in no other")
    func order() throws {
        let der = try EntitlementsDER.encode([
            "b": .boolean(true), "a": .boolean(true), "é": .boolean(true), "a.b": .boolean(true),
        ])
        let keys = der.indices.dropLast(2).filter { der[$0] == 0x0C }.map { der[$0 + 2] }
        #expect(keys == [0x61, 0x61, 0x62, 0xC3])
        // "b" before "a", and "ab" before "a".
        let wrong = [
            "70 17 020101 b012 3006 0c0162 0101ff 3006 0c0161 0101ff 0000", "3007 0c026162 0101ff 3006 0c0161 0101ff",
        ]
        #expect(throws: CodeProblem.self) { try EntitlementsDER.decode(bytes(wrong[0])) }
        let content = try bytes(wrong[1])
        #expect(throws: CodeProblem(.entitlementsDER, at: 16, "")) {
            try EntitlementsDER.decode([0x70, UInt8(content.count + 5), 2, 1, 1, 0xB0, UInt8(content.count)] + content)
        }
    }

    @Test(
        "What is not of this form, or not DER, is refused where it stands",
        arguments: [
            ("", 0), ("70", 0), ("7005020101b0", 0), ("3005 020101 b000", 0), ("7005 020102 b000", 2),
            ("7005 020101 3000", 5), ("7006 020101 b000 00", 7), ("7005 020101 b000 00", 7), ("7006 02020001 b000", 4),
            ("7004 0200 b000", 4), ("7003 020101", 5), ("7080 020101 b000 0000", 0), ("708105 020101 b000", 0),
            ("70820005 020101 b000", 0), ("7084 7fffffff 020101 b000", 0), ("70ff 020101 b000", 0),
            // In an entry: another tag, no value, two values, an unknown value, a boolean of 1, a long integer.
            ("700b 020101 b006 3104 0c016b 00", 7), ("700a 020101 b005 3003 0c016b", 12),
            ("700f 020101 b00a 3008 0c016b 3000 0500 00", 14), ("700c 020101 b007 3005 0c016b 0500", 12),
            ("700d 020101 b008 3006 0c016b 010101", 12), ("700e 020101 b009 3007 0c016b 01020000", 12),
            ("700c 020101 b007 3005 0c016b 0100", 12), ("700b 020101 b006 3004 0c016b 16", 12),
            ("7015 020101 b010 300e 0c016b 0209 010000000000000000", 14), ("700e 020101 b009 3007 0c016b 0202ffff", 14),
            ("700d 020101 b008 3006 0c016b 0c0161 00", 15), ("700d 020101 b008 3006 04016b 0101ff", 9),
        ])
    func refused(_ hex: String, _ offset: Int) throws {
        let der = try bytes(hex)
        #expect(throws: CodeProblem(.entitlementsDER, at: UInt64(offset), "")) { try EntitlementsDER.decode(der) }
    }

    @Test("A key that stands twice is refused, in another spelling too")
    func duplicate() throws {
        for keys in ["0c0161 0101ff 3006 0c0161", "0c03 65cc81 0101ff 3007 0c02 c3a9"] {
            let first = try bytes(keys)
            let content = [0x30, keys.hasPrefix("0c01") ? 6 : 8] + first + [1, 1, 0xFF]
            let der = [0x70, UInt8(content.count + 5), 2, 1, 1, 0xB0, UInt8(content.count)] + content
            #expect { try EntitlementsDER.decode(der) } throws: {
                ($0 as? CodeProblem)?.code == .propertyListDuplicateKey
            }
        }
    }

    @Test("Text that is not UTF-8 or holds NUL is refused, as key and as value")
    func text() throws {
        for hex in ["3006 0c01ff 0101ff", "3006 0c0100 0101ff", "3006 0c016b 0c01ff", "3006 0c016b 0c0100"] {
            let content = try bytes(hex)
            #expect { try EntitlementsDER.decode([0x70, 13, 2, 1, 1, 0xB0, 8] + content) } throws: {
                ($0 as? CodeProblem)?.code == .propertyListText
            }
        }
    }

    @Test("Values stand inside each other up to the limit, written and read, and no deeper")
    func depth() throws {
        let limit = CodeIdentityLimits.entitlementsDepth.value
        for wrap in [{ .array([$0]) }, { .dictionary(["k": $0]) }] as [(PropertyListValue) -> PropertyListValue] {
            let deepest = (1..<limit).reduce(PropertyListValue.boolean(true)) { value, _ in wrap(value) }
            let der = try EntitlementsDER.encode(["k": deepest])
            #expect(try EntitlementsDER.decode(der) == ["k": deepest])
            #expect(throws: CodeProblem(.entitlementsNotEncodable, "")) {
                try EntitlementsDER.encode(["k": wrap(deepest)])
            }
        }
    }

    @Test("Arrays or dictionaries inside each other without end are refused before the stack is used up")
    func bomb() {
        for wrap in [
            { Self.element(0x30, $0) }, { Self.element(0xB0, Self.element(0x30, [0x0C, 1, 0x6B] + $0)) },
        ] as [([UInt8]) -> [UInt8]] {
            let value = (0..<2000).reduce([0xB0, 0] as [UInt8]) { value, _ in wrap(value) }
            let der = Self.element(
                0x70, [2, 1, 1] + Self.element(0xB0, Self.element(0x30, [0x0C, 1, 0x6B] + value)))
            #expect { try EntitlementsDER.decode(der) } throws: { ($0 as? CodeProblem)?.code == .limit }
        }
    }

    /// An element of up to 65535 bytes.
    private static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        let length = PropertyListWriter.big(UInt64(content.count), 2)
        return [tag]
            + (content.count < 0x80 ? [length[1]] : content.count < 0x100 ? [0x81, length[1]] : [0x82] + length)
            + content
    }

    @Test("Real numbers and dates have no form")
    func notEncodable() {
        for value in [.real(1), .date(0), .array([.real(1)])] as [PropertyListValue] {
            #expect(throws: CodeProblem(.entitlementsNotEncodable, "")) { try EntitlementsDER.encode(["k": value]) }
        }
    }

    @Test(
        "What is written is read back, and decoding and encoding gives the same bytes",
        arguments: 1...40 as ClosedRange<UInt64>)
    func roundTrip(_ seed: UInt64) throws {
        var random = PropertyListSeed(state: seed)
        let entries = random.entries().filter { (try? EntitlementsDER.encode(["k": $0.value])) != nil }
        let der = try EntitlementsDER.encode(entries)
        #expect(try EntitlementsDER.decode(der) == entries)
    }

    @Test("More bytes than the limit are refused")
    func tooLong() {
        let der = [UInt8](repeating: 0x70, count: CodeIdentityLimits.entitlementsBytes.value + 1)
        #expect(throws: CodeProblem(.limit, "")) { try EntitlementsDER.decode(der) }
    }

    @Test("A blob that is cut anywhere is refused; one with bytes changed is refused or has no second form")
    func hostile() throws {
        let der = try bytes(Self.real)
        for count in 0..<der.count {
            #expect(throws: CodeProblem.self, "\(count)") { try EntitlementsDER.decode(Array(der[..<count])) }
        }
        var random = PropertyListSeed(state: 13)
        for _ in 0..<10_000 {
            var mutant = der
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                mutant[Int.random(in: 0..<mutant.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            guard let values = try? EntitlementsDER.decode(mutant) else { continue }
            #expect(try EntitlementsDER.encode(values) == mutant)
        }
    }
}
