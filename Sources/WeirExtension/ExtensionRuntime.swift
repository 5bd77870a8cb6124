// SPDX-License-Identifier: Apache-2.0

// The composition root of the extension: everything a provider works with, put together once a process.

package import AppleIntake
internal import CodeIdentity
internal import EngineAssembly
internal import EventStore
internal import FlowEngine
internal import FlowModel
internal import FlowPolicy
internal import Foundation
package import MacControl
internal import NIOCore
internal import NIOPosix
internal import SocketTransport
internal import Synchronization

/// The running extension, apart from the provider.
///
/// The system may start the provider twice, or again after a stop: what was put together stays, and a start reads the
/// policy anew. None of its work is done on the provider's queue or on a loop.
package actor ExtensionRuntime {
    private struct Assembled {
        let house: AssembledEngine
        let identities: IdentityWorkers
        let ledger: BypassLedger
        let pseudonyms: UserPseudonym
    }

    private let parts: SystemParts
    /// Where everything is kept.
    nonisolated var state: String { parts.state }
    /// The loops of sockets: datagrams, revocation, and flows where nothing better is there.
    private let sockets: MultiThreadedEventLoopGroup
    private let counters = Counters()
    private let attribution = FlowAttribution()
    /// How TCP flows leave, and the loops on which they live.
    private let way: FlowEgress
    private let now: @Sendable () -> Int64
    private var policy = "report"
    private var assembled: Assembled?
    private var rest = Rest.none
    private var inventory = OSInventory()
    private var policyProblem: String?
    private var ticking: Task<Void, Never>?
    private let deaths: DeathRegister
    private var isArmed = true
    /// The provider that runs, whose rules follow the policy.
    private weak var provider: TransparentProxy?

    /// The one of this process, which the program installs before the system starts a provider.
    private static let installed = Mutex<ExtensionRuntime?>(nil)
    package static var current: ExtensionRuntime? { installed.withLock { $0 } }
    package static func install(_ runtime: ExtensionRuntime) { installed.withLock { $0 = runtime } }

    /// `now` gives milliseconds since 1970-01-01 UTC.
    package init(_ parts: SystemParts, now: @escaping @Sendable () -> Int64 = AssembledEngine.now) {
        self.parts = parts
        self.now = now
        let sockets = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
        self.sockets = sockets
        deaths = DeathRegister(state: parts.state, metrics: counters)
        way = FlowEgress.best(attribution, metrics: counters) { FlowEgress(egress: parts.egress, loops: sockets) }
    }

    // MARK: Starting

    /// What a provider works with; `policy` is a preset, a bundle or a file.
    ///
    /// Throws in one sentence what keeps it from starting.
    package func services(policy: String, for provider: TransparentProxy? = nil) async throws -> ProviderServices {
        self.provider = provider
        if let assembled, policy == self.policy {
            try? await reload()
            begin(assembled)
            return services(assembled)
        }
        DescriptorLimit.raise()
        try StateDirectory.create(parts.state)
        rest = Rest.read(in: parts.state).at(now())
        var options = AssemblyOptions(
            policy: policy, state: parts.state, upstreamCA: parts.upstreamCA, osRelease: parts.osRelease)
        options.modeCap = rest.cap
        // Nobody would trust one that is made here, and every inspected program would fail.
        options.authority = .installed
        // Also where a simulated Mac offers the flows.
        options.system = .macos
        var ledger: BypassLedger?
        let house = try AssembledEngine.assemble(options, on: sockets, egress: way.egress, counters: counters) { sink in
            let counting = BypassLedger(sink)
            ledger = counting
            return counting
        }
        guard let ledger else { throw Problem.internalError("the engine was put together without its ledger") }
        let new = Assembled(
            house: house,
            identities: IdentityWorkers(
                kernel: parts.kernel, oracle: parts.oracle, settings: try questions(house.engine.currentPolicy),
                metrics: house.counters),
            ledger: ledger, pseudonyms: try InstallationKeyFile.users(in: parts.state))
        assembled = new
        self.policy = policy
        policyProblem = nil
        tickOn()
        begin(new)
        readInventory()
        return services(new)
    }

    /// Reads what the system itself runs, where nobody waits for it; until then it is not known, as after an update.
    private func readInventory() {
        guard let release = parts.release else { return }
        Task.detached(priority: .utility) { [weak self, state] in
            await self?.use(OSInventory.read(in: state, release: release))
        }
    }

    private func use(_ inventory: OSInventory) {
        guard let assembled else { return }
        let isNews = inventory.problem != self.inventory.problem
        self.inventory = inventory
        // Questions that cannot be asked are told by the reload that brought them.
        if let questions = try? questions(assembled.house.engine.currentPolicy) { assembled.identities.use(questions) }
        guard isNews, let problem = inventory.problem else { return }
        assembled.house.sink.record(notice: NoticeRecord(at: now(), .warning, problem))
    }

    /// A run begins: counted until it ends in order, and what is open already is told.
    private func begin(_ assembled: Assembled) {
        let sink = assembled.house.sink
        let policy = assembled.house.engine.currentPolicy
        let beginning = deaths.begin(approved: "\(policy.digest) \(parts.build)", at: now())
        isArmed = beginning.isArmed
        for notice in beginning.notices { sink.record(notice: notice) }
        if let problem = assembled.house.authorityProblem {
            sink.record(notice: NoticeRecord(at: now(), .warning, problem))
        }
        guard let connections = parts.connections else { return }
        let hasDied = beginning.notices.contains { $0.reason.code == "provider-died" }
        CoverageGap(connections: connections, identities: assembled.identities, ownProcess: getpid())
            .report(hasDied ? .death : .start, plan: policy.capturePlan(for: .networkExtension), at: now(), to: sink)
    }

    private func services(_ assembled: Assembled) -> ProviderServices {
        ProviderServices(
            engine: assembled.house.engine, loops: way.loops, identities: assembled.identities,
            datagrams: SocketDatagramEgress(loops: sockets), attribution: attribution, sink: assembled.house.sink,
            metrics: assembled.house.counters, now: now, hooks: hooks(assembled))
    }

    /// What a policy wants to know of programs: the texts by which `CodeEvidence` asks for the outcomes.
    private func questions(_ policy: Policy) throws(CodeProblem) -> AppleIdentityResolver.Settings {
        let texts = policy.requirements.map { RequirementPrinter.text($0.compiled.expression) }
        return try AppleIdentityResolver.Settings(
            requirements: Array(Set(texts)).sorted(), osPrograms: inventory.programs)
    }

    private func hooks(_ assembled: Assembled) -> ProviderHooks {
        let (sink, now) = (assembled.house.sink, now)
        var hooks = ProviderHooks()
        hooks.disarmed = isArmed ? nil : "it died three times within ten minutes"
        hooks.woke = { [way] in way.woke() }
        hooks.notify = { sink.record(notice: NoticeRecord(at: now(), .warning, $0)) }
        hooks.close = { [weak self] in await self?.ended() }
        return hooks
    }

    /// Somebody wants flows to be taken again.
    private func armed() {
        isArmed = true
        guard let sink = assembled?.house.sink else { return }
        for notice in deaths.rearm(at: now()) { sink.record(notice: notice) }
    }

    /// The provider has ended in order: this run is no death.
    private func ended() { deaths.end() }

    /// Lets live flows end and stores what is queued; the process ends afterwards.
    package func close() async {
        ticking?.cancel()
        deaths.end()
        await assembled?.house.drain(within: .seconds(1))
        assembled = nil
        try? await sockets.shutdownGracefully()
    }

    // MARK: The policy in force

    /// Puts the policy in force as its file and the wishes of administrators are now.
    package func reload() async throws(ControlRefusal) {
        guard let assembled else { throw Self.notStarted }
        let house = assembled.house
        switch house.policies.reload(
            house.engine, house.store, house.rollouts, cap: rest.cap, metrics: house.counters)
        {
        case .success(let policy):
            policyProblem = nil
            readInventory()
            do { assembled.identities.use(try questions(policy)) } catch {
                policyProblem = "\(error)"
                throw ControlRefusal(.failed, "\(error)")
            }
            do { try await provider?.followPolicy() } catch {
                throw ControlRefusal(.failed, "the system did not take the rules: \(error)")
            }
        case .failure(let problem):
            policyProblem = problem.text
            // A rest holds without the policy, and the rules of the system shall know it.
            if rest.cap != nil { try? await provider?.followPolicy() }
            throw ControlRefusal(.failed, problem.text)
        }
    }

    /// Ends a pause that is over, and moves roll-outs; done once a minute, and when a pause ends.
    package func tick() async {
        guard let assembled else { return }
        let left = rest.at(now())
        let isOver = left != rest
        rest = left
        if assembled.house.rollouts.move(now: now()) || isOver { try? await reload() }
    }

    private func tickOn() {
        ticking?.cancel()
        ticking = Task { [weak self, now] in
            while !Task.isCancelled {
                var wait: Int64 = 60_000
                if case .paused(let until) = await self?.rest { wait = min(wait, max(until &- now(), 1)) }
                guard (try? await Task.sleep(for: .milliseconds(wait))) != nil else { return }
                await self?.tick()
            }
        }
    }

    /// Rests or works, and remembers it on the disk before it does.
    private func take(_ rest: Rest) async throws(ControlRefusal) {
        guard assembled != nil else { throw Self.notStarted }
        do { try rest.write(in: parts.state) } catch {
            throw ControlRefusal(.failed, "the wish cannot be stored: \(error.localizedDescription)")
        }
        self.rest = rest
        tickOn()
        do { try await reload() } catch {
            // With a policy that cannot be read it rests all the same, and the state tells the problem.
            guard rest.cap != nil, assembled?.house.engine.currentPolicy.mode == .off else { throw error }
        }
    }

    private static let notStarted = ControlRefusal(.failed, "the provider has not been started")
}

