// SPDX-License-Identifier: Apache-2.0

// The 32 bytes that name a process.

import Testing

@testable import CodeIdentity

@Suite("AuditToken") struct AuditTokenTests {
    @Test("The eight fields are read in the order of the kernel and in the machine's byte order")
    func fields() throws {
        var bytes: [UInt8] = []
        for field: UInt32 in [1, 2, 3, 4, 5, 6, 7, 0x1234_5678] {
            withUnsafeBytes(of: field) { bytes += $0 }
        }
        let token = try #require(AuditToken(bytes))
        #expect(token.auditUser == 1)
        #expect(token.effectiveUser == 2)
        #expect(token.effectiveGroup == 3)
        #expect(token.realUser == 4)
        #expect(token.realGroup == 5)
        #expect(token.processID == 6)
        #expect(token.auditSession == 7)
        #expect(token.processVersion == 0x1234_5678)
        #expect(token.bytes == bytes)
        #expect(token.description == "pid 6 version 305419896")
    }

    @Test("Another length is no token", arguments: Array(0..<32) + [33, 64])
    func length(_ count: Int) { #expect(AuditToken([UInt8](repeating: 1, count: count)) == nil) }

    @Test("Every byte counts: tokens that differ in one are different", arguments: 0..<32)
    func identity(_ index: Int) throws {
        let bytes = [UInt8](repeating: 7, count: 32)
        var other = bytes
        other[index] = 8
        #expect(AuditToken(bytes) != AuditToken(other))
        #expect(AuditToken(bytes) == AuditToken(bytes[...]))
    }

    @Test("A field of all ones is read, not trapped on")
    func ones() throws {
        #expect(try #require(AuditToken([UInt8](repeating: 0xFF, count: 32))).processID == -1)
    }
}
