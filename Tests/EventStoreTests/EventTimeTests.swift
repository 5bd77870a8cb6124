// SPDX-License-Identifier: Apache-2.0

// Tests of printing times.

import EventStore
import Foundation
import Testing

struct EventTimeTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (1_767_225_600_001, "2026-01-01T00:00:00.001Z"),
        ] as [(Int64, String)])
    func timesArePrintedInUTCToTheMillisecond(_ time: Int64, _ text: String) { #expect(EventTime.text(time) == text) }

    @Test func everyDayOfFourCenturiesIsTheOneOfTheSystem() {
        let style = Date.ISO8601FormatStyle()
        for day in stride(from: Int64(-40_000), to: 110_000, by: 13) {
            let date = Date(timeIntervalSince1970: Double(day * 86_400))
            #expect(EventTime.text(day * 86_400_000).prefix(10) == date.formatted(style).prefix(10))
        }
    }

    @Test(arguments: [Int64.min, .max]) func noTimeIsTooFarAway(_ time: Int64) {
        #expect(EventTime.text(time).hasSuffix("Z"))
    }
}
