// SPDX-License-Identifier: Apache-2.0

// What is left of a condition when only transport, address and port are known.

internal import FlowModel

/// A fact that rules ask for and no kernel rule of ours can.
public enum UnseenFact: String, Sendable, Hashable, CaseIterable {
    case codeClass = "class"
    case code, executable, user, session, interface, time
    /// A name of the destination.
    case name = "to"
    /// The application protocol.
    case `protocol`
}

/// A condition between two bounds.
struct KernelView {
    /// Outside of this the condition is false, whatever else is known.
    var may: FlowSpace
    /// Inside of this it is true, whatever else is known.
    var must: FlowSpace

    private init(exactly space: FlowSpace) {
        may = space
        must = space
    }
    private init(may: FlowSpace, must: FlowSpace) {
        self.may = may
        self.must = must
    }

    static let unseen = KernelView(may: .all, must: .none)

    /// All conditions of a rule; none is every flow.
    init(_ conditions: [Condition], by intake: IntakeKind) {
        let views = conditions.map { KernelView($0, by: intake) }
        may = FlowSpace.joined(views.map(\.may)) { $0.intersection($1) } ?? .all
        must = FlowSpace.joined(views.map(\.must)) { $0.intersection($1) } ?? .all
    }

    init(_ condition: Condition, by intake: IntakeKind) {
        switch condition {
        case .transport(let transports): self.init(exactly: FlowSpace(transports: transports))
        case .port(let ranges): self.init(exactly: FlowSpace(ports: PortSet(ranges)))
        case .address(let prefixes): self.init(exactly: FlowSpace(prefixes: Array(prefixes)))
        case .to(let destination, _):
            let networks = FlowSpace(prefixes: Array(destination.prefixes))
            self.init(may: destination.names.isEmpty ? networks : .all, must: networks)
        case .intake(let kinds): self.init(exactly: kinds.contains(intake) ? .all : .none)
        case .all(let conditions): self.init(conditions, by: intake)
        case .any(let conditions):
            let views = conditions.map { KernelView($0, by: intake) }
            self.init(
                may: FlowSpace.joined(views.map(\.may)) { $0.union($1) } ?? .none,
                must: FlowSpace.joined(views.map(\.must)) { $0.union($1) } ?? .none)
        case .not(let inner):
            // What is surely false is surely not, and the other way round.
            let view = KernelView(inner, by: intake)
            self.init(may: view.must.complement, must: view.may.complement)
        case .codeClass, .code, .executable, .interface, .user, .session, .time, .applicationProtocol:
            self = .unseen
        }
    }
}

extension Condition {
    /// The facts in it that a kernel does not see, in the order in which they stand.
    var unseenFacts: [UnseenFact] {
        switch self {
        case .transport, .port, .address, .intake: return []
        case .to(let destination, _): return destination.names.isEmpty ? [] : [.name]
        case .codeClass: return [.codeClass]
        case .code: return [.code]
        case .executable: return [.executable]
        case .interface: return [.interface]
        case .user: return [.user]
        case .session: return [.session]
        case .time: return [.time]
        case .applicationProtocol: return [.protocol]
        case .any(let conditions), .all(let conditions): return conditions.flatMap(\.unseenFacts)
        case .not(let condition): return condition.unseenFacts
        }
    }
}
