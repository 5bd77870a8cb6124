// SPDX-License-Identifier: Apache-2.0

// The threads on which code is examined, and the clock that does not wait for them.

internal import CodeIdentity
internal import Dispatch
internal import FlowModel
internal import FlowPolicy
internal import Synchronization

/// A resolver of audit tokens with threads of its own.
///
/// Neither a loop nor the provider's queue ever waits for one of them: the oracle may wait for a daemon whose own flows
/// go through this provider.
struct IdentityThreads: Sendable {
    let resolver: AppleIdentityResolver
    private let osPrograms: OSProgramSet?

    /// Begins with the questions of a policy.
    init(_ parts: SystemParts, policy: Policy, metrics: any MetricSink) throws {
        osPrograms = parts.osPrograms
        let settings = try Self.settings(policy, parts.osPrograms)
        // The queue is concurrent and the limit is the resolver's: it hands out `examinationsAtOnce` jobs and no more.
        let workers = DispatchQueue(label: "weir.identity", qos: .userInitiated, attributes: .concurrent)
        let clock = DispatchQueue(label: "weir.identity-clock", qos: .userInitiated)
        let itself = WeakResolver()
        resolver = AppleIdentityResolver(
            kernel: parts.kernel, oracle: parts.oracle, settings: settings, metrics: metrics
        ) {
            workers.async { itself.resolver?.resolvePending { .now } }
            let wait = CodeIdentityLimits.examinationWait.value
            clock.asyncAfter(deadline: .now() + .milliseconds(wait)) { itself.resolver?.expire(now: .now) }
        }
        itself.hold(resolver)
    }

    /// Asks what another policy wants to know, from now on.
    func use(_ policy: Policy) throws { resolver.use(try Self.settings(policy, osPrograms)) }

    private static func settings(
        _ policy: Policy, _ osPrograms: OSProgramSet?
    ) throws(CodeProblem) -> AppleIdentityResolver.Settings {
        // The texts by which `CodeEvidence` asks for the outcomes.
        let texts = policy.requirements.map { RequirementPrinter.text($0.compiled.expression) }
        return try AppleIdentityResolver.Settings(
            requirements: Array(Set(texts)).sorted(), osPrograms: osPrograms)
    }
}

/// The resolver as its own `wake` knows it.
private final class WeakResolver: Sendable {
    private struct Reference { weak var resolver: AppleIdentityResolver? }

    private let reference = Mutex(Reference())
    var resolver: AppleIdentityResolver? { reference.withLock { $0.resolver } }

    func hold(_ resolver: AppleIdentityResolver) { reference.withLock { $0.resolver = resolver } }
}
