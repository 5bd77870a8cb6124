// SPDX-License-Identifier: Apache-2.0

// Reads the `when` of a rule.

internal import FlowModel

/// Reads the conditions of a rule, in the order in which they are cheapest to ask.
struct ConditionReader {
    static let keys = [
        "class", "code", "transport", "intake", "interface", "session", "user", "port", "protocol", "address", "to",
        "name-proof", "executable", "time", "any", "all", "not", "content",
    ]
    static let proofs: [NameProof] = [.resolved, .claimed, .proved]
    static let intakes: [IntakeKind] = [
        .connect, .absoluteForm, .socks5, .transparent, .forward, .exec, .networkExtension,
    ]
    /// What Weir can tell an application protocol to be.
    static let protocols = ["tls", "http/1.1", "http/2", "websocket"]

    var requirements: RequirementTable
    var destinations: DestinationReader
    let userID: @Sendable (String) -> UInt32?

    /// A `when`: its conditions, and the node of its `content` when it has one.
    struct When {
        var conditions: [Condition] = []
        var content: DocumentNode?
        /// Whether it has no problem.
        var isSound = true
    }

    /// Reads a `when`; what has problems is left out of it.
    mutating func read(_ node: DocumentNode, _ reading: inout NodeReading) -> When {
        let before = reading.count
        var when = mapping(node, "`when`", depth: 1, &reading)
        when.isSound = reading.count == before
        return when
    }

    private mutating func mapping(
        _ node: DocumentNode, _ what: String, depth: Int, _ reading: inout NodeReading
    ) -> When {
        guard depth <= PolicyLimits.depth.value else {
            reading.note(
                .tooDeep, node, "conditions are nested deeper than \(PolicyLimits.depth.value): split the rule")
            return When()
        }
        guard let fields = reading.fields(node, what, known: Self.keys) else { return When() }
        if case .mapping(let pairs) = node.content, pairs.isEmpty {
            reading.note(.wrongType, node, "\(what) is empty: leave `when` out to match every flow")
        }
        var when = When(content: fields["content"])
        if depth > 1, when.content != nil {
            reading.note(
                .contradiction, fields.key("content"),
                "`content` cannot stand inside `any`, `all` or `not`: put it at the top of `when`, in a rule of its own"
            )
        }
        when.conditions = program(fields, &reading) + flow(fields, &reading)
        if let value = fields["time"], let window = TimeReader().read(value, &reading) {
            when.conditions.append(.time(window))
        }
        if let value = fields["all"] { when.conditions.append(.all(nested(value, "`all`", depth, &reading))) }
        if let value = fields["any"] { when.conditions.append(.any(nested(value, "`any`", depth, &reading))) }
        if let value = fields["not"] {
            when.conditions.append(.not(.all(mapping(value, "`not`", depth: depth + 1, &reading).conditions)))
        }
        return when
    }

    /// What is asked of the program and of who runs it.
    private mutating func program(_ fields: NodeReading.Fields, _ reading: inout NodeReading) -> [Condition] {
        var conditions: [Condition] = []
        if let value = fields["class"] {
            conditions.append(.codeClass(reading.choices(value, "`class`", of: CodeClass.allCases)))
        }
        if let value = fields["code"] {
            conditions.append(
                .code(reading.list(value, "`code`").compactMap { requirements.reference($0, &reading) }))
        }
        if let value = fields["session"] {
            conditions.append(.session(reading.choices(value, "`session`", of: SessionKind.allCases)))
        }
        if let value = fields["user"] {
            conditions.append(.user(reading.list(value, "`user`").compactMap { users($0, &reading) }))
        }
        if let value = fields["executable"] {
            conditions.append(
                .executable(reading.list(value, "`executable`").compactMap { executable($0, &reading) }))
        }
        return conditions
    }

