// SPDX-License-Identifier: Apache-2.0

// The policy of a running program: read at its start, and again whenever somebody asks.

internal import ContentInspection
internal import Dispatch
package import EventStore
package import FlowEngine
package import FlowModel
package import FlowPolicy
internal import Foundation

/// Reads the policy that a program was started with.
package struct PolicyLoader: Sendable {
    /// A policy, how much of it this machine may carry out, and the bundle it came in.
    package struct Loaded {
        package var policy: Policy
        package var permit: StartPermit
        package var bundle: PolicyBundle?
    }

    /// A policy file, a bundle, or a preset.
    package let name: String
    private let state: String
    private let osRelease: String?
    private let environment: PolicyEnvironment
    /// Keys the digests of findings.
    private let key: FindingKey

    /// What this device is called in roll-outs.
    package let device: String

    package init(
        _ name: String, state: String, osRelease: String?, system: CatalogueSystem = .current
    ) throws {
        self.name = name
        self.state = state
        self.osRelease = osRelease
        device = try DeviceName.load(in: state)
        environment = PolicySource.environment(device: device, system: system)
        key = try InstallationKeyFile.findings(in: state)
    }

    /// Reads the policy as it is now, if what runs allows it to follow, and remembers that it did.
    ///
    /// `cap` holds the mode down further, because somebody wants a pause.
    package func load(cap: ModeCap? = nil) throws -> Loaded {
        let permit = try StartPermit.judge(state: state, osRelease: osRelease)
        var environment = environment
        environment.modeCap = ModeCap.lowest([cap, permit.cap].compactMap { $0 })
        environment.ringState = RolloutKeeper.states(in: state)
        var remembered = try BundleState.load(in: state)
        let content = try PolicySource.content(of: name)
        let bytes: [UInt8] = if case .file(let bytes) = content { bytes } else { [] }
        let bundle = try remembered.bundle(in: bytes, named: name)
        let policy = try PolicySource.explained {
            switch content {
            case .preset(let preset): try PolicySource.read(preset: preset, environment)
            case .file(let bytes):
                if let bundle {
                    try PolicySource.read(bundle, environment)
                } else {
                    try PolicySource.read(bytes, name, environment)
                }
            }
        }
        try remembered.take(bundle, policy)
        return Loaded(policy: policy, permit: permit, bundle: bundle)
    }

    package func snapshot(_ policy: Policy) -> PolicySnapshot { PolicySnapshot(policy: policy, key: key) }

    /// Puts the policy in force as its file is now, or leaves the one in force when that cannot be read.
    ///
    /// Says on standard error which it was, and why; gives the policy that was taken, or the words of the refusal. A cap
    /// to `off` holds all the same: a switch that needs a sound policy would fail when it is wanted most.
    @discardableResult
    package func reload(
        _ engine: FlowEngine, _ store: EventStore, _ keeper: RolloutKeeper, cap: ModeCap? = nil, metrics: any MetricSink
    ) -> Result<Policy, Problem> {
        let running = engine.currentPolicy
        do {
            let loaded = try load(cap: cap)
            store.obey(try EventPrivacy(loaded.policy.settings.privacy, state: state))
            engine.use(snapshot(loaded.policy))
            keeper.watch(loaded.policy, now: AssembledEngine.now())
            loaded.permit.begin(loaded.policy, now: AssembledEngine.now())
            FileDescriptorText.standardError("weir: \(Self.title(loaded.policy, name)) is in force\n")
            return .success(loaded.policy)
        } catch {
            metrics.add("policy_reload_refused_total", 1)
            let problem = error as? Problem ?? .refused("\(name): \(error)")
            FileDescriptorText.standardError("weir: \(problem.text)\n")
            if let cap, cap.mode == .off, let nothing = try? nothing(cap) {
                engine.use(snapshot(nothing))
                FileDescriptorText.standardError("weir: nothing is taken until a policy can be read again\n")
            } else {
                FileDescriptorText.standardError(
                    "weir: the new policy is refused; digest \(running.digest) stays in force\n")
            }
            return .failure(problem)
        }
    }

    /// A policy that takes nothing, and needs no file.
    private func nothing(_ cap: ModeCap) throws -> Policy {
        var environment = environment
        environment.modeCap = cap
        return try PolicySource.read(preset: "report", environment)
    }

    /// Reads the policy anew at each SIGHUP, and when a ring of a roll-out moves, until the process ends.
    ///
    /// A terminal that goes away sends the same signal. A program that was started on one then ends in order, as it would
    /// without this.
    package func reloadWhenDue(
        _ engine: FlowEngine, _ store: EventStore, _ keeper: RolloutKeeper, metrics: any MetricSink
    ) {
        let beganOnTerminal = isatty(STDERR_FILENO) == 1
        signal(SIGHUP, SIG_IGN)
        let queue = DispatchQueue(label: "weir.policy-reload")
        let source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: queue)
        source.setEventHandler {
            _ = source
            if beganOnTerminal, isatty(STDERR_FILENO) == 0 {
                kill(getpid(), SIGTERM)
            } else {
                reload(engine, store, keeper, metrics: metrics)
            }
        }
        source.resume()
        let timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now() + .seconds(60), repeating: .seconds(60), leeway: .seconds(10))
        timer.setEventHandler {
            _ = timer
            if keeper.move(now: AssembledEngine.now()) { reload(engine, store, keeper, metrics: metrics) }
        }
        timer.resume()
    }

    package static func title(_ policy: Policy, _ name: String) -> String {
        "policy \(name), digest \(policy.digest), mode \(policy.mode.rawValue),"
    }
}

/// What this device is called in roll-outs: random, so that it says nothing of machine or user.
package enum DeviceName {
    /// The sixteen digits in `device-id` of the state directory, made on first use.
    package static func load(in directory: String) throws -> String {
        let data = try StateDirectory.file("device-id", in: directory) {
            Array((0..<16).map { _ in "0123456789abcdef".randomElement() ?? "0" }.map(String.init).joined().utf8)
        }
        let name = String(decoding: data, as: UTF8.self)
        guard name.utf8.count == 16, name.allSatisfy(\.isHexDigit) else {
            throw Problem.refused(
                "\(directory)/device-id: not 16 hexadecimal digits; remove it and a new name is made")
        }
        return name
    }
}
