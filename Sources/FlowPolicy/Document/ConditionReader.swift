// SPDX-License-Identifier: Apache-2.0

// Reads the `when` of a rule.

internal import FlowModel
internal import Yams

/// Reads the conditions of a rule, in the order in which they are cheapest to ask.
struct ConditionReader {
    static let keys = [
        "class", "transport", "intake", "port", "address", "to", "name-proof", "executable", "any", "all", "not",
        "content",
    ]
    static let proofs: [NameProof] = [.resolved, .claimed, .proved]
    static let intakes: [IntakeKind] = [
        .connect, .absoluteForm, .socks5, .transparent, .forward, .exec, .networkExtension,
    ]

    /// A `when`: its conditions, and the node of its `content` when it has one.
    struct When {
        var conditions: [Condition] = []
        var content: Node?
        /// Whether it has no problem.
        var isSound = true
    }

    /// Reads a `when`; what has problems is left out of it.
    func read(_ node: Node, _ reading: inout NodeReading) -> When {
        let before = reading.count
        var when = mapping(node, "`when`", depth: 1, &reading)
        when.isSound = reading.count == before
        return when
    }

    private func mapping(_ node: Node, _ what: String, depth: Int, _ reading: inout NodeReading) -> When {
        guard depth <= PolicyLimits.depth.value else {
            reading.note(
                .tooDeep, node, "conditions are nested deeper than \(PolicyLimits.depth.value): split the rule")
            return When()
        }
        guard let fields = reading.fields(node, what, known: Self.keys, planned: ["code"]) else { return When() }
        if fields.node.mapping?.isEmpty == true {
            reading.note(.wrongType, node, "\(what) is empty: leave `when` out to match every flow")
        }
        var when = When(content: fields["content"])
        if depth > 1, when.content != nil {
            reading.note(
                .contradiction, fields.key("content"),
                "`content` cannot stand inside `any`, `all` or `not`: put it at the top of `when`, in a rule of its own"
            )
        }
        if let value = fields["class"] {
            when.conditions.append(.codeClass(reading.choices(value, "`class`", of: CodeClass.allCases)))
        }
        if let value = fields["transport"] {
            when.conditions.append(.transport(reading.choices(value, "`transport`", of: [Transport.tcp, .udp])))
        }
        if let value = fields["intake"] {
            when.conditions.append(.intake(reading.choices(value, "`intake`", of: Self.intakes)))
        }
        if let value = fields["port"] {
            when.conditions.append(.port(reading.list(value, "`port`").compactMap { ports($0, &reading) }))
        }
        if let value = fields["address"] {
            when.conditions.append(
                .address(PrefixSet(reading.list(value, "`address`").compactMap { prefix($0, "`address`", &reading) })))
        }
        if let value = fields["to"] {
            let proof = fields["name-proof"].flatMap { reading.choice($0, "`name-proof`", of: Self.proofs) }
            when.conditions.append(.to(destination(value, &reading), proof ?? .claimed))
        } else if fields["name-proof"] != nil {
            reading.note(
                .contradiction, fields.key("name-proof"),
                "`name-proof` says how sure the name in `to` must be: add `to` beside it")
        }
        if let value = fields["executable"] {
            when.conditions.append(
                .executable(reading.list(value, "`executable`").compactMap { executable($0, &reading) }))
        }
        if let value = fields["all"] { when.conditions.append(.all(nested(value, "`all`", depth, &reading))) }
        if let value = fields["any"] { when.conditions.append(.any(nested(value, "`any`", depth, &reading))) }
        if let value = fields["not"] {
            when.conditions.append(.not(.all(mapping(value, "`not`", depth: depth + 1, &reading).conditions)))
        }
        return when
    }

    private func nested(_ node: Node, _ what: String, _ depth: Int, _ reading: inout NodeReading) -> [Condition] {
        guard case .sequence = node else {
            reading.note(.wrongType, node, "\(what) must be a list of mappings: [{…}, {…}]")
            return []
        }
        return reading.list(node, what).map { item in
            let conditions = mapping(item, "an item of \(what)", depth: depth + 1, &reading).conditions
            return conditions.count == 1 ? conditions[0] : .all(conditions)
        }
    }

    private func ports(_ node: Node, _ reading: inout NodeReading) -> ClosedRange<UInt16>? {
        guard let text = reading.text(node, "`port`") else { return nil }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { end in
            end.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt16(end) : nil
        }
        if ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil, first > 0, first <= last {
            return first...last
        }
        reading.note(
            .badValue, node,
            "`\(Quoted.short(text))` is no port: write 443, or a range from low to high as \"8000-8080\"")
        return nil
    }

    private func executable(_ node: Node, _ reading: inout NodeReading) -> ExecutablePattern? {
        guard let text = reading.line(node, "`executable`", PolicyLimits.pathCharacters) else { return nil }
        if text.hasPrefix("/") || text.hasPrefix("*") { return ExecutablePattern(text: text) }
        let short = Quoted.short(text)
        reading.note(.badValue, node, "`\(short)` is no whole path: write \"/usr/bin/\(short)\" or \"*/\(short)\"")
        return nil
    }

    private func destination(_ node: Node, _ reading: inout NodeReading) -> Destination {
        var destination = Destination()
        for item in reading.list(node, "`to`") {
            guard let text = reading.text(item, "`to`") else { continue }
            if let prefix = IPPrefix(unbracketed(text)) {
                destination.prefixes.append(prefix)
                destination.texts.append(prefix.description)
            } else if text.hasPrefix("*."), let suffix = HostName(text.dropFirst(2)) {
                destination.names.insert(below: suffix)
                destination.texts.append("*.\(suffix)")
            } else if let name = HostName(text) {
                destination.names.insert(name)
                destination.texts.append(name.description)
            } else {
                noteBadHost(text, item, &reading)
            }
        }
        return destination
    }

    private func prefix(_ node: Node, _ what: String, _ reading: inout NodeReading) -> IPPrefix? {
        guard let text = reading.text(node, what) else { return nil }
        if let prefix = IPPrefix(unbracketed(text)) { return prefix }
        reading.note(
            .badValue, node,
            "`\(Quoted.short(text))` is no address and no network with its host bits clear: "
                + "write 192.0.2.7 or 192.0.2.0/24"
        )
        return nil
    }

    private func unbracketed(_ text: String) -> Substring {
        text.hasPrefix("[") && text.hasSuffix("]") ? text.dropFirst().dropLast() : text[...]
    }

    private func noteBadHost(_ text: String, _ node: Node, _ reading: inout NodeReading) {
        if text.hasPrefix("catalogue ") {
            reading.note(.notBuilt, node, "catalogues are planned and not built yet: list the hosts")
            return
        }
        let advice: String
        if text == "*" {
            advice = "leave `to` out to match every destination"
        } else if text.contains("*") {
            advice =
                "a `*` can only be the whole first label: \"*.example.com\" is everything below example.com"
        } else if text.contains("://") {
            advice = "write the host alone, without scheme or path"
        } else if !text.utf8.allSatisfy({ $0 < 0x80 }) {
            advice = "write an international name in its ASCII form, which begins with xn--"
        } else if let port = Endpoint(text)?.port {
            advice = "write the host alone, and `port: \(port)` beside `to`"
        } else if text.contains("/") {
            advice = "write a network with its host bits clear, as in 192.0.2.0/24"
        } else {
            advice = "write a name, \"*.\" and a name, an address or a network"
        }
        reading.note(.badValue, node, "`\(Quoted.short(text))` is no destination: \(advice)")
    }
}
