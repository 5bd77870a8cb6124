// SPDX-License-Identifier: Apache-2.0

// Numbers, dates and data in XML.

import Testing

@testable import CodeIdentity

@Suite("PropertyListScalar") struct PropertyListScalarTests {
    private func read(_ text: String, _ element: PropertyListElement) -> PropertyListValue? {
        PropertyListScalar.value(of: Array(text.utf8)[...], as: element)
    }

    @Test(
        "Integers are decimal or hexadecimal, in 64 bits with sign",
        arguments: [
            ("0", 0), ("-0", 0), ("+7", 7), ("-42", -42), ("0x1F", 31), ("-0xff", -255), ("0X0a", 10),
            ("9223372036854775807", .max), ("-9223372036854775808", .min), ("-0x8000000000000000", .min),
            ("0x7fffffffffffffff", .max), ("0x0010", 16),
        ] as [(String, Int64)])
    func integer(_ text: String, _ value: Int64) { #expect(read(text, .integer) == .integer(value)) }

    @Test(
        "What some readers take for another number, or for none, is no integer",
        arguments: [
            "", "-", "+", "--1", "+-1", "007", "00", "1.0", "1e3", " 1", "1 ", "1\n", "0x", "-0x", "0x-1", "x1", "1_0",
            "９", "9223372036854775808", "-9223372036854775809", "0x8000000000000000", "99999999999999999999999999",
        ])
    func notInteger(_ text: String) { #expect(read(text, .integer) == nil) }

    @Test(
        "Real numbers are decimal and finite",
        arguments: [("0", 0), ("1000", 1000), ("-1.5", -1.5), ("+.25", 0.25), ("1e-3", 0.001), ("2.5E+2", 250)])
    func real(_ text: String, _ value: Double) { #expect(read(text, .real) == .real(value)) }

    @Test(
        "Anything else is no real number",
        arguments: [
            "", "nan", "inf", "-infinity", "1e999", "0x1p3", "1.", "1,5", " 1", "1 ", "1e", "+-1", "1_0",
            String(repeating: "1", count: 65),
        ])
    func notReal(_ text: String) { #expect(read(text, .real) == nil) }

    @Test(
        "A date is seconds since 2001 in UTC",
        arguments: [
            ("2001-01-01T00:00:00Z", 0), ("2024-02-29T12:00:01Z", 730_900_801), ("2000-12-31T23:59:59Z", -1),
            ("1970-01-01T00:00:00Z", -978_307_200), ("0001-01-01T00:00:00Z", -63_113_904_000),
            ("0000-01-01T00:00:00Z", -63_145_526_400), ("9999-12-31T23:59:59Z", 252_423_993_599),
        ])
    func date(_ text: String, _ seconds: Double) { #expect(read(text, .date) == .date(seconds)) }

    @Test(
        "A date that is written otherwise, or does not exist, is none",
        arguments: [
            "", "2001-01-01", "2001-01-01T00:00:00", "2001-01-01T00:00:00z", "2001-01-01T00:00:00+00:00",
            "2001-1-01T00:00:00Z", "2001-00-01T00:00:00Z", "2001-13-01T00:00:00Z", "2001-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z", "2001-04-31T00:00:00Z", "2001-01-00T00:00:00Z", "2001-01-01T24:00:00Z",
            "2001-01-01T00:60:00Z", "2001-01-01T00:00:60Z", " 2001-01-01T00:00:00Z", "-001-01-01T00:00:00Z",
        ])
    func notDate(_ text: String) { #expect(read(text, .date) == nil) }

    @Test(
        "Data is base64 with white space anywhere",
        arguments: [
            ("", []), ("\n\t", []), ("AP8Q", [0, 255, 16]), ("\n\tA P\r8\nQ\n", [0, 255, 16]), ("AA==", [0]),
            ("AAE=", [0, 1]), ("AA=\n=", [0]), ("+/+/", [0xFB, 0xFF, 0xBF]),
        ] as [(String, [UInt8])])
    func data(_ text: String, _ bytes: [UInt8]) { #expect(read(text, .data) == .data(bytes)) }

    @Test(
        "Base64 without its padding, with bits left over or with other characters is none",
        arguments: [
            "A", "AA", "AAA", "AA=", "AAA==", "=", "====", "AB==", "AAF=", "AA==AA==", "A-_A", "AAAA=", "AP8Q!",
        ])
    func notData(_ text: String) { #expect(read(text, .data) == nil) }
}
