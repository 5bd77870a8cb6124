// SPDX-License-Identifier: Apache-2.0

// The composition root: builds the engine and everything around it from the options of a verb.

import ContentInspection
import EventStore
import FlowEngine
import FlowModel
import FlowPolicy
import Foundation
import LinuxIntake
import NIOCore
import NIOPosix
import SocketTransport

/// A running engine with its egress, its authority and its store.
struct Runtime {
    let group: MultiThreadedEventLoopGroup
    let engine: FlowEngine
    let egress: SocketEgress
    let store: EventStore
    let authority: CertificateAuthority
    let stateDirectory: String
    let counters: Counters
    let policies: PolicyLoader
    let rollouts: RolloutKeeper

    static let now: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) }

    /// Builds all of it, or says in one line what stands in the way.
    static func start(_ options: RuntimeOptions) throws -> Runtime {
        raiseDescriptorLimit()
        // Before anything is made on the disk: a mistake in the policy is the likeliest reason to stop.
        _ = try PolicySource.load(options.policy)
        let state = StateDirectory.resolve(options.state)
        do {
            try StateDirectory.create(state)
        } catch {
            throw Problem.refused("\(state): the state directory cannot be made; choose another with --state")
        }
        let policies = try PolicyLoader(options.policy, state: state, osRelease: options.osRelease)
        let loaded = try policies.load()
        loaded.permit.begin(loaded.policy, now: now())
        let counters = Counters()
        let authority: CertificateAuthority
        let roots: TrustRoots
        let store: EventStore
        do {
            authority = try CertificateAuthority.loadOrCreate(in: state, now: Date())
            roots = try TrustRoots.system(adding: options.upstreamCA)
            var options = EventStoreOptions()
            options.privacy = try EventPrivacy(loaded.policy.settings.privacy, state: state)
            store = try EventStore.open(at: state, options: options, metrics: counters)
        } catch let error as CertificateAuthorityError {
            throw Problem.refused("\(error)")
        } catch let error as TrustRootsError {
            throw Problem.refused("\(error)")
        } catch let error as EventStoreError {
            throw Problem.refused("\(error)")
        }
        if let problem = store.health().lastError {
            FileDescriptorText.standardError("weir: events are not being written: \(problem)\n")
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: usableProcessors)
        let takeover: TakeoverServices
        do {
            takeover = TakeoverServices(
                minter: try LeafMinter(authority: authority, metrics: counters, clock: { Date() }),
                upstream: try UpstreamTLS(),
                trust: X509UpstreamTrust(
                    roots: roots, revocation: PlainHTTPFetcher(group: group), metrics: counters, clock: { Date() }))
        } catch {
            throw Problem.internalError("TLS could not be set up: \(error)")
        }
        let rollouts = RolloutKeeper(state: state, device: policies.device, sink: store, metrics: counters)
        rollouts.watch(loaded.policy, now: now())
        let egress = SocketEgress()
        let engine = FlowEngine(
            policy: policies.snapshot(loaded.policy),
            services: EngineServices(
                egress: egress, sink: rollouts, metrics: counters, takeover: takeover, now: now))
        return Runtime(
            group: group, engine: engine, egress: egress, store: store, authority: authority, stateDirectory: state,
            counters: counters, policies: policies, rollouts: rollouts)
    }

    /// How many connections each of some listeners may have at a time: the limit, or what the descriptors allow.
    ///
    /// A flow takes two descriptors and, while its origin is looked up and judged, a third; the program itself takes
    /// some. Past that, `accept` and `connect` would fail where waiting is asked for.
    static func capacity(listeners: Int = 1) -> Int {
        var limit = rlimit()
        guard getrlimit(descriptorResource, &limit) == 0 else { return 1024 }
        let own = 40
        let room = (Int(clamping: limit.rlim_cur) - own) / (3 * max(1, listeners))
        return max(1, min(EngineLimits.flows.value, room))
    }

    /// Lets live flows end, for a time, then ends them; closes the store last.
    func drain(within patience: Duration) async {
        let end = ContinuousClock.now + patience
        while engine.liveFlows > 0, ContinuousClock.now < end {
            try? await Task.sleep(for: .milliseconds(20))
        }
        engine.abortAll()
        for _ in 0..<10 where engine.liveFlows > 0 {
            try? await Task.sleep(for: .milliseconds(50))
        }
        _ = await store.close(within: .seconds(5))
    }

    /// The processors that this process may run on: more loops than that only take turns, a time slice each.
    private static var usableProcessors: Int {
        min(Processors.usable ?? System.coreCount, System.coreCount)
    }

    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(descriptorResource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(descriptorResource, &limit)
    }

    #if canImport(Glibc)
    private static let descriptorResource = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
    #else
    private static let descriptorResource = RLIMIT_NOFILE
    #endif
}
