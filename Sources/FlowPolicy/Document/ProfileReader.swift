// SPDX-License-Identifier: Apache-2.0

// Reads the `profiles` of a document.

internal import FlowModel

/// Reads profiles: what inspection looks for and what it does with it.
struct ProfileReader {
    static let keys = [
        "detect", "outbound", "inbound", "uneditable", "on_failure", "other", "learn", "quic", "ech", "private-relay",
    ]
    static let failureKeys = ["before_takeover", "after_takeover"]
    /// Finding an address in a mail or a form is the rule, not the exception: only a rule that names it edits it.
    static let reportedUnlessNamed = "email"

    let detectors: DetectorPatterns

    /// All profiles, in order.
    func read(_ node: DocumentNode, _ reading: inout NodeReading) -> [WrittenProfile] {
        reading.entries(node, "`profiles`").map { name, key, value in
            if name.hasSuffix(WrittenProfile.observedName("")) {
                reading.note(
                    .badValue, key,
                    "names that end so are for profiles of rules that only observe: give this one another name")
            }
            return profile(name, value, &reading)
        }
    }

    /// A profile; one with problems is returned as far as it goes, so that rules can still refer to it.
    private func profile(_ name: String, _ node: DocumentNode, _ reading: inout NodeReading) -> WrittenProfile {
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
        take(fields, "uneditable", &profile.uneditable, &reading)
        if let value = fields["on_failure"],
            let failure = reading.fields(value, "`on_failure`", known: Self.failureKeys)
        {
            take(failure, "before_takeover", &profile.onFailure.beforeTakeover, &reading)
            take(failure, "after_takeover", &profile.onFailure.afterTakeover, &reading)
        }
        take(fields, "other", &profile.nonHTTP, &reading)
        take(fields, "learn", &profile.learn, &reading)
        take(fields, "quic", &profile.quic, &reading)
        take(fields, "ech", &profile.ech, &reading)
        take(fields, "private-relay", &profile.privateRelay, &reading)
        return profile
    }

    /// Takes the choice of a key over where the document has one.
    private func take<Choice: RawRepresentable<String> & CaseIterable>(
        _ fields: NodeReading.Fields, _ key: String, _ place: inout Choice, _ reading: inout NodeReading
    ) {
        guard let value = fields[key],
            let choice = reading.choice(value, "`\(key)`", of: Array(Choice.allCases))
        else { return }
        place = choice
    }

    /// What is done with the findings of each detector: one word for all, or a mapping of patterns to words.
    private func actions(
        _ node: DocumentNode?, _ what: String, _ detect: [String], _ reading: inout NodeReading
    ) -> [String: ContentAction] {
        var actions = Dictionary(detect.map { ($0, ContentAction.report) }) { first, _ in first }
        guard let node else { return actions }
        var written: [(ids: [String], closeness: Int, action: ContentAction)] = []
        if case .mapping(let pairs) = node.content {
            for (key, value) in pairs {
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

    private func action(_ node: DocumentNode, _ what: String, _ reading: inout NodeReading) -> ContentAction? {
        reading.choice(node, what, of: ContentAction.allCases, planned: ["replace", "tokenise"])
    }
}
