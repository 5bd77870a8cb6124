// SPDX-License-Identifier: Apache-2.0

// Reads descriptions of flows: a YAML list, one mapping, or JSON lines.

internal import CodeIdentity
internal import FlowModel

extension FlowDescription {
    /// Reads one description, a list of them, or one JSON object a line; throws every problem that was found.
    ///
    /// JSON is YAML, so a list in JSON is read too. `file` names the text in problems and is not opened.
    public static func read(
        _ text: String, file: String, _ context: Context
    ) throws(PolicyProblems) -> [FlowDescription] {
        var reading = NodeReading(file: file, text)
        if isJSONLines(text) {
            var flows: [FlowDescription] = []
            for (number, line) in jsonLines(text) {
                guard flows.count < PolicyLimits.describedFlows.value else {
                    reading.note(.tooMany, Place(line: number), tooMany)
                    break
                }
                do {
                    flows.append(try read(line: line, number: number, file: file, context))
                } catch {
                    for problem in error.problems {
                        reading.note(
                            problem.code, Place(line: problem.line, column: problem.column), problem.message)
                    }
                }
            }
            guard reading.count == 0 else { throw reading.outcome }
            return flows
        }
        var flows: [FlowDescription] = []
        do throws(DocumentText.Fault) {
            let root = try DocumentText.compose(text, file: 0)
            flows = reading.flows(root, context)
        } catch {
            reading.note(error, empty: "there is no flow in it: describe one, as in `{to: api.example.com:443}`")
        }
        guard reading.count == 0 else { throw reading.outcome }
        return flows
    }

    /// Reads one description from a line of JSON.
    static func read(
        line: String, number: Int, file: String, _ context: Context
    ) throws(PolicyProblems) -> FlowDescription {
        var reading = NodeReading(file: file, line)
        do throws(DocumentText.Fault) {
            let root = try DocumentText.compose(line, file: 0)
            if let flow = reading.flow(root, context, line: number), reading.count == 0 { return flow }
        } catch {
            reading.note(error, empty: "there is no flow in it: describe one, as in `{to: api.example.com:443}`")
        }
        let outcome = reading.outcome
        throw PolicyProblems(
            problems: outcome.problems.map {
                PolicyProblem(code: $0.code, file: file, line: number, column: $0.column, message: $0.message)
            }, unlisted: outcome.unlisted)
    }

    private static let tooMany =
        "there are more than \(PolicyLimits.describedFlows.value) flows: split the file"

    /// Whether every line that is not empty is a JSON object of its own, and there are several.
    private static func isJSONLines(_ text: String) -> Bool {
        var count = 0
        for (_, line) in jsonLines(text) {
            guard line.utf8.first == UInt8(ascii: "{") else { return false }
            count += 1
        }
        return count > 1
    }

    private static func jsonLines(_ text: String) -> some Sequence<(Int, String)> {
        text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).lazy.enumerated()
            .compactMap { index, line in
                let rest = line.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }
                return rest.isEmpty ? nil : (index + 1, String(Substring(rest)))
            }
    }
}

extension NodeReading {
    private static let flowKeys = [
        "to", "transport", "intake", "names", "interface", "user", "session", "protocol", "time", "content",
        "identity",
    ]
    private static let identityKeys = ["class", "unknown", "system", "executable"]
    private static let appleKeys = [
        "platform", "identifier", "in-inventory", "team", "signer", "adhoc", "unsigned", "anchor", "notarized",
    ]
    private static let linuxKeys = ["package", "path", "unit", "intact", "root-owned", "interpreter", "injection"]

    /// Notes what is wrong with a text as a whole; `empty` says what it needs when there is nothing in it.
    mutating func note(_ fault: DocumentText.Fault, empty: String) {
        note(fault.code, fault.place, fault.code == .missingKey ? empty : fault.message)
    }

