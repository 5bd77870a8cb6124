// SPDX-License-Identifier: Apache-2.0

// weir exec: one command in a network of its own, whose only way out is Weir.

#if os(Linux)
import ArgumentParser
import EngineAssembly
import FlowEngine
import FlowModel
import FlowPolicy
import Foundation
import LinuxIntake
import NIOCore
import NIOPosix
import SocketTransport
import Synchronization

struct ExecCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec",
        abstract: "Run one command through Weir, as root or not.",
        discussion: """
            The command gets a network of its own: its TCP connections come to Weir, its DNS queries are relayed, and \
            other UDP is refused so that programs fall back from QUIC. Exit status, signals, terminal and streams are \
            the command's own. It trusts Weir's authority through the variables that programs read; the machine's own \
            trust store does not change.
            """)

    @OptionGroup var options: RuntimeOptions

    @Argument(parsing: .postTerminator, help: "The command and its arguments, behind --.")
    var command: [String]

    /// The namespace, made before any thread existed.
    private static let namespace = Mutex<ExecNamespace?>(nil)

    /// Forks the namespace's first process: only a process of one thread may enter a user namespace.
    func runBeforeThreads() throws {
        guard !command.isEmpty else {
            throw Problem.usage("exec: give the command behind --, for example: weir exec -- curl https://example.com")
        }
        do {
            let made = try ExecNamespace()
            Self.namespace.withLock { $0 = made }
        } catch {
            throw Problem.refused(error.description.droppingPrefix("weir: "))
        }
    }

    func run() async throws {
        guard let namespace = Self.namespace.withLock({ $0.take() }), let sockets = namespace.takeSockets() else {
            throw Problem.internalError("exec: the namespace was not made")
        }
        var environment = CommandEnvironment.current()
        let runtime = try Runtime.start(options)
        guard let authority = runtime.authority else { throw Problem.internalError("exec: there is no authority") }
        let bundle = ChildTrustEnvironment.bundle(
            authority: Array(try authority.certificatePEM.utf8), environment: environment)
        let file = try CommandFile.write(bundle.pem, named: "bundle", type: ".pem", in: runtime.stateDirectory)
        ChildTrustEnvironment.apply(file: file, to: &environment)
        if let settings = WgetSettings.text(naming: file, environment: environment) {
            environment[WgetSettings.variable] = try CommandFile.write(
                settings, named: "wgetrc", type: "", in: runtime.stateDirectory)
        }
        for variable in ChildTrustEnvironment.unreachableProxies(in: environment) {
            FileDescriptorText.standardError(
                "weir: \(variable) names a proxy of this machine, which the command cannot reach; unset it\n")
        }
        try await carry(sockets, namespace, runtime)
        do {
            try namespace.start(command, environment: environment)
        } catch {
            throw Problem.refused(error.description.droppingPrefix("weir: "))
        }
        namespace.forwardSignals()
        let outcome = await namespace.outcome()
        if let complaint = outcome.complaint(command: command[0]) { FileDescriptorText.standardError(complaint + "\n") }
        await runtime.drain(within: .seconds(1))
        throw ExitCode(outcome.exitStatus)
    }

    /// Serves the namespace's connections and DNS queries.
    private func carry(_ sockets: ExecSockets, _ namespace: ExecNamespace, _ runtime: Runtime) async throws {
        let engine = runtime.engine
        let lookup = ProcessLookup(
            diagnostics: sockets.diagnostics, processNamespace: namespace.processNamespace,
            code: RunningPrograms.identities(metrics: runtime.counters),
            judge: { engine.currentPolicy.judge(CodeEvidence($0)) }, metrics: runtime.counters)
        let intake = RedirectedIntake(
            engine: engine, kind: .exec,
            identify: { source, destination in await lookup.lookup(local: source, remote: destination) },
            now: Runtime.now)
        do {
            for descriptor in sockets.tcp {
                _ = try await FlowListener.adopt(
                    descriptor: descriptor, on: runtime.group,
                    capacity: Runtime.capacity(listeners: sockets.tcp.count)
                ) { intake.accept($0) { _ in false } }
            }
            _ = try await DNSRelay.start(
                sockets: sockets.dns, on: runtime.group.next(), metrics: runtime.counters)
        } catch {
            throw Problem.internalError("exec: the command's network could not be served: \(error)")
        }
    }
}

extension String {
    /// The text without a prefix that is said anyway.
    fileprivate func droppingPrefix(_ prefix: String) -> String {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self
    }
}
#endif
