// SPDX-License-Identifier: Apache-2.0

// Who owns a connection: from its two addresses to the socket, from there to a process and its identity.

import CLinuxFlow
public import CodeIdentity
import Dispatch
public import FlowModel
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Finds the process behind a TCP connection of one network.
///
/// The process is the first found that holds the socket, for descriptors can be shared. Its class is what `code` finds
/// out of it; without that, the executable is only a label. When unsure, the owner is unknown, and an unknown owner is
/// never taken for root. One scan of /proc runs at a time; nothing blocks the caller for longer than one question to the
/// kernel (5 µs).
public final class ProcessLookup: Sendable {
    private struct State {
        var waiting = 0
        /// Processes that connected lately, the last one first.
        var hints: [pid_t] = []
    }

    private let diagnostics: Mutex<CInt>
    private let processNamespace: UInt64
    private let code: (any SystemCode<ProcessInstance>)?
    private let judge: (@Sendable (MakerAnswer) -> IdentitySummary)?
    private let metrics: any MetricSink
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "weir.process-lookup")

    /// Looks up connections of the network that `diagnostics` belongs to; takes that descriptor over.
    ///
    /// With a `processNamespace` (the inode of /proc/PID/ns/pid) only its processes are searched. `code` must answer
    /// `later` within a time of its own; `judge` makes of its answer what the policy in force sees in it.
    public init(
        diagnostics: CInt, processNamespace: UInt64? = nil, code: (any SystemCode<ProcessInstance>)? = nil,
        judge: (@Sendable (MakerAnswer) -> IdentitySummary)? = nil, metrics: any MetricSink = NoSink()
    ) {
        self.diagnostics = Mutex(diagnostics)
        self.processNamespace = processNamespace ?? 0
        self.code = code
        self.judge = judge
        self.metrics = metrics
    }

    /// Looks up connections of this process's own network, among all processes.
    public convenience init(
        code: (any SystemCode<ProcessInstance>)? = nil, judge: (@Sendable (MakerAnswer) -> IdentitySummary)? = nil,
        metrics: any MetricSink = NoSink()
    ) throws(KernelError) {
        let descriptor = weir_diagnostics_open()
        guard descriptor >= 0 else { throw KernelError("socket diagnostics", code: -descriptor) }
        self.init(diagnostics: descriptor, code: code, judge: judge, metrics: metrics)
    }

    deinit { diagnostics.withLock { weir_close($0) } }

    /// The owner of the connection that its owner sees as going from `local` to `remote`.
    ///
    /// Ask before the first byte is read: a program that sends and exits is gone soon after. The process is found within
    /// 250 ms, and its class takes as long as `code` does. Otherwise the answer is `unknown(.unresolved)` with process,
    /// executable and user as far as they are known, or `unknown(.exited)` when no process holds the socket any more.
    public func lookup(local: Endpoint, remote: Endpoint) async -> IdentitySummary {
        var owner = weir_socket_owner()
        let code = ask(local, remote, &owner)
        // Inode 0: closed, but the kernel still ends the connection. The user it names then is always 0, which is not root.
        if code == ENOENT || (code == 0 && owner.inode == 0) { return IdentitySummary(.unknown(.exited)) }
        guard code == 0 else { return IdentitySummary(.unknown(.unresolved)) }
        let unresolved = IdentitySummary(.unknown(.unresolved), userID: owner.user)

        let full = state.withLock { state in
            if state.waiting >= LinuxIntakeLimits.lookupWaiting.value { return true }
            state.waiting += 1
            return false
        }
        if full {
            metrics.add(LinuxIntakeLimits.lookupWaiting.metric, 1)
            return unresolved
        }
        // All waiting searches have the same patience and run in turn, so the deadline of the one that runs is never later
        // than those of the ones behind it: each of them is over in time.
        let deadline = DispatchTime.now() + .milliseconds(LinuxIntakeLimits.lookupPatience.value)
        return await withCheckedContinuation { continuation in
            queue.async { [inode = owner.inode] in
                var summary = unresolved
                let found = self.search(inode, until: deadline)
                if let found {
                    summary.processID = found.process.pid
                    summary.executable = found.executable
                } else {
                    var now = weir_socket_owner()
                    let code = self.ask(local, remote, &now)
                    if code == ENOENT || (code == 0 && now.inode == 0) { summary = IdentitySummary(.unknown(.exited)) }
                }
                self.state.withLock { $0.waiting -= 1 }
                guard let code = self.code, let found else { return continuation.resume(returning: summary) }
                code.later(found.process, now: .now) { [summary, judge = self.judge] answer in
                    continuation.resume(returning: summary.completed(by: judge?(answer) ?? answer.summary))
                }
            }
        }
    }

    private func ask(_ local: Endpoint, _ remote: Endpoint, _ owner: inout weir_socket_owner) -> Int32 {
        guard let local = local.plainAddress, let remote = remote.plainAddress else { return EAFNOSUPPORT }
        return diagnostics.withLock { weir_socket_owner($0, [local], [remote], &owner) }
    }

    /// Runs on the queue, so never twice at once.
    private func search(
        _ inode: UInt64, until deadline: DispatchTime
    ) -> (process: ProcessInstance, executable: String?)? {
        let now = DispatchTime.now().uptimeNanoseconds
        let left = deadline.uptimeNanoseconds > now ? (deadline.uptimeNanoseconds - now) / 1_000_000 : 0
        let hints = state.withLock { $0.hints }
        var process = weir_process()
        let code = weir_socket_search(
            inode, processNamespace, hints, hints.count, UInt32(clamping: left), &process)
        if code == ETIMEDOUT { metrics.add(LinuxIntakeLimits.lookupPatience.metric, 1) }
        guard code == 0 else { return nil }
        remember(process.pid)
        let path = withUnsafeBytes(of: process.executable) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return (
            ProcessInstance(pid: process.pid, startTicks: process.start_ticks), path.isEmpty ? nil : path
        )
    }

    private func remember(_ pid: pid_t) {
        state.withLock { state in
            if state.hints.first == pid { return }
            state.hints.removeAll { $0 == pid }
            if state.hints.count >= LinuxIntakeLimits.lookupHints.value {
                state.hints.removeLast()
                metrics.add(LinuxIntakeLimits.lookupHints.metric, 1)
            }
            state.hints.insert(pid, at: 0)
        }
    }
}

extension IdentitySummary {
    /// What the socket says, with what was found out of its process.
    ///
    /// The user stays the socket's: a process may have become another user since.
    fileprivate func completed(by identity: IdentitySummary) -> IdentitySummary {
        var summary = identity
        summary.processID = processID
        summary.userID = userID
        summary.executable = identity.executable ?? executable
        return summary
    }
}