    /// The flows of a document: a list, or one.
    mutating func flows(_ root: DocumentNode, _ context: FlowDescription.Context) -> [FlowDescription] {
        let items = list(root, "flows")
        guard items.count <= PolicyLimits.describedFlows.value else {
            note(
                .tooMany, root,
                "there are \(items.count) flows; at most \(PolicyLimits.describedFlows.value) are read: split the file")
            return []
        }
        return items.compactMap { flow($0, context) }
    }

    /// One flow; nil when it has no destination.
    mutating func flow(_ node: DocumentNode, _ context: FlowDescription.Context, line: Int? = nil) -> FlowDescription? {
        guard let fields = fields(node, "a flow", known: Self.flowKeys) else { return nil }
        guard let to = fields["to"] else {
            note(.missingKey, node, "a flow needs `to`: a host and a port, such as api.example.com:443")
            return nil
        }
        guard let text = text(to, "`to`") else { return nil }
        guard let destination = Endpoint(text, defaultPort: 443), destination.port > 0 else {
            note(
                .badValue, to,
                "`\(Quoted.short(text))` is no destination: write a host and a port, as in api.example.com:443")
            return nil
        }
        var moment: Moment?
        if let value = fields["time"], let text = self.text(value, "`time`") {
            moment = Moment(text)
            if moment == nil {
                note(
                    .badValue, value,
                    "`\(Quoted.short(text))` is no time: write 2026-11-24T15:00:00+01:00, or milliseconds since 1970")
            }
        }
        var facts = FlowFacts(
            id: FlowID(0),
            transport: fields["transport"].flatMap { choice($0, "`transport`", of: [Transport.tcp, .udp]) } ?? .tcp,
            intake: fields["intake"].flatMap { choice($0, "`intake`", of: ConditionReader.intakes) } ?? .transparent,
            destination: destination, startedAt: moment?.milliseconds ?? context.now)
        facts.utcOffset = moment == nil ? context.utcOffset : moment?.utcOffset
        facts.interface = fields["interface"].flatMap { choice($0, "`interface`", of: InterfaceClass.allCases) }
        facts.session = fields["session"].flatMap { choice($0, "`session`", of: SessionKind.allCases) }
        if let value = fields["protocol"] {
            facts.protocols = list(value, "`protocol`").compactMap {
                self.line($0, "`protocol`", PolicyLimits.nameCharacters)
            }
        }
        if let value = fields["names"] { learnNames(value, &facts) }
        let user = fields["user"].flatMap { self.user($0, context) }
        let content = fields["content"].map { self.content($0) } ?? []
        var notes: [String] = []
        var evidence: CodeEvidence?
        if let value = fields["identity"] {
            evidence = identity(value, user, &facts.identity, &notes)
        }
        facts.identity.userID = user
        return FlowDescription(
            place: SourcePlace(
                file: sources.name(node.place), line: line ?? node.place.line, column: node.place.column), facts: facts,
            evidence: evidence, content: content, notes: notes)
    }

    private mutating func learnNames(_ node: DocumentNode, _ facts: inout FlowFacts) {
        let proofs = ConditionReader.proofs
        guard let fields = fields(node, "`names`", known: proofs.map(\.rawValue)) else { return }
        for proof in proofs {
            guard let value = fields[proof.rawValue], let text = text(value, "`\(proof.rawValue)`") else { continue }
            if let name = HostName(text) {
                facts.learn(name, proof)
            } else {
                note(.badValue, value, "`\(Quoted.short(text))` is no host name: write it as in api.example.com")
            }
        }
    }

    private mutating func user(_ node: DocumentNode, _ context: FlowDescription.Context) -> UInt32? {
        guard let text = text(node, "`user`") else { return nil }
        if let number = UInt32(text) ?? context.userID(text) { return number }
        note(.badValue, node, "there is no user `\(Quoted.short(text))` on this machine: write a number")
        return nil
    }

    private mutating func content(_ node: DocumentNode) -> [String] {
        let items = list(node, "`content`")
        guard items.count <= PolicyLimits.contentNames.value else {
            note(
                .tooMany, node, "`content` names more than \(PolicyLimits.contentNames.value) detectors: leave some out"
            )
            return []
        }
        return items.compactMap { line($0, "`content`", PolicyLimits.nameCharacters) }
    }

