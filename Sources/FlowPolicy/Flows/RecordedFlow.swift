// SPDX-License-Identifier: Apache-2.0

// A flow as an event recorded it.

internal import FlowModel

/// What a line of recorded events or described flows holds.
enum RecordedLine {
    case flow(FlowDescription)
    /// An event of another kind: a message, a finding or a notice.
    case other
    /// Why it cannot be used.
    case unusable(PolicyProblem)

    /// Reads a line: an event of the kind `flow` as `weir events --format json` prints it, or a description of a flow.
    ///
    /// An event holds the class of the program and not what proved it, so rules on `code` cannot be asked about it. Its
    /// user is read where it is a number.
    init(_ line: String, number: Int, file: String, _ context: FlowDescription.Context) {
        do throws(DocumentText.Fault) {
            let root = try DocumentText.compose(line, file: 0)
            switch root.word("kind") {
            case nil: break
            case "flow":
                self =
                    Self.event(root, SourcePlace(file: file, line: number, column: 1), context).map(RecordedLine.flow)
                    ?? .unusable(
                        Self.problem(.badValue, file, number, "the event has no destination that can be read"))
                return
            default:
                self = .other
                return
            }
        } catch {
            self = .unusable(Self.problem(error.code, file, number, error.message, column: error.place.column))
            return
        }
        do throws(PolicyProblems) {
            self = .flow(try FlowDescription.read(line: line, number: number, file: file, context))
        } catch {
            self = .unusable(error.problems.first ?? Self.problem(.syntax, file, number, "this is no flow"))
        }
    }

    private static func problem(
        _ code: PolicyProblem.Code, _ file: String, _ line: Int, _ message: String, column: Int = 1
    ) -> PolicyProblem {
        PolicyProblem(code: code, file: file, line: line, column: column, message: message)
    }

    private static func event(
        _ root: DocumentNode, _ place: SourcePlace, _ context: FlowDescription.Context
    ) -> FlowDescription? {
        guard let destination = root.word("destination").flatMap({ Endpoint($0) }), destination.port > 0 else {
            return nil
        }
        var facts = FlowFacts(
            id: root.word("flow").flatMap { FlowID($0) } ?? FlowID(0),
            transport: root.word("transport").flatMap(Transport.init) ?? .tcp,
            intake: root.word("intake").flatMap(IntakeKind.init) ?? .transparent, destination: destination,
            startedAt: root.word("started").flatMap(Moment.init)?.milliseconds ?? 0)
        // Events have UTC alone; the offset of today is right but for an hour of daylight saving.
        facts.utcOffset = context.utcOffset
        for name in root.items("names") {
            guard let host = name.word("name").flatMap({ HostName($0) }),
                let proof = name.word("proof").flatMap(NameProof.init)
            else { continue }
            facts.learn(host, proof)
        }
        facts.interface = root.word("interface").flatMap(InterfaceClass.init)
        facts.session = root.word("session").flatMap(SessionKind.init)
        facts.protocols = root.items("protocols").compactMap(\.word)
        if let identity = root["identity"] {
            if let known = identity.word("class").flatMap(CodeClass.init) { facts.identity.codeClass = .known(known) }
            if let cause = identity.word("unknown").flatMap(UnknownCause.init) {
                facts.identity.codeClass = .unknown(cause)
            }
            facts.identity.executable = identity.word("executable")
            facts.identity.userID = identity.word("uid").flatMap { UInt32($0) }
        }
        return FlowDescription(place: place, facts: facts)
    }
}

extension DocumentNode {
    /// The single value under a key; nil when it is missing or null.
    fileprivate func word(_ key: String) -> String? {
        self[key].flatMap { $0.isNull ? nil : $0.word }
    }

    /// The items of the list under a key; none when there is no such list.
    fileprivate func items(_ key: String) -> [DocumentNode] {
        guard case .list(let items) = self[key]?.content else { return [] }
        return items
    }
}