    /// What is asked of the flow and of where it goes.
    private mutating func flow(_ fields: NodeReading.Fields, _ reading: inout NodeReading) -> [Condition] {
        var conditions: [Condition] = []
        if let value = fields["transport"] {
            conditions.append(.transport(reading.choices(value, "`transport`", of: [Transport.tcp, .udp])))
        }
        if let value = fields["intake"] {
            conditions.append(.intake(reading.choices(value, "`intake`", of: Self.intakes)))
        }
        if let value = fields["interface"] {
            conditions.append(.interface(reading.choices(value, "`interface`", of: InterfaceClass.allCases)))
        }
        if let value = fields["port"] {
            conditions.append(.port(reading.list(value, "`port`").compactMap { ports($0, &reading) }))
        }
        if let value = fields["protocol"] {
            conditions.append(
                .applicationProtocol(
                    reading.list(value, "`protocol`").compactMap {
                        reading.word($0, "`protocol`", of: Self.protocols)
                    }))
        }
        if let value = fields["address"] {
            conditions.append(
                .address(PrefixSet(reading.list(value, "`address`").compactMap { destinations.prefix($0, &reading) })))
        }
        if let value = fields["to"] {
            let proof = fields["name-proof"].flatMap { reading.choice($0, "`name-proof`", of: Self.proofs) }
            conditions.append(.to(destinations.read(value, &reading), proof ?? .claimed))
        } else if fields["name-proof"] != nil {
            reading.note(
                .contradiction, fields.key("name-proof"),
                "`name-proof` says how sure the name in `to` must be: add `to` beside it")
        }
        return conditions
    }

    private mutating func nested(
        _ node: DocumentNode, _ what: String, _ depth: Int, _ reading: inout NodeReading
    ) -> [Condition] {
        guard case .list = node.content else {
            reading.note(.wrongType, node, "\(what) must be a list of mappings: [{…}, {…}]")
            return []
        }
        var items: [Condition] = []
        for item in reading.list(node, what) {
            let conditions = mapping(item, "an item of \(what)", depth: depth + 1, &reading).conditions
            items.append(conditions.count == 1 ? conditions[0] : .all(conditions))
        }
        return items
    }

    private func ports(_ node: DocumentNode, _ reading: inout NodeReading) -> ClosedRange<UInt16>? {
        guard let text = reading.text(node, "`port`") else { return nil }
        if let ports: ClosedRange<UInt16> = Self.range(text), ports.lowerBound > 0 { return ports }
        reading.note(
            .badValue, node,
            "`\(Quoted.short(text))` is no port: write 443, or a range from low to high as \"8000-8080\"")
        return nil
    }

    private func users(_ node: DocumentNode, _ reading: inout NodeReading) -> ClosedRange<UInt32>? {
        guard let text = reading.line(node, "`user`", PolicyLimits.nameCharacters) else { return nil }
        if let users: ClosedRange<UInt32> = Self.range(text) { return users }
        if let user = userID(text) { return user...user }
        reading.note(
            .unknownName, node,
            "no user of this machine is called `\(text)`: write a name it knows, a number, or a range as "
                + "\"1000-60000\"")
        return nil
    }

    /// Reads `5` and `5-9`.
    private static func range<Number: FixedWidthInteger>(_ text: String) -> ClosedRange<Number>? {
        let ends = text.split(separator: "-", maxSplits: 2, omittingEmptySubsequences: false)
            .map { Decimal.number($0, as: Number.self) }
        guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last else {
            return nil
        }
        return first...last
    }

    private func executable(_ node: DocumentNode, _ reading: inout NodeReading) -> ExecutablePattern? {
        guard let text = reading.line(node, "`executable`", PolicyLimits.pathCharacters) else { return nil }
        if text.hasPrefix("/") || text.hasPrefix("*") { return ExecutablePattern(text: text) }
        let short = Quoted.short(text)
        reading.note(.badValue, node, "`\(short)` is no whole path: write \"/usr/bin/\(short)\" or \"*/\(short)\"")
        return nil
    }
}
