// SPDX-License-Identifier: Apache-2.0

// Conditions and facts in the words of a person.

internal import FlowModel

extension Condition {
    /// The condition as the document has it, in few words: `port 443 or 8000-8080`.
    var text: String {
        switch self {
        case .codeClass(let classes): return "class \(Self.listed(classes.map(\.rawValue)))"
        case .transport(let transports): return "transport \(Self.listed(transports.map(\.rawValue)))"
        case .intake(let intakes): return "intake \(Self.listed(intakes.map(\.rawValue)))"
        case .port(let ranges):
            return "port "
                + Self.listed(ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" })
        case .address(let prefixes): return "address \(Self.listed(prefixes.map(\.description)))"
        case .to(let destination, let proof):
            return "to \(Self.listed(destination.texts))" + (proof == .claimed ? "" : " (\(proof.rawValue))")
        case .executable(let patterns): return "executable \(Self.listed(patterns.map(\.text)))"
        case .code(let references): return "code \(Self.listed(references.map(\.title)))"
        case .interface(let classes): return "interface \(Self.listed(classes.map(\.rawValue)))"
        case .user(let ranges):
            return "user "
                + Self.listed(ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" })
        case .session(let kinds): return "session \(Self.listed(kinds.map(\.rawValue)))"
        case .time(let window): return "time \(window)"
        case .applicationProtocol(let names): return "protocol \(Self.listed(names))"
        case .any(let conditions): return "any of (\(Self.joined(conditions)))"
        case .all(let conditions):
            return conditions.count == 1 ? conditions[0].text : "all of (\(Self.joined(conditions)))"
        case .not(let condition): return "not \(condition.text)"
        }
    }

    /// Why the condition holds or does not, with the fact that says so: `to bank.example is not api.example.com`.
    func why(_ facts: FlowFacts, _ open: Awaited) -> String {
        let truth = truth(facts, open)
        switch (self, truth) {
        case (_, .yes): return text
        case (.any(let conditions), .no):
            return conditions.prefix(4).map { $0.why(facts, open) }.joined(separator: " and ")
                + (conditions.count > 4 ? " and so on" : "")
        case (.any(let conditions), _), (.all(let conditions), _):
            let culprit = conditions.first { $0.truth(facts, open).isLike(truth) }
            return culprit?.why(facts, open) ?? text
        case (.not(let condition), .no): return "\(condition.text) holds"
        case (.not(let condition), _): return condition.why(facts, open)
        case (_, .no): return "\(text) is not \(fact(facts))"
        case (_, .unknown): return "\(text): \(fact(facts))"
        case (_, .waits(let awaited)):
            return "\(text): \(fact(facts)) so far, and more may come: \(awaited.words.joined(separator: ", "))"
        }
    }

    /// The fact that this condition asks for.
    private func fact(_ facts: FlowFacts) -> String {
        switch self {
        case .codeClass: return facts.identity.classText
        case .transport: return facts.transport.rawValue
        case .intake: return facts.intake.rawValue
        case .port: return "\(facts.destination.port)"
        case .address: return facts.destination.address?.description ?? "an address that is not known"
        case .to:
            let names = facts.namesText
            return facts.destination.address.map { names.isEmpty ? "\($0)" : "\($0), \(names)" } ?? names
        case .executable: return facts.identity.executable?.visible ?? "an executable that is not known"
        case .code: return facts.identity.proofText
        case .interface: return facts.interface?.rawValue ?? "an interface that is not known"
        // Outputs name people only where the policy says so, and this one does not know.
        case .user: return facts.identity.userID == nil ? "a user that is not known" : "the user of this flow"
        case .session: return facts.session?.rawValue ?? "a session that is not known"
        case .time: return "\(facts.startedAt) ms since 1970"
        case .applicationProtocol:
            return facts.protocols.isEmpty ? "a protocol that is not known" : facts.protocols.joined(separator: ", ")
        case .any, .all, .not: return text
        }
    }

    private static func listed(_ words: [String]) -> String {
        guard words.count > 3 else { return words.joined(separator: " or ") }
        return words.prefix(2).joined(separator: ", ") + " or \(words.count - 2) more"
    }

    private static func joined(_ conditions: [Condition]) -> String {
        conditions.prefix(4).map(\.text).joined(separator: ", ") + (conditions.count > 4 ? ", …" : "")
    }
}

extension IdentitySummary {
    var classText: String {
        switch codeClass {
        case .known(let known): return known.rawValue
        case .unknown(let cause): return "unknown (\(cause.rawValue))"
        }
    }

    /// `third-party, proved AB12CD34EF:com.example.app`.
    var proofText: String { classText + (provedName.map { ", proved \($0.visible)" } ?? ", name not proved") }
}

extension FlowFacts {
    /// `a.example (claimed), b.example (proved)`.
    var namesText: String { names.map { "\($0.name) (\($0.proof.rawValue))" }.joined(separator: ", ") }

    /// Everything that rules can ask of the flow, in one line.
    var text: String {
        var parts = ["\(transport.rawValue) to \(destination)"]
        if !names.isEmpty { parts.append("names \(namesText)") }
        parts.append("class \(identity.classText)")
        if let name = identity.provedName { parts.append("proved \(name.visible)") }
        if let executable = identity.executable { parts.append("executable \(executable.visible)") }
        parts.append("intake \(intake.rawValue)")
        return parts.joined(separator: ", ")
    }
}

extension String {
    /// The text on one line: what would end a line or move the cursor is replaced.
    var visible: String {
        guard unicodeScalars.contains(where: \.isUnprintable) else { return self }
        return String(String.UnicodeScalarView(unicodeScalars.map { $0.isUnprintable ? "\u{fffd}" : $0 }))
    }

    /// At most so many characters, the last one an ellipsis when there were more.
    func clipped(to count: Int) -> String { self.count > count ? prefix(count - 1) + "…" : self }
}

extension Unicode.Scalar {
    fileprivate var isUnprintable: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
