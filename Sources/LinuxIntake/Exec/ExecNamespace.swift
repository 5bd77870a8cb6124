// SPDX-License-Identifier: Apache-2.0

// A command in a network of its own, whose every connection comes to Weir.

import CLinuxFlow
import Dispatch
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// The sockets of an exec namespace; whoever takes them closes them.
public struct ExecSockets: Sendable {
    /// Listeners that every TCP connection is redirected to; ask `OriginalDestination` where it was going.
    public let tcp: [CInt]
    /// Bound datagram sockets that every DNS query arrives at; see `DNSRelay`.
    public let dns: [CInt]
    /// For `ProcessLookup`.
    public let diagnostics: CInt
}

/// A network, process and mount namespace (and without privileges a user namespace) for one command.
///
/// Make it first thing in main: see `weir_exec_prepare`. The command runs in Weir's process group and on its terminal, so
/// Ctrl-C, Ctrl-Z and pipelines work as without Weir; it gets the descriptors and ignored signals that Weir got.
/// Everything in the namespace ends when the command ends, when Weir dies, or when this object goes.
public final class ExecNamespace: Sendable {
    private enum State {
        case running(started: Bool, waiting: [CheckedContinuation<ExecOutcome, Never>])
        case ended(ExecOutcome)
    }

    /// What outlives this object, until the kernel has buried the namespace.
    private final class Ending: Sendable {
        private let state = Mutex(State.running(started: false, waiting: []))

        func end(_ outcome: ExecOutcome) {
            let waiting = state.withLock { state in
                guard case .running(_, let waiting) = state else { return [CheckedContinuation<ExecOutcome, Never>]() }
                state = .ended(outcome)
                return waiting
            }
            for continuation in waiting { continuation.resume(returning: outcome) }
        }

        /// Calls `body`, once successfully; answers an errno value.
        func start(_ body: () -> Int32) -> Int32 {
            state.withLock { state in
                guard case .running(let started, let waiting) = state else { return EPIPE }
                if started { return EALREADY }
                let code = body()
                state = .running(started: code == 0, waiting: waiting)
                return code
            }
        }

        /// Does something with the session's descriptors, which stay open until the end is known; nil afterwards.
        func whileRunning<R>(_ body: () -> R) -> R? {
            state.withLock { state in
                if case .running = state { return body() }
                return nil
            }
        }

        func wait() async -> ExecOutcome {
            await withCheckedContinuation { continuation in
                let outcome = state.withLock { state -> ExecOutcome? in
                    switch state {
                    case .ended(let outcome): return outcome
                    case .running(let started, let waiting):
                        state = .running(started: started, waiting: waiting + [continuation])
                        return nil
                    }
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        }
    }

    private let session: weir_exec_session
    private let sockets: Mutex<ExecSockets?>
    private let ending = Ending()

    /// The first process of the namespace, as seen from here.
    public var processID: Int32 { session.pid }
    /// For `ProcessLookup`: the inode of the process namespace.
    public var processNamespace: UInt64 { session.process_namespace }
    /// Whether /proc shows the processes of the namespace; see `weir_exec_session`.
    public var hasFreshProc: Bool { session.fresh_proc != 0 }

    /// Makes the namespace and its first process, which then waits for `start`.
    public init() throws(ExecNamespaceError) {
        var session = weir_exec_session()
        var failure = weir_exec_failure()
        guard weir_exec_prepare(&session, &failure) == 0 else { throw ExecNamespaceError(failure) }
        self.session = session
        sockets = Mutex(
            ExecSockets(
                tcp: [session.tcp4, session.tcp6].filter { $0 >= 0 },
                dns: [session.dns4, session.dns6].filter { $0 >= 0 },
                diagnostics: session.diagnostics))
        // Readable when the last process of the namespace is gone: no thread waits for it.
        let source = DispatchSource.makeReadSource(fileDescriptor: session.pidfd, queue: .global())
        source.setEventHandler { [session, ending] in
            var outcome = weir_exec_outcome()
            weir_exec_result([session], &outcome)
            ending.end(ExecOutcome(outcome))
            source.cancel()
        }
        source.setCancelHandler { [session] in
            weir_exec_stop_forwarding([session])
            weir_close(session.pidfd)
            weir_close(session.control)
        }
        source.activate()
    }

    deinit {
        kill()
        if let sockets = takeSockets() {
            for descriptor in sockets.tcp + sockets.dns + [sockets.diagnostics] { weir_close(descriptor) }
        }
    }

    /// The sockets, once; nil when they have been taken.
    public func takeSockets() -> ExecSockets? { sockets.withLock { $0.take() } }

    /// Starts the command, once.
    ///
    /// The program is searched in the PATH of `environment`; whether it could be run, `outcome` tells.
    public func start(_ arguments: [[UInt8]], environment: CommandEnvironment) throws(ExecNamespaceError) {
        let code = withCStrings(arguments) { arguments in
            withCStrings(environment.entries) { environment in
                ending.start { weir_exec_start([session], arguments, environment) }
            }
        }
        switch code {
        case 0??: return
        case let code??: throw ExecNamespaceError(step: .start, code: code, userNamespace: session.user_namespace != 0)
        default: throw ExecNamespaceError(step: .start, code: EINVAL, userNamespace: session.user_namespace != 0)
        }
    }

    /// Starts the command, once, with arguments that are text.
    public func start(_ arguments: [String], environment: CommandEnvironment) throws(ExecNamespaceError) {
        try start(arguments.map { Array($0.utf8) }, environment: environment)
    }

    /// Passes signals that other processes send to Weir on to the command, until it ends.
    ///
    /// They are TERM, INT, HUP, QUIT, USR1 and USR2; those that Weir was told to ignore stay ignored. What the terminal sends reaches the command without Weir; Weir itself then lives on until the command has ended.
    public func forwardSignals() { _ = ending.whileRunning { weir_exec_forward_signals([session]) } }

    /// How the command ended; returns when every process of the namespace is gone.
    public func outcome() async -> ExecOutcome { await ending.wait() }

    /// Ends every process of the namespace.
    public func kill() { _ = ending.whileRunning { weir_exec_signal([session], SIGKILL) } }
}

extension ExecOutcome {
    init(_ outcome: weir_exec_outcome) {
        switch outcome.kind {
        case WEIR_EXEC_EXITED.rawValue: self = .exited(outcome.value)
        case WEIR_EXEC_SIGNALLED.rawValue: self = .signalled(outcome.value)
        case WEIR_EXEC_NOT_STARTED.rawValue: self = .notStarted(outcome.value)
        default: self = .lost
        }
    }
}