extension ExtensionRuntime: ControlTarget {
    package func state() async -> ControlState {
        let running = assembled?.house.engine
        let condition: ControlState.Condition
        var pausedUntil: Int64?
        switch rest.at(now()) {
        case .off: condition = .off
        case .paused(let until): (condition, pausedUntil) = (.paused, until)
        case .none:
            let mode = running?.currentPolicy.mode ?? .off
            condition = running != nil && !isArmed ? .disarmed : mode == .off ? .off : .running
        }
        return ControlState(
            condition: condition, pausedUntil: pausedUntil, mode: running?.currentPolicy.mode.rawValue ?? "off",
            modeCause: running?.currentPolicy.modeCap?.cause, policy: policy,
            policyDigest: running?.currentPolicy.digest ?? "", policyProblem: policyProblem,
            liveFlows: running?.liveFlows ?? 0, build: parts.build)
    }

    package func bypasses() async -> [BypassCount] { assembled?.ledger.all ?? [] }

    package func events(
        before: Int64?, limit: Int, reach: PeerCheck.Reach
    ) async throws(ControlRefusal) -> [ControlEvent] {
        guard let assembled else { throw Self.notStarted }
        var query = EventQuery()
        query.kinds = [.flow]
        query.until = before
        query.limit = limit
        if case .own(let user) = reach {
            query.user = EventUser(number: user, pseudonym: assembled.pseudonyms.ofUser(user))
        }
        do {
            var events: [ControlEvent] = []
            for try await case .flow(let flow) in try EventReader.open(at: parts.state).events(query) {
                events.append(ControlEvent(flow))
            }
            return events.reversed()
        } catch { throw ControlRefusal(.failed, "\(error)") }
    }

    package func pause(until: Int64) async throws(ControlRefusal) { try await take(.paused(until: until)) }
    package func resume() async throws(ControlRefusal) { try await take(.none) }
    package func off() async throws(ControlRefusal) { try await take(.off) }

    package func rearm() async throws(ControlRefusal) {
        armed()
        try await take(.none)
        do { try await provider?.arm() } catch { throw ControlRefusal(.failed, "\(error)") }
    }
}

extension ControlEvent {
    fileprivate init(_ flow: FlowRecord) {
        let identity = flow.facts.identity
        self.init(
            id: flow.facts.id.description, time: flow.endedAt, host: flow.facts.displayHost,
            program: identity.provedName ?? identity.executable, lane: flow.verdict.lane.rawValue,
            reason: flow.verdict.reason.description, outcome: flow.outcome.rawValue, findings: flow.findings)
    }
}
