// SPDX-License-Identifier: Apache-2.0

// A system extension that is installed on the simulated Mac, over all its starts, deaths and upgrades.

public import Foundation

/// Why a start did not succeed, when not for an error of the provider.
public enum SessionError: Error, Hashable, Sendable {
    case alreadyStarted
    /// Stopped, or dead, before the start completed.
    case stopped
}

/// One system extension with a transparent proxy provider, and its session.
// `configuration` is set before the proxy is shared and handed to providers, which read it on their own queue;
// everything else that changes is in `state`.
public final class InstalledProxy: @unchecked Sendable {
    public enum Status: Hashable, Sendable { case stopped, starting, running, stopping, dead }

    public let name: String
    public let configuration: NETunnelProviderProtocol
    let order: Int?
    private weak let mac: SimulatedMac?
    private let knobs: Knobs
    private let state: Gate<State>
    private struct State {
        var make: @Sendable () -> NETransparentProxyProvider
        var process: SimulatedProcess
        var session: Session?
        var isDead = false
        /// Rules that the kernel still has although their provider is gone, and how many connects fail for them.
        var residue: (rules: RuleSet, failures: Int)?
        var blockingCalls: (@Sendable () -> Int)?
        var figures = CallbackFigures()
    }

    init(
        _ name: String, order: Int?, configuration: NETunnelProviderProtocol, mac: SimulatedMac,
        make: @escaping @Sendable () -> NETransparentProxyProvider
    ) {
        self.name = name
        self.order = order
        self.configuration = configuration
        self.mac = mac
        knobs = mac.knobs
        state = Gate(State(make: make, process: mac.launch(Self.program(name), user: 0)))
    }

    private static func program(_ name: String) -> SimulatedProgram { SimulatedProgram(name, team: "EXTENSION1") }

    // MARK: What the system does with it

    /// Starts the provider, and waits until its start completes; throws what it reported.
    ///
    /// As by the manager's start; nil options are those of On Demand (1.1).
    public func start(options: [String: Any]? = nil) async throws {
        let options = Carried(options)
        let session = try state.change { state in
            if let session = state.session, session.phase != .ended { throw SessionError.alreadyStarted }
            collect(&state)
            if !state.process.isAlive, let mac { state.process = mac.launch(Self.program(name), user: 0) }
            let session = Session(
                name, provider: state.make(), configuration: configuration, process: state.process, knobs: knobs)
            session.queue.countBlockingCalls(with: state.blockingCalls)
            state.session = session
            state.isDead = false
            return session
        }
        try await session.start(options.value)
        state.change { $0.residue = nil }
    }

    /// Stops the provider, and waits until it has, or is killed.
    public func stop(_ reason: NEProviderStopReason) async {
        await session?.stop(reason)
    }

    /// Ends the extension's process at once, as a trap in it does.
    public func kill() {
        let (session, process) = state.change { state in
            state.isDead = true
            leaveResidue(&state)
            return (state.session, state.process)
        }
        session?.end()
        process.exit()
    }

    /// Replaces the extension: the old one is stopped, a new process starts with what `make` gives (2.4).
    ///
    /// False when the new one does not start.
    @discardableResult
    public func upgrade(make: @escaping @Sendable () -> NETransparentProxyProvider) async -> Bool {
        let (session, process) = state.change { state in
            leaveResidue(&state)
            return (state.session, state.process)
        }
        await session?.stop(.appUpdate)
        process.exit()
        state.change { $0.make = make }
        do { try await start(options: nil) } catch { return false }
        return true
    }

    /// Uninstalls the extension; its rules go with it.
    public func remove() {
        kill()
        state.change { $0.residue = nil }
        mac?.uninstall(self)
    }

    /// Withdraws the rules of a dead provider, which ends the fail-closed window.
    public func withdrawRules() { state.change { $0.residue = nil } }

    /// Sends a message of the container application; nil when there is no answer.
    public func send(_ message: Data) async -> Data? { await session?.send(message) }

    /// Has the provider's queue take no more work, as when a callback does not return.
    public func hang() { session?.queue.hang() }
    public func unhang() { session?.queue.unhang() }

    // MARK: What can be seen of it

    public var status: Status {
        let (phase, isDead) = state.read { ($0.session?.phase, $0.isDead) }
        return switch phase {
        case .starting: .starting
        case .running: .running
        case .stopping: .stopping
        case .ended, nil: isDead ? .dead : .stopped
        }
    }

    /// The extension's own process, whose sockets are not offered to it.
    public var process: SimulatedProcess { state.read { $0.process } }

    /// How many flows the provider holds.
    public var flowCount: Int { session?.flowCount ?? 0 }

    /// What the provider's callbacks cost, of all its instances (S3).
    public var callbacks: CallbackFigures {
        state.read { state in
            var figures = state.figures
            if let session = state.session { figures.add(session.queue.figures) }
            return figures
        }
    }

    /// The longest callback by its thread's CPU time, which load on the machine does not lengthen.
    public var longestCallback: Duration { callbacks.longestCPU }

    /// Counts calls that block, made so far by the calling thread; asked on the queue before and after each callback.
    public var blockingCalls: (@Sendable () -> Int)? {
        get { state.read { $0.blockingCalls } }
        set {
            state.change {
                $0.blockingCalls = newValue
                $0.session?.queue.countBlockingCalls(with: newValue)
            }
        }
    }

    // MARK: What the kernel asks

    var session: Session? { state.read { $0.session } }

    func owns(_ process: SimulatedProcess) -> Bool { state.read { $0.process === process } }

    enum Standing { case none, excluded, live(Session), dead }

    /// What the rules that the kernel has for this provider say.
    func standing(_ offer: FlowOffer) -> Standing {
        let (session, residue) = state.read { ($0.session, $0.residue?.rules) }
        let live = session.flatMap { session in session.liveRules.map { (session, $0) } }
        guard let rules = live?.1 ?? residue else { return .none }
        return switch rules.verdict(on: offer.destination, name: offer.hostname, transport: offer.transport) {
        case .unmatched: .none
        case .excluded: .excluded
        case .included: live.map { .live($0.0) } ?? .dead
        }
    }

    /// Whether one more connect fails for a dead provider; after the last the kernel has withdrawn its rules.
    func spendFailure() -> Bool {
        state.change { state in
            guard let residue = state.residue else { return false }
            state.residue = residue.failures > 1 ? (residue.rules, residue.failures - 1) : nil
            return residue.failures > 0
        }
    }

    private func leaveResidue(_ state: inout State) {
        guard knobs.failClosedWindow, let rules = state.session?.liveRules else { return }
        state.residue = (rules, knobs.failClosedConnects)
    }

    private func collect(_ state: inout State) {
        if let session = state.session { state.figures.add(session.queue.figures) }
        state.session = nil
    }
}

extension CallbackFigures {
    mutating func add(_ other: CallbackFigures) {
        count += other.count
        longestCPU = max(longestCPU, other.longestCPU)
        longestWall = max(longestWall, other.longestWall)
        totalCPU += other.totalCPU
        blockingCalls += other.blockingCalls
    }
}
