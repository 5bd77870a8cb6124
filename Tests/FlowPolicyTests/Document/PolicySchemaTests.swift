// SPDX-License-Identifier: Apache-2.0

// The JSON Schema says what the reader says.

import FlowModel
import Foundation
import Testing

@testable import FlowPolicy

@Suite("The schema of the document")
struct PolicySchemaTests {
    private func schema() throws -> JSONSchema { try JSONSchema(Policy.schema) }

    private func problems(_ yaml: String) throws -> [String] {
        try schema().problems(DocumentText.compose(yaml, file: 0))
    }

    @Test("The schema names its draft and uses no keyword that the test does not know")
    func draft() throws {
        let schema = try schema()
        #expect(schema.root["$schema"] as? String == "https://json-schema.org/draft/2020-12/schema")
        #expect(schema.unknownKeywords() == [])
    }

    @Test("Every good vector and every preset is valid", arguments: PolicyVector.all("good"))
    func good(vector: PolicyVector) throws {
        #expect(try problems(vector.yaml) == [])
        for name in Policy.presetNames { #expect(try problems(#require(Policy.presetText(name))) == []) }
    }

    @Test("The example of the documentation is valid")
    func documentation() throws {
        let text = try #require(PolicyVector.text("docs/policy.md"))
        for example in text.components(separatedBy: "```yaml\n").dropFirst() {
            let yaml = example.components(separatedBy: "```")[0]
            // Examples of files that are included hold no version.
            if yaml.hasPrefix("version:") { #expect(try problems(yaml) == []) }
        }
    }

    /// Vectors whose problems lie in names, order or sense, beyond what a schema can say.
    private static let beyond = [
        "base.yaml", "circle.yaml", "content.yaml", "definitions.yaml", "detectors.yaml", "extends.yaml", "files.yaml",
        "labels.yaml", "no-profile.yaml", "profiles.yaml", "unreachable.yaml",
    ]

    @Test("A bad vector that can be read as YAML is invalid, save those whose fault no schema can see")
    func bad() throws {
        var caught: [String] = []
        for vector in PolicyVector.all("bad") where !Self.beyond.contains(vector.name) {
            guard let root = try? DocumentText.compose(vector.yaml, file: 0) else { continue }
            #expect(try !schema().problems(root).isEmpty, "\(vector.name)")
            caught.append(vector.name)
        }
        #expect(caught.count >= 8)
    }

    @Test("One wrong value or key anywhere in the vector of every setting is found")
    func mutation() throws {
        let vectors = PolicyVector.all("good").filter { ["every-key.yaml", "every-setting.yaml"].contains($0.name) }
        #expect(vectors.count == 2)
        let swaps = [
            ("mode: enforce", "mode: enforced"), ("then: block", "then: deny"), ("then: relay", "then: [relay]"),
            ("mon-fri", "mon-fry"), ("\"+01:00\"", "CET"), ("percent: 100", "percent: 101"),
            ("within: 5s", "within: 5"),
            ("retain: 30d", "retain: 30"), ("others: report", "others: reports"), ("{port: 21}", "{prt: 21}"),
            ("{port: 21}", "{port: 0}"), ("{port: 21}", "{}"), ("wifi]", "wlan]"), ("class: [os", "class: [osx"),
            ("exited: block", "exits: block"), ("private-relay: refuse", "private-relay: block"),
            ("name-proof: proved", "name-proof: sure"), ("executable: \"/opt", "executable: \"opt"),
            ("unproved: true", "unproved: 1"), ("uneditable: block", "uneditable: redact"),
            ("  - name: the rest\n", "  - nam: the rest\n"),
            ("AB12CD34EF]", "AB12]"), ("version: 1", "version: 2"), ("not: {address", "nor: {address"),
        ]
        for (good, bad) in swaps {
            let vector = try #require(vectors.first { $0.yaml.contains(good) }, "\(good)")
            #expect(try !problems(vector.yaml.replacing(good, with: bad, maxReplacements: 1)).isEmpty, "\(bad)")
        }
    }

    @Test("The schema has the keys that the reader reads, no more and no fewer")
    func keys() throws {
        let schema = try schema()
        let pairs: [(String, [String])] = [
            ("", PolicyLayer.keys), ("/vendor", SettingsReader.vendorKeys), ("/capture", SettingsReader.captureKeys),
            ("/dns", SettingsReader.dnsKeys), ("/unknown", UnknownCause.allCases.map(\.rawValue)),
            ("/deferred", SettingsReader.deferredKeys), ("/privacy", SettingsReader.privacyKeys),
            ("/require-bundle", SettingsReader.bundleKeys), ("#fileList", DestinationReader.fileKeys),
            ("#catalogueChange", Catalogues.changeKeys), ("#rule", RuleReader.keys),
            ("#rollout", RuleReader.rolloutKeys), ("#rollout/stop", RuleReader.stopKeys),
            ("#ruleChange", RuleChanges.changeKeys), ("#ruleChange/set", RuleReader.keys),
            ("#ruleRemoval", RuleChanges.removeKeys), ("#ruleAddition", RuleChanges.addKeys),
            ("#conditions", ConditionReader.keys), ("#time", TimeReader.keys), ("#profile", ProfileReader.keys),
            ("#profile/on_failure", ProfileReader.failureKeys),
        ]
        for (path, keys) in pairs { #expect(schema.keys(path) == keys.sorted(), "\(path)") }
        #expect(pairs.count == schema.closedObjects)
        let words: [(String, [String])] = [
            ("mode", Policy.Mode.allCases.map(\.rawValue)), ("lane", Lane.allCases.map(\.rawValue)),
            ("action", ContentAction.allCases.map(\.rawValue)), ("class", CodeClass.allCases.map(\.rawValue)),
            ("intake", ConditionReader.intakes.map(\.rawValue)), ("interface", InterfaceClass.allCases.map(\.rawValue)),
            ("session", SessionKind.allCases.map(\.rawValue)), ("protocol", ConditionReader.protocols),
            ("excludable", SettingsReader.excludable), ("fallback", Fallback.allCases.map(\.rawValue)),
            ("unknownVerdict", Lane.allCases.map(\.rawValue) + ["hold"]),
        ]
        for (name, words) in words { #expect(schema.words(name) == words.sorted(), "\(name)") }
    }
}
