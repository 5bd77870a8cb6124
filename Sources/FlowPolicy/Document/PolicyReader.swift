// SPDX-License-Identifier: Apache-2.0

// Reads a whole policy: a document, what it includes and what it extends.

internal import FlowModel

/// Reads the files of a policy into a snapshot, or says everything that is wrong with them.
struct PolicyReader {
    static func read(
        _ yaml: String, file: String, _ environment: PolicyEnvironment
    ) throws(PolicyProblems) -> Policy {
        var reading = NodeReading(SourceFiles(environment.files))
        if let merged = MergedPolicy(yaml, file: file, &reading) {
            let parts = parts(merged, environment, &reading)
            if reading.count == 0 { return Policy(parts) }
        }
        throw reading.outcome
    }

    private static func parts(
        _ merged: MergedPolicy, _ environment: PolicyEnvironment, _ reading: inout NodeReading
    ) -> PolicyParts {
        var parts = PolicyParts(stamp: .random(in: .min ... .max))
        // Keys that no document has were noted when each of them was read.
        guard let fields = reading.fields(merged.settings, "a policy", known: PolicyLayer.keys) else { return parts }
        if let value = fields["mode"], let mode = reading.choice(value, "`mode`", of: Policy.Mode.allCases) {
            parts.mode = mode
        }
        parts.modeCap = environment.modeCap
        parts.catalogues = environment.catalogues.changed(by: merged.catalogues, &reading)
        parts.settings = SettingsReader(catalogues: parts.catalogues).read(fields, &reading)

        let detectors = DetectorPatterns(environment.detectors)
        let profiles = fields["profiles"].map { ProfileReader(detectors: detectors).read($0, &reading) } ?? []
        var destinations = DestinationReader(parts.catalogues)
        if let node = fields["lists"] { destinations.define(node, &reading) }
        var requirements = RequirementTable(stamp: parts.stamp)
        if let node = fields["requirements"] { requirements.define(node, &reading) }

        var rules = RuleReader(
            mode: parts.mode, modePlace: fields["mode"]?.place, environment, detectors: detectors,
            profiles: profiles.map(\.name),
            conditions: ConditionReader(
                requirements: requirements, destinations: destinations, userID: environment.userID))
        if let node = fields["unknown"] {
            (parts.unknown, parts.holds) = rules.unknown(node, &reading)
        }
        if let (node, items) = merged.rules {
            parts.rules = rules.rules(items, node, &reading)
        } else {
            reading.noteMissing(
                .missingKey, merged.settings, "a policy needs `rules`: without a rule nothing would be taken")
        }
        parts.requirements = rules.conditions.requirements.asked
        parts.profiles =
            profiles.map { $0.effective(parts.mode) }
            + profiles.compactMap { profile in
                rules.observed.contains(profile.name) ? profile.observed : nil
            }
        parts.exclusions = parts.catalogues.exclusions(for: parts.settings, on: environment.system)
        parts.outline = PolicyOutline(merged, rules, reading.sources)
        parts.digest = reading.sources.digest
        parts.files = reading.sources.names
        return parts
    }
}
