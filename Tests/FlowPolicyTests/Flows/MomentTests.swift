// SPDX-License-Identifier: Apache-2.0

// Moments of ISO 8601, against vectors and Foundation.

import Foundation
import Testing

@testable import FlowPolicy

@Suite struct MomentTests {
    @Test(
        "Moments are read as RFC 3339 has them",
        arguments: [
            ("1970-01-01T00:00:00Z", 0, nil), ("2026-11-24T15:00:00.250Z", 1_795_532_400_250, nil),
            ("2026-11-24T15:00+01:00", 1_795_528_800_000, 3600),
            ("2026-11-24t15:00:00-05:30", 1_795_552_200_000, -19_800),
            ("2024-02-29 00:00:00Z", 1_709_164_800_000, nil), ("1969-12-31T23:59:59.9Z", -100, nil),
            ("0000-03-01T00:00:00Z", -62_162_035_200_000, nil), ("1795532400250", 1_795_532_400_250, nil),
            ("-5", -5, nil),
        ] as [(String, Int64, Int32?)])
    func good(text: String, milliseconds: Int64, offset: Int32?) {
        let moment = Moment(text)
        #expect(moment?.milliseconds == milliseconds)
        #expect(moment?.utcOffset == offset)
    }

    @Test("Every day of eight centuries is where Foundation's calendar has it")
    func calendar() {
        let parser = ISO8601DateFormatter()
        var dice = Dice(3)
        for _ in 0..<2_000 {
            let seconds = Double(dice.roll(25_000_000) * 1_000 + dice.roll(1_000)) - 1_000_000_000
            let text = parser.string(from: Date(timeIntervalSince1970: seconds))
            #expect(Moment(text)?.milliseconds == Int64(seconds) * 1000, "\(text)")
        }
    }

    @Test(
        "What is no moment is refused",
        arguments: [
            "", "yesterday", "2026-11-24", "2026-11-24T15:00:00", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:61Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+1:00", "2026-01-01T00:00:00Zx",
            "99999999999999999999", "+5", "2026-01-01T00:00:00+25:00", "2026-01-01T00:00:00.1234567890Z", "２０２６",
        ])
    func bad(text: String) { #expect(Moment(text) == nil) }
}
