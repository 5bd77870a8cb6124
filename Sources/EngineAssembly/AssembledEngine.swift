// SPDX-License-Identifier: Apache-2.0

// An engine with everything around it, put together from a policy and a state directory.

package import EventStore
package import FlowEngine
package import FlowModel
package import FlowPolicy
internal import Foundation
package import NIOCore
internal import SocketTransport

/// What an engine is put together from.
package struct AssemblyOptions: Sendable {
    /// A policy file, a bundle, or a preset by its name.
    package var policy: String
    /// The state directory, which is made if it is not there.
    package var state: String
    /// Certificates (PEM) to trust for origins, beside the system's.
    package var upstreamCA: String?
    /// Another file than `/etc/os-release`, for tests.
    package var osRelease: String?
    /// The system whose flows the engine carries.
    package var system = CatalogueSystem.current
    /// Holds the mode down further than the policy and this system do.
    package var modeCap: ModeCap?
    /// Where the certificate authority comes from.
    package var authority = AuthoritySource.madeOnFirstUse

    package init(policy: String, state: String, upstreamCA: String? = nil, osRelease: String? = nil) {
        self.policy = policy
        self.state = state
        self.upstreamCA = upstreamCA
        self.osRelease = osRelease
    }
}

/// Where the certificate authority comes from.
package enum AuthoritySource: Sendable {
    /// The state directory's, and a new one where there is none: for programs that tell their clients whom to trust.
    case madeOnFirstUse
    /// Only one that was installed. Where there is none that can be used, TLS is relayed: nobody would trust another.
    case installed
}

/// A running engine with its authority, its store, its counters and its policy.
package struct AssembledEngine: Sendable {
    package let engine: FlowEngine
    package let store: EventStore
    /// Nil where none is installed that can be used: TLS is then relayed.
    package let authority: CertificateAuthority?
    /// Why there is none.
    package let authorityProblem: Reason?
    package let stateDirectory: String
    package let counters: Counters
    package let policies: PolicyLoader
    package let rollouts: RolloutKeeper
    /// Where records go.
    package let sink: any FlowSink

    /// Milliseconds since 1970-01-01 UTC.
    package static let now: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) }

    /// Puts all of it together, or says in one line what stands in the way; reads files, so never call it on a loop.
    ///
    /// `watching` may put a sink of the program's own before those that count and store.
    package static func assemble(
        _ options: AssemblyOptions, on loops: any EventLoopGroup, egress: any Egress, counters: Counters = Counters(),
        watching: (any FlowSink) -> any FlowSink = { $0 }
    ) throws -> AssembledEngine {
        // Before anything is made on the disk: a mistake in the policy is the likeliest reason to stop.
        _ = try PolicySource.load(options.policy)
        let state = options.state
        do {
            try StateDirectory.create(state)
        } catch {
            throw Problem.refused("\(state): the state directory cannot be made; choose another with --state")
        }
        let policies = try PolicyLoader(
            options.policy, state: state, osRelease: options.osRelease, system: options.system)
        let loaded = try policies.load(cap: options.modeCap)
        loaded.permit.begin(loaded.policy, now: now())
        let (authority, authorityProblem): (CertificateAuthority?, Reason?)
        let roots: TrustRoots
        let store: EventStore
        do {
            (authority, authorityProblem) = try Self.authority(options.authority, in: state)
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
        let takeover: TakeoverServices?
        do {
            takeover = try authority.map { authority in
                TakeoverServices(
                    minter: try LeafMinter(authority: authority, metrics: counters, clock: { Date() }),
                    upstream: try UpstreamTLS(),
                    trust: X509UpstreamTrust(
                        roots: roots, revocation: PlainHTTPFetcher(group: loops), metrics: counters, clock: { Date() }))
            }
        } catch {
            throw Problem.internalError("TLS could not be set up: \(error)")
        }
        let rollouts = RolloutKeeper(state: state, device: policies.device, sink: store, metrics: counters)
        rollouts.watch(loaded.policy, now: now())
        let sink = watching(rollouts)
        let engine = FlowEngine(
            policy: policies.snapshot(loaded.policy),
            services: EngineServices(
                egress: egress, sink: sink, metrics: counters, takeover: takeover, now: now))
        return AssembledEngine(
            engine: engine, store: store, authority: authority, authorityProblem: authorityProblem,
            stateDirectory: state, counters: counters, policies: policies, rollouts: rollouts, sink: sink)
    }

    private static func authority(
        _ source: AuthoritySource, in state: String
    ) throws(CertificateAuthorityError) -> (CertificateAuthority?, Reason?) {
        switch source {
        case .madeOnFirstUse:
            return (try CertificateAuthority.loadOrCreate(in: state, now: Date()), nil)
        case .installed:
            do {
                if let installed = try CertificateAuthority.load(in: state, now: Date()) { return (installed, nil) }
                return (
                    nil, Reason("authority-missing", "\(state): install one with `weir ca`; until then TLS is relayed")
                )
            } catch {
                return (nil, Reason("authority-unusable", "\(error); until then TLS is relayed"))
            }
        }
    }

    /// Lets live flows end, for a time, then ends them; closes the store last.
    package func drain(within patience: Duration) async {
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
}
