// SPDX-License-Identifier: Apache-2.0

// The calendar, and the dates inside certificate extensions.

import Testing

@testable import CodeIdentity

@Suite("Civil time") struct CivilTimeTests {
    @Test(
        "Moments",
        arguments: [
            ("20010101000000Z", 0), ("20190408000000Z", 576_374_400), ("20190601000000Z", 581_040_000),
            ("19700101000000Z", -978_307_200), ("20000229235959Z", -26_438_401), ("21000301000000Z", 3_129_235_200),
            ("00010101000000Z", -63_113_904_000), ("99991231235959Z", 252_423_993_599),
        ] as [(String, Int64)]) func moments(text: String, seconds: Int64)
    {
        #expect(RequirementTimestamp.seconds(Array(text.utf8)[...]) == seconds)
    }

    @Test(
        "Anything else is no date",
        arguments: [
            "", "2001010100000Z", "20010101000000", "20010101000000z", "20011301000000Z", "20010001000000Z",
            "20010100000000Z", "20010132000000Z", "20010229000000Z", "21000229000000Z", "20010101240000Z",
            "20010101006000Z",
            "20010101000061Z", "2001010100000+Z", "200101010000000Z", "-0010101000000Z",
        ]) func anythingElseIsNo(text: String)
    {
        #expect(RequirementTimestamp.seconds(Array(text.utf8)[...]) == nil)
    }

    @Test("Text and moment go back and forth") func textAndMomentGo() throws {
        var random = SeededRandom(state: 3)
        for _ in 0..<2000 {
            let moment = Int64.random(in: -63_000_000_000...252_000_000_000, using: &random)
            #expect(RequirementTimestamp.seconds(try #require(RequirementTimestamp.text(moment)).utf8) == moment)
        }
        #expect(RequirementTimestamp.text(.max) == nil)
        #expect(RequirementTimestamp.text(.min) == nil)
    }

    @Test("Only a UTF8String of exactly fifteen characters counts in an extension") func onlyAUTF8StringOf() {
        let good: [UInt8] = [0x0C, 15] + Array("20190408000000Z".utf8)
        #expect(RequirementTimestamp.seconds(inExtension: good) == 576_374_400)
        for cut in 0..<good.count { #expect(RequirementTimestamp.seconds(inExtension: Array(good.prefix(cut))) == nil) }
        #expect(RequirementTimestamp.seconds(inExtension: good + [0]) == nil)
        #expect(RequirementTimestamp.seconds(inExtension: [0x18] + good.dropFirst()) == nil)
    }
}
