// SPDX-License-Identifier: Apache-2.0

// Reads the `profiles` of a document.

internal import FlowModel
internal import Yams

/// Reads profiles: what inspection looks for and what it does with it.
struct ProfileReader {
    static let keys = ["detect", "outbound", "inbound", "uneditable", "on_failure", "other"]
    /// Finding an address in a mail or a form is the rule, not the exception: only a rule that names it edits it.
    static let reportedUnlessNamed = "email"

    let detectors: DetectorPatterns

    /// All profiles, in order.
    func read(_ node: Node, _ reading: inout NodeReading) -> [WrittenProfile] {
        guard case .mapping(let mapping) = node, !mapping.isEmpty else {
            reading.note(.wrongType, node, "`profiles` must be a mapping of names to profiles")
            return []
        }
        return mapping.compactMap { key, value in
            guard let name = reading.line(key, "the name of a profile", PolicyLimits.nameCharacters) else { return nil }
            return profile(name, value, &reading)
        }
    }

    /// A profile; one with problems is returned as far as it goes, so that rules can still refer to it.
    private func profile(_ name: String, _ node: Node, _ reading: inout NodeReading) -> WrittenProfile {
        let what = "profile `\(Quoted.short(name))`"
        var profile = WrittenProfile(
            name: name, detect: [], outbound: [:], inbound: [:], uneditable: .report,
            onFailure: .init(beforeTakeover: .relay, afterTakeover: .block), nonHTTP: .relay)
        guard let fields = reading.fields(node, what, known: Self.keys) else { return profile }
        if let detect = fields["detect"] {
            profile.detect = detectors.expandList(detect, "`detect`", &reading)
        } else {
            reading.note(.missingKey, node, "\(what) needs `detect`: the detectors to run, or `\"*\"` for all")
        }
        profile.outbound = actions(fields["outbound"], "`outbound`", profile.detect, &reading)
        profile.inbound = actions(fields["inbound"], "`inbound`", profile.detect, &reading)
        if let value = fields["uneditable"],
            let choice = reading.choice(value, "`uneditable`", of: Profile.Uneditable.allCases)
        {
            profile.uneditable = choice
        }
        if let value = fields["on_failure"],
            let failure = reading.fields(value, "`on_failure`", known: ["before_takeover", "after_takeover"])
        {
            let moments: [(String, WritableKeyPath<Profile.OnFailure, Fallback>)] = [
                ("before_takeover", \.beforeTakeover), ("after_takeover", \.afterTakeover),
            ]
            for (key, path) in moments {
                guard let value = failure[key],
                    let choice = reading.choice(value, "`\(key)`", of: Fallback.allCases)
                else { continue }
                profile.onFailure[keyPath: path] = choice
            }
        }
        if let value = fields["other"], let choice = reading.choice(value, "`other`", of: Fallback.allCases) {
            profile.nonHTTP = choice
        }
        return profile
    }

    /// What is done with the findings of each detector: one word for all, or a mapping of patterns to words.
    private func actions(
        _ node: Node?, _ what: String, _ detect: [String], _ reading: inout NodeReading
    ) -> [String: ContentAction] {
        var actions = Dictionary(detect.map { ($0, ContentAction.report) }) { first, _ in first }
        guard let node else { return actions }
        var written: [(ids: [String], closeness: Int, action: ContentAction)] = []
        if case .mapping(let mapping) = node {
            for (key, value) in mapping {
                guard let pattern = reading.text(key, "a key of \(what)"), let action = action(value, what, &reading)
                else {
                    continue
                }
                if pattern == "default" {
                    written.append((detect, -1, action))
                } else if let found = detectors.expand(pattern, key, &reading) {
                    let ids = found.ids.filter { actions[$0] != nil }
                    if ids.isEmpty, !detect.isEmpty {
                        reading.note(
                            .contradiction, key,
                            "\(what) names `\(pattern)`, which this profile does not look for: "
                                + "add it to `detect`, or take it out"
                        )
                    }
                    written.append((ids, found.closeness, action))
                }
            }
        } else if let action = action(node, what, &reading) {
            written.append((detect, -1, action))
        }
        // The closest pattern wins, wherever it stands; two of the same closeness cannot select the same detector.
        for (ids, closeness, action) in written.sorted(by: { $0.closeness < $1.closeness }) {
            for id in ids where id != Self.reportedUnlessNamed || closeness == 2 { actions[id] = action }
        }
        return actions
    }

    private func action(_ node: Node, _ what: String, _ reading: inout NodeReading) -> ContentAction? {
        reading.choice(node, what, of: ContentAction.allCases, planned: ["replace", "tokenise"])
    }
}
