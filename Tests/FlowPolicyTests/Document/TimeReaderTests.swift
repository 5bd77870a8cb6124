// SPDX-License-Identifier: Apache-2.0

// Times in a document.

import Foundation
import Testing

@testable import FlowPolicy

@Suite("Times in a document")
struct TimeReaderTests {
    /// The window of a `time` that must be good.
    private func window(_ time: String) throws -> TimeWindow {
        let policy = try Sample.policy("version: 1\nrules: [{name: a, when: {time: {\(time)}}, then: block}]\n")
        guard case .time(let window) = try #require(policy.rules.first?.conditions.first) else {
            throw PolicyFileProblem("no time")
        }
        return window
    }

    @Test("Every day from 1970 to 2200 is the day that the system's calendar says")
    func days() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        for day in stride(from: 0, to: 84_000, by: 1) {
            let date = Date(timeIntervalSince1970: Double(day) * 86_400)
            let parts = calendar.dateComponents([.year, .month, .day], from: date)
            let two = { (number: Int?) in String("0\(number ?? 0)".suffix(2)) }
            guard TimeReader.day("\(parts.year ?? 0)-\(two(parts.month))-\(two(parts.day))") == Int64(day) else {
                Issue.record("\(parts)")
                return
            }
        }
    }

    @Test(
        "Days that do not exist and texts that are no day are refused",
        arguments: [
            "2026-02-29", "2100-02-29", "2026-04-31", "2026-13-01", "2026-00-10", "2026-01-00", "2026-1-1", "26-01-01",
            "1969-12-31", "2026-01", "2026-01-01-01", "", "-", "2026-01-0١", "+026-01-01",
        ])
    func noDay(text: String) {
        #expect(TimeReader.day(text) == nil)
    }

    @Test(
        "A moment is read with and without its zone",
        arguments: [
            ("1970-01-02", 86_400, nil, true), ("1970-01-01T00:01", 60, nil, false),
            ("1970-01-01T01:00:01Z", 3_601, 0, false), ("1970-01-01T01:00+01:00", 3_600, 3_600, false),
            ("1970-01-01T00:00-03:30", 0, -12_600, false),
        ] as [(String, Int64, Int32?, Bool)])
    func moment(text: String, seconds: Int64, offset: Int32?, isDay: Bool) throws {
        let moment = try #require(TimeReader.moment(text))
        #expect(moment.seconds == seconds)
        #expect(moment.offset == offset)
        #expect(moment.isDay == isDay)
    }

    @Test(
        "What is nearly a moment is refused",
        arguments: [
            "1970-01-01T", "1970-01-01T24:00", "1970-01-01T1:00", "1970-01-01T01:00:60", "1970-01-01T01:00:1",
            "1970-01-01 01:00", "1970-01-01T01:00+1:00", "1970-01-01T01:00+15:00", "1970-01-01T01:00ZZ",
            "1970-01-01T01:00:00:00", "T01:00", "1970-01-01Z",
        ])
    func noMoment(text: String) {
        #expect(TimeReader.moment(text) == nil)
    }

    @Test("An end that is a day includes that day, a moment is the end itself")
    func ends() throws {
        let days = try window("zone: \"+01:00\", from: 1970-01-02, until: 1970-01-02")
        #expect(days.notBefore == 82_800_000)
        #expect(days.notAfter == 169_200_000)
        let moments = try window("from: 1970-01-02T00:00Z, until: \"1970-01-02T00:00-01:00\"")
        #expect(moments.notBefore == 86_400_000)
        #expect(moments.notAfter == 90_000_000)
        #expect(moments.zone == .local)
    }

    @Test("Days are single ones, ranges, and ranges past Sunday")
    func weekdays() throws {
        #expect(try window("days: mon").days == 0b0000001)
        #expect(try window("days: mon-fri").days == 0b0011111)
        #expect(try window("days: [sat-mon, wed]").days == 0b1100101)
        #expect(try window("days: mon-sun").days == 0b1111111)
    }

    @Test("Hours run to midnight and past it, in the zone that is written")
    func hours() throws {
        let late = try window("hours: \"18:00-24:00\", zone: utc")
        #expect(late.minutes?.from == 1_080)
        #expect(late.minutes?.to == 1_440)
        #expect(late.contains(86_399_000, utcOffset: nil) == true)
        #expect(late.contains(86_400_000, utcOffset: nil) == false)
        let night = try window("hours: \"22:00-06:00\", zone: \"-02:00\"")
        #expect(night.zone == .fixed(-7_200))
        #expect(night.contains(0, utcOffset: nil) == true)
        for bad in ["08:00", "8:00-9:00", "08:00-08:00", "24:00-01:00", "08:60-09:00", "08:00-09:00-10:00", "a-b"] {
            let yaml = "version: 1\nrules: [{name: a, when: {time: {hours: \"\(bad)\"}}, then: block}]\n"
            #expect(Sample.problems(yaml).map(\.code) == [.badValue], "\(bad)")
        }
    }
}