    /// What the description says of the program: a class, why none is known, or facts that prove it.
    private mutating func identity(
        _ node: DocumentNode, _ user: UInt32?, _ identity: inout IdentitySummary, _ notes: inout [String]
    ) -> CodeEvidence? {
        let known = Self.identityKeys + Self.appleKeys + Self.linuxKeys
        guard let fields = fields(node, "`identity`", known: known) else { return nil }
        let before = count
        let codeClass = fields["class"].flatMap { choice($0, "`class`", of: CodeClass.allCases) }
        let unknown = fields["unknown"].flatMap { choice($0, "`unknown`", of: UnknownCause.allCases) }
        let system = fields["system"].flatMap { choice($0, "`system`", of: ProofFacts.System.allCases) }
        let facts = proofFacts(fields, user)
        guard count == before else { return nil }
        identity.executable = facts.executable
        let isApple = Self.appleKeys.contains { fields[$0] != nil }
        let isLinux = Self.linuxKeys.contains { fields[$0] != nil }
        let contradictions = [
            (codeClass != nil && unknown != nil, "a class is given, and why it is not known"),
            (
                codeClass != nil && (isApple || isLinux),
                "a class is given, and facts from which it follows: leave `class` out"
            ),
            (unknown != nil && (isApple || isLinux), "the program is not known, and facts prove it"),
            (isApple && (isLinux || system == .linux), "facts of macOS stand beside Linux"),
            (isLinux && system == .macos, "facts of Linux stand beside macOS"),
        ]
        if let contradiction = contradictions.first(where: \.0) {
            identity.codeClass = .unknown(.contradictory)
            notes.append("the identity contradicts itself: \(contradiction.1)")
            return nil
        }
        if let codeClass { identity.codeClass = .known(codeClass) }
        if let unknown { identity.codeClass = .unknown(unknown) }
        guard codeClass == nil, unknown == nil else { return nil }
        guard isApple || isLinux || system != nil else { return nil }
        switch facts.outcome(isApple ? .macos : isLinux ? .linux : system ?? .macos) {
        case .evidence(let evidence): return evidence
        case .unknown(let cause, let why):
            identity.codeClass = .unknown(cause)
            notes.append(cause == .contradictory ? "the identity contradicts itself: \(why)" : why)
            return nil
        }
    }

    private mutating func proofFacts(_ fields: Fields, _ user: UInt32?) -> ProofFacts {
        var facts = ProofFacts()
        func flag(_ key: String, _ reading: inout NodeReading) -> Bool? {
            fields[key].flatMap { reading.boolean($0, "`\(key)`") }
        }
        func word(_ key: String, _ reading: inout NodeReading) -> String? {
            fields[key].flatMap { reading.line($0, "`\(key)`", PolicyLimits.pathCharacters) }
        }
        facts.userID = user
        facts.executable = word("path", &self) ?? word("executable", &self)
        facts.identifier = word("identifier", &self)
        facts.team = word("team", &self)
        facts.signer = fields["signer"].flatMap { choice($0, "`signer`", of: ProofFacts.Signer.allCases) }
        facts.platform = flag("platform", &self) ?? false
        facts.inInventory = flag("in-inventory", &self)
        facts.adhoc = flag("adhoc", &self) ?? false
        facts.unsigned = flag("unsigned", &self) ?? false
        facts.anchorApple = fields["anchor"].flatMap { choice($0, "`anchor`", of: [Anchor.apple]) } != nil
        facts.notarized = flag("notarized", &self)
        facts.package = word("package", &self)
        facts.unit = word("unit", &self)
        facts.intact = flag("intact", &self)
        facts.rootOwned = flag("root-owned", &self)
        facts.interpreter = flag("interpreter", &self) ?? false
        facts.injection = fields["injection"].map { choices($0, "`injection`", of: InjectionPath.allCases) } ?? []
        return facts
    }

    private enum Anchor: String { case apple }
}
