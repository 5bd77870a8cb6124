// SPDX-License-Identifier: Apache-2.0

// Times in requirements.

import Testing

@testable import CodeIdentity

@Suite("RequirementTimestamp") struct RequirementTimestampTests {
    @Test(
        "A time is seconds since 2001, and prints as it was written",
        arguments: [
            ("20010101000000Z", Int64(0)), ("20001231235959Z", -1), ("19700101000000Z", -978_307_200),
            ("20240229235959Z", 730_943_999), ("00010101000000Z", -63_113_904_000), ("20190408000000Z", 576_374_400),
            ("00000101000000Z", -63_145_526_400), ("99991231235959Z", 252_423_993_599),
        ])
    func times(_ text: String, _ seconds: Int64) {
        #expect(RequirementTimestamp.seconds(Array(text.utf8)) == seconds)
        #expect(RequirementTimestamp.text(seconds) == text)
    }

    @Test("A time zone is taken off, and a leap second counts, as with Apple's reader")
    func zones() {
        #expect(RequirementTimestamp.seconds(Array("20010101013000+0130".utf8)) == 0)
        #expect(RequirementTimestamp.seconds(Array("20001231160000-0800".utf8)) == 0)
        #expect(RequirementTimestamp.seconds(Array("20001231235960Z".utf8)) == 0)
    }

    @Test(
        "What is no time is refused",
        arguments: [
            "", "2001010100000Z", "20010101000000", "20010101000000z", "20010101000000+", "20010101000000Z0000",
            "20010101000000Z0", "20010101000000+01300", "20010101000000+2400", "20010101000000+0060", "20010001000000Z",
            "20011301000000Z", "20010100000000Z", "20010132000000Z", "20010431000000Z", "20010229000000Z",
            "19000229000000Z", "20010101240000Z", "20010101006000Z", "20010101000061Z", "2001-101000000Z",
            "010101000000Z",
        ])
    func refused(_ text: String) { #expect(RequirementTimestamp.seconds(Array(text.utf8)) == nil) }

    @Test("Every day of four hundred years comes back")
    func days() {
        for day in Int64(-200 * 366)...(200 * 366) {
            let text = RequirementTimestamp.text(day * 86_400)
            #expect(text.flatMap { RequirementTimestamp.seconds(Array($0.utf8)) } == day * 86_400)
        }
    }

    @Test("Years of more than four digits have no text", arguments: [.min, -63_145_526_401, 252_423_993_600, .max])
    func outside(_ seconds: Int64) { #expect(RequirementTimestamp.text(seconds) == nil) }
}
