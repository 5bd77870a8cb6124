// SPDX-License-Identifier: Apache-2.0

// The name of a code directory.

import Testing

@testable import CodeIdentity

@Suite("CDHash") struct CDHashTests {
    @Test("Twenty bytes in hexadecimal of either case are a cdhash, and print in lower case")
    func text() throws {
        let hash = try #require(CDHash(hex: "87926BEA2855c359a3d63d76c6606e710eae1316"))
        #expect(hash.description == "87926bea2855c359a3d63d76c6606e710eae1316")
        #expect(hash.bytes.first == 0x87)
    }

    @Test(
        "Anything else is not",
        arguments: ["", "87", "87926bea2855c359a3d63d76c6606e710eae131600", "8z926bea2855c359a3d63d76c6606e710eae1316"])
    func refused(_ text: String) { #expect(CDHash(hex: text) == nil) }

    @Test("Flags print by the names of Apple's tool, lowest first")
    func flags() {
        #expect(CodeSignatureFlags(rawValue: 0x20002).names == ["adhoc", "linker-signed"])
        #expect(CodeSignatureFlags(rawValue: 0x8000_0000).names == [])
    }
}
