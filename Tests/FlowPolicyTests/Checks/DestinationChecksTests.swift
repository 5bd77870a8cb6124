// SPDX-License-Identifier: Apache-2.0

// Rules on hosts that let out more than they say.

import FlowModel
import Testing

@testable import FlowPolicy

@Suite("Rules on destinations")
struct DestinationChecksTests {
    @Test("To let out a whole domain of uploads needs a program beside it")
    func uploads() throws {
        for (when, then, expected) in [
            ("{to: \"*.icloud.com\"}", "bypass", ["warning upload-domain a"]),
            ("{to: \"*.com\", port: 443}", "relay", ["warning upload-domain a"]),
            ("{any: [{class: os, to: \"*.icloud.com\"}, {to: \"*.slack.com\"}]}", "relay", ["warning upload-domain a"]),
            ("{to: \"*.icloud.com\", class: os}", "bypass", []), ("{to: \"*.icloud.com\"}", "inspect", []),
            ("{to: [icloud.com, gateway.icloud.com]}", "relay", []), ("{to: \"*.gateway.icloud.com\"}", "relay", []),
            ("{not: {to: \"*.icloud.com\"}}", "relay", []),
        ] {
            #expect(
                try CheckSample.found("{name: a, when: \(when), then: \(then)}", of: [.uploadDomain]) == expected,
                "\(when)")
        }
    }

    @Test("Every domain of the table is a name, stands once, and says what it takes")
    func table() {
        for domain in UploadDomain.all {
            #expect(HostName(domain.name)?.description == domain.name)
            #expect(!domain.uploads.isEmpty)
        }
        #expect(Set(UploadDomain.all.map(\.name)).count == UploadDomain.all.count)
    }

    @Test("To let out by a claimed or resolved name alone is noted")
    func claims() throws {
        for (when, expected) in [
            ("{to: a.example}", ["note claimed-name a"]),
            ("{to: a.example, name-proof: resolved}", ["note claimed-name a"]),
            ("{to: a.example, name-proof: proved}", []), ("{to: a.example, class: os}", []), ("{to: 192.0.2.1}", []),
        ] {
            #expect(
                try CheckSample.found("{name: a, when: \(when), then: relay}", of: [.claimedName]) == expected,
                "\(when)")
            #expect(try CheckSample.found("{name: a, when: \(when), then: block}", of: [.claimedName]) == [])
        }
        let words = try CheckSample.rules("{name: a, when: {to: a.example, name-proof: resolved}, then: relay}")
            .check(now: CheckSample.now).first { $0.code == .claimedName }?.message
        #expect(words?.contains("resolver") == true)
    }

    @Test("A pattern with many runs of any characters is warned of, wherever it stands")
    func patterns() throws {
        let costly = "\"" + String(repeating: "*a", count: 9) + "\""
        let plain = "\"" + String(repeating: "*a", count: 8) + "\""
        for when in ["{executable: [/bin/a, PATTERN]}", "{port: 1, not: {any: [{executable: PATTERN}, {port: 2}]}}"] {
            let line = { (pattern: String) in
                "{name: a, when: \(when.split(separator: "PATTERN").joined(separator: pattern)), then: block}"
            }
            #expect(try CheckSample.found(line(costly), of: [.patternCost]) == ["warning pattern-cost a"])
            #expect(try CheckSample.found(line(plain), of: [.patternCost]) == [])
        }
    }
}
