// SPDX-License-Identifier: Apache-2.0

// Says what Weir does not see, because it was open before Weir took flows.

public import CodeIdentity
internal import Dispatch
public import FlowModel
public import FlowPolicy

/// Counts the connections that the plan would have captured and that are out of its reach until they close.
///
/// A socket that was connected while no provider took flows is never offered to one later.
public struct CoverageGap: Sendable {
    /// Before what they were opened.
    public enum Cause: Sendable {
        case start, death, upgrade
        /// The machine slept, the rules changed, or the provider was disarmed.
        case pause

        fileprivate var words: String {
            switch self {
            case .start: "before Weir started"
            case .death: "before Weir came back from a death"
            case .upgrade: "before the new version of Weir took over"
            case .pause: "while Weir took no flows"
            }
        }
    }

    private let connections: any OpenConnections
    private let identities: any SystemCode<AuditToken>
    private let ownProcess: Int32

    /// `ownProcess` is left out: what the provider itself opens is never offered to it.
    public init(connections: any OpenConnections, identities: any SystemCode<AuditToken>, ownProcess: Int32) {
        self.connections = connections
        self.identities = identities
        self.ownProcess = ownProcess
    }

    /// Lists, counts and records, on a thread of its own choosing; returns at once.
    ///
    /// `at` is in milliseconds since 1970-01-01 UTC: the end of the gap.
    public func report(_ cause: Cause, plan: CapturePlan, at: Int64, to sink: any FlowSink) {
        DispatchQueue.global(qos: .utility).async { sink.record(notice: notice(cause, plan: plan, at: at)) }
    }

    /// What is open now and not seen; waits for the system.
    func notice(_ cause: Cause, plan: CapturePlan, at: Int64) -> NoticeRecord {
        let processes = connections.list()
        let listening = Set(processes.lazy.flatMap(\.sockets).filter { $0.remote == nil }.map(Port.init))
        // A descriptor that two processes share is one connection.
        var known: Set<OpenSocket> = []
        var counts: [Program: Int] = [:]
        for process in processes where process.processID != ownProcess {
            let count = process.sockets.count { socket in
                // What was accepted on a port is no outbound flow.
                guard let remote = socket.remote, remote.port != 0, !listening.contains(Port(socket)) else {
                    return false
                }
                return plan.captures(remote, socket.transport) && known.insert(socket).inserted
            }
            guard count > 0 else { continue }
            let proved = process.token.flatMap { identities.immediate($0, now: .now).summary.provedName }
            counts[Program(executable: process.executable ?? "", provedName: proved), default: 0] += count
        }
        let order = counts.sorted { a, b in
            a.value != b.value ? a.value > b.value : (a.key.executable, a.key.name) < (b.key.executable, b.key.name)
        }
        let named = order.prefix(AppleIntakeLimits.gapPrograms.value)
        var facts = [NoticeRecord.Fact("open-connections", known.count), .init("programs", counts.count)]
        facts += named.map { program, count in
            .init(
                "program", count, executable: program.executable.isEmpty ? nil : program.executable,
                provedName: program.provedName)
        }
        let rest = order.dropFirst(named.count).reduce(0) { $0 + $1.value }
        if rest > 0 { facts.append(.init("other-programs", rest)) }
        let reason = Reason("coverage-gap", "connections opened \(cause.words) are not seen until they are closed")
        return NoticeRecord(at: at, known.isEmpty ? .info : .warning, reason, facts: facts)
    }

    private struct Program: Hashable {
        var executable: String
        var provedName: String?
        var name: String { provedName ?? "" }
    }

    private struct Port: Hashable {
        var transport: Transport
        var number: UInt16

        init(_ socket: OpenSocket) {
            transport = socket.transport
            number = socket.localPort
        }
    }
}
