// SPDX-License-Identifier: Apache-2.0

// What a policy says once for all rules, and what time brings.

import FlowModel
import Testing

@testable import FlowPolicy

@Suite("Settings, use and time")
struct SettingChecksTests {
    private static let rest = CheckSample.rule(9, [], .inspect)

    private func found(_ codes: PolicyFinding.Code..., edit: (inout PolicyParts) -> Void) throws -> [String] {
        CheckSample.found(try CheckSample.policy([Self.rest], edit), of: codes)
    }

    @Test("A rule that ends is told a month before, and after")
    func expiry() throws {
        let day = CheckSample.day
        for (end, expected) in [
            (CheckSample.now, ["warning expired r1"]), (CheckSample.now - 400 * day, ["warning expired r1"]),
            (Int64.min, ["warning expired r1"]), (CheckSample.now + 1, ["note expires-soon r1"]),
            (CheckSample.now + 30 * day, ["note expires-soon r1"]), (CheckSample.now + 31 * day, []), (.max, []),
        ] {
            var window = TimeWindow()
            window.notAfter = end
            let rule = CheckSample.rule(1, [.all([.time(window)])], .relay)
            let policy = try CheckSample.policy([rule, Self.rest])
            #expect(CheckSample.found(policy, of: [.expired, .expiresSoon]) == expected, "\(end)")
            let partly = try CheckSample.policy([CheckSample.rule(1, [.any([.time(window), .port([1...1])])], .relay)])
            #expect(CheckSample.found(partly, of: [.expired, .expiresSoon]) == [])
        }
    }

    @Test("Catalogues of more than a year ago are told, and an edition that is no day is not judged")
    func edition() throws {
        for (edition, expected) in [
            ("2025-11-23", ["warning catalogue-old -"]), ("2025-11-24", []), ("2026-11-24", []), ("none", []),
            ("2025-13-01", []), ("1999--1-1", []), ("99999999999999999999-01-01", []),
        ] {
            #expect(try found(.catalogueOld) { $0.catalogues.edition = edition } == expected, "\(edition)")
        }
    }

    @Test("Days are read and written as the calendar has them")
    func days() throws {
        for (text, number) in [
            ("1970-01-01", 0), ("2000-02-29", 11_016), ("2000-03-01", 11_017), ("2026-11-24", 20_781),
            ("2100-03-01", 47_541), ("9999-12-31", 2_932_896),
        ] {
            #expect(CivilDay(text)?.number == number)
            #expect(CivilDay(milliseconds: Int64(number) * CheckSample.day).description == text)
        }
        #expect(CivilDay(milliseconds: -1).number == -1)
        #expect(CivilDay(milliseconds: .max).description.hasPrefix("day "))
    }

    @Test("A policy that takes flows and looks into none is told so")
    func looks() throws {
        let block = CheckSample.rule(1, [.port([25...25])], .block)
        for (rules, mode, expected) in [
            ([block], Policy.Mode.enforce, ["warning inspects-nothing -"]),
            ([block], .observe, ["warning inspects-nothing -"]),
            ([block], .decide, []), ([block], .off, []), ([block, Self.rest], .enforce, []),
        ] {
            #expect(
                try CheckSample.found(CheckSample.policy(rules) { $0.mode = mode }, of: [.inspectsNothing]) == expected)
        }
        let verdict = Verdict(.inspect, profile: "p", reason: Reason("unknown", ""))
        let unknown = try CheckSample.policy([block]) { $0.unknown = [.exited: (.inspect, verdict)] }
        #expect(CheckSample.found(unknown, of: [.inspectsNothing]) == [])
    }

    @Test("What breaks without a row of the never set is said in its own words, a finding a row")
    func neverRows() throws {
        let row = ProtocolRow(
            id: "apns", system: .macos, name: "push", transports: [.tcp], tier: .never, scope: .prefixes,
            reason: "push", consequence: "messages stop", evidence: .seen, source: "test")
        let policy = try CheckSample.policy([Self.rest]) {
            $0.catalogues.protocols = [row]
            $0.settings.inspectedNeverRows = ["apns", "ntp"]
            $0.outline.keys["capture.inspect-never"] = SourcePlace(file: "test.yaml", line: 3, column: 5)
        }
        let findings = policy.check(now: CheckSample.now).filter { $0.code == .neverRowTaken }
        #expect(findings.count == 2)
        #expect(findings.first?.message.contains("messages stop") == true)
        #expect(findings.allSatisfy { $0.place.line == 3 })
    }

    @Test("Names of users, long keeping and refused DNS are noted")
    func people() throws {
        let kinds: [PolicyFinding.Code] = [.usersNamed, .retainedLong, .dnsBlocked]
        let cases: [(PolicySettings.Privacy, PolicySettings.DNS, [String])] = [
            (.init(), .pass, []), (.init(users: .name), .report, ["note users-named -"]),
            (.init(users: .name, retainDays: 180), .pass, []),
            (.init(retainDays: 181), .pass, ["note retained-long -"]),
            (.init(), .block, ["note dns-blocked -"]),
        ]
        for (privacy, dns, expected) in cases {
            let policy = try CheckSample.policy([Self.rest]) {
                $0.settings.privacy = privacy
                $0.settings.dns = dns
            }
            #expect(CheckSample.found(policy, of: kinds) == expected)
        }
    }

    @Test("What nothing refers to is told where it is declared")
    func unused() throws {
        let place = SourcePlace(file: "lists.yaml", line: 4, column: 3)
        let policy = try CheckSample.policy([Self.rest]) {
            $0.outline.declarations = [
                .init(kind: .list, name: "partners", place: place, isUsed: false),
                .init(kind: .profile, name: "strict", place: place, isUsed: true),
            ]
        }
        let findings = policy.check(now: CheckSample.now).filter { $0.code == .unused }
        #expect(findings.map(\.place) == [place])
        #expect(findings.first?.message.contains("list partners") == true)
    }
}
