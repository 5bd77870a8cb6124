// SPDX-License-Identifier: Apache-2.0

// weir proxy: an explicit proxy, a listener for redirected connections, or a forward to one origin.

import ArgumentParser
import EngineAssembly
import FlowEngine
import FlowModel
import ProxyIntake
import SocketTransport

#if os(Linux)
import LinuxIntake
#endif

struct ProxyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "proxy", abstract: "Carry what clients send to a proxy: CONNECT, absolute form and SOCKS5.")

    @Option(help: "Where to listen, for example 127.0.0.1:3128; port 0 takes a free one.")
    var listen: String

    @OptionGroup var options: RuntimeOptions

    @Flag(help: "Take connections that a redirect rule sends here, and carry them to where they wanted to go (Linux).")
    var transparent = false

    @Option(help: "Send every connection to this origin, HOST:PORT.")
    var forward: String?

    func run() async throws {
        guard let endpoint = Endpoint(listen), endpoint.address != nil else {
            throw Problem.usage("--listen \(listen): give an IP address and a port, such as 127.0.0.1:3128")
        }
        guard !(transparent && forward != nil) else {
            throw Problem.usage("--transparent and --forward exclude each other: choose one")
        }
        let origin = forward.flatMap { Endpoint($0) }
        if let forward, origin == nil || origin?.port == 0 {
            throw Problem.usage("--forward \(forward): give a host and a port, such as origin.example:443")
        }
        let runtime = try Runtime.start(options)
        let proxy = ProxyIntake(engine: runtime.engine, now: Runtime.now)
        #if os(Linux)
        let redirected = RedirectedIntake(engine: runtime.engine, now: Runtime.now)
        let isTransparent = transparent
        #else
        guard !transparent else { throw Problem.usage("--transparent: only Linux redirects connections") }
        #endif
        let listener: FlowListener
        do {
            listener = try await FlowListener.bind(
                endpoint, on: runtime.group, capacity: Runtime.capacity()
            ) { channel in
                if let origin { return proxy.acceptForward(channel, to: origin) }
                #if os(Linux)
                if isTransparent { return redirected.accept(channel) { runtime.egress.isOwn($0) } }
                #endif
                return proxy.acceptProxyClient(channel)
            }
        } catch let error as ListenError {
            throw Problem.refused(error.description)
        }
        runtime.egress.forbid(listener.endpoint)
        FileDescriptorText.standardError("weir: listening on \(listener.endpoint)\n")
        FileDescriptorText.standardError(
            "weir: \(PolicyLoader.title(runtime.engine.currentPolicy, options.policy)) is in force\n")
        runtime.counters.printOnSignal()
        runtime.policies.reloadWhenDue(
            runtime.engine, runtime.store, runtime.rollouts, metrics: runtime.counters)
        await EndSignals.wait()
        await listener.close()
        await runtime.drain(within: .seconds(10))
    }
}
