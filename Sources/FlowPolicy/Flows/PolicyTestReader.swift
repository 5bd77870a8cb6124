// SPDX-License-Identifier: Apache-2.0

// Reads a test of a policy.

internal import FlowModel

extension PolicyTest {
    private static let keys = ["policy", "flows"]
    private static let caseKeys = ["name", "flow", "expect"]
    private static let expectationKeys = ["lane", "rule", "reason", "profile", "class", "deferred", "content"]

    /// Reads a test; throws every problem that was found.
    ///
    /// `file` names the document in problems and is not opened.
    public static func read(
        yaml: String, file: String, _ context: FlowDescription.Context
    ) throws(PolicyProblems) -> PolicyTest {
        var reading = NodeReading(file: file, yaml)
        var test: PolicyTest?
        do throws(DocumentText.Fault) {
            test = read(try DocumentText.compose(yaml, file: 0), context, &reading)
        } catch {
            reading.note(error, empty: "there is no test in it: it needs `flows`")
        }
        guard let test, reading.count == 0 else { throw reading.outcome }
        return test
    }

    private static func read(
        _ root: DocumentNode, _ context: FlowDescription.Context, _ reading: inout NodeReading
    ) -> PolicyTest? {
        guard let fields = reading.fields(root, "a test of a policy", known: keys) else { return nil }
        let policy = fields["policy"].flatMap { reading.line($0, "`policy`", PolicyLimits.pathCharacters) }
        guard let flows = fields["flows"] else {
            reading.note(.missingKey, root, "a test needs `flows`: a list of `{name, flow, expect}`")
            return nil
        }
        guard case .list(let items) = flows.content else {
            reading.note(.wrongType, flows, "`flows` must be a list, each item beginning with `- name:`")
            return nil
        }
        // A test of nothing would pass for ever.
        guard !items.isEmpty else {
            reading.note(.missingKey, flows, "`flows` is empty: describe at least one flow, as `{name, flow, expect}`")
            return nil
        }
        guard items.count <= PolicyLimits.describedFlows.value else {
            reading.note(
                .tooMany, flows,
                "there are \(items.count) flows; at most \(PolicyLimits.describedFlows.value) are read: split the test")
            return nil
        }
        var lines: [String: Int] = [:]
        let cases = items.compactMap { item in read(case: item, context, &lines, &reading) }
        return PolicyTest(file: reading.sources.name(root.place), policy: policy, cases: cases)
    }

    private static func read(
        case node: DocumentNode, _ context: FlowDescription.Context, _ lines: inout [String: Int],
        _ reading: inout NodeReading
    ) -> Case? {
        guard let fields = reading.fields(node, "a flow of a test", known: caseKeys) else { return nil }
        var missing = false
        for key in caseKeys where fields[key] == nil {
            reading.note(.missingKey, node, "a flow of a test needs `\(key)`")
            missing = true
        }
        guard !missing, let nameNode = fields["name"], let flowNode = fields["flow"], let expectNode = fields["expect"]
        else { return nil }
        let name = reading.line(nameNode, "`name`", PolicyLimits.reasonCharacters)
        if let name, let line = lines[name] {
            reading.note(
                .duplicateName, nameNode, "the flow in line \(line) is called so too: give one another name")
        }
        if let name { lines[name] = lines[name] ?? nameNode.place.line }
        let flow = reading.flow(flowNode, context)
        let expectation = expectation(expectNode, &reading)
        guard let name, let flow, let expectation else { return nil }
        return Case(
            name: name,
            place: SourcePlace(
                file: reading.sources.name(node.place), line: node.place.line, column: node.place.column), flow: flow,
            expectation: expectation)
    }

    private static func expectation(_ node: DocumentNode, _ reading: inout NodeReading) -> Expectation? {
        guard let fields = reading.fields(node, "`expect`", known: expectationKeys) else { return nil }
        if case .mapping(let pairs) = node.content, pairs.isEmpty {
            reading.note(.wrongType, node, "`expect` is empty: say at least the `lane`")
        }
        func word(_ key: String, _ reading: inout NodeReading) -> String? {
            fields[key].flatMap { reading.line($0, "`\(key)`", PolicyLimits.nameCharacters) }
        }
        var expectation = Expectation()
        expectation.lane = fields["lane"].flatMap { reading.choice($0, "`lane`", of: Lane.allCases) }
        expectation.rule = word("rule", &reading)
        expectation.reason = word("reason", &reading)
        expectation.profile = word("profile", &reading)
        expectation.codeClass = fields["class"].flatMap { value in
            reading.choice(value, "`class`", of: ClassWord.all)?.rawValue
        }
        expectation.deferred = fields["deferred"].flatMap { reading.boolean($0, "`deferred`") }
        guard let content = fields["content"] else { return expectation }
        guard case .mapping(let mapping) = content.content, mapping.count <= PolicyLimits.contentNames.value else {
            reading.note(
                .wrongType, content, "`content` must be a mapping of detectors to actions: {private-key: block}")
            return nil
        }
        if mapping.isEmpty {
            reading.note(.wrongType, content, "`content` is empty: name a detector, as in {private-key: block}")
        }
        for (key, value) in mapping {
            guard let detector = reading.line(key, "a key of `content`", PolicyLimits.nameCharacters),
                let action = reading.choice(value, "`\(Quoted.short(detector))`", of: ActionWord.all)
            else { continue }
            expectation.content.append((detector, action.rawValue))
        }
        return expectation
    }

    /// A class, or a cause of not knowing it.
    private struct ClassWord: RawRepresentable {
        let rawValue: String
        static let all = (CodeClass.allCases.map(\.rawValue) + UnknownCause.allCases.map(\.rawValue))
            .map(ClassWord.init)
    }

    /// An action, or that there is none.
    private struct ActionWord: RawRepresentable {
        let rawValue: String
        static let all = (ContentAction.allCases.map(\.rawValue) + [PolicyTest.none]).map(ActionWord.init)
    }
}
