// SPDX-License-Identifier: Apache-2.0

// One simulated Mac: processes, providers in their order, and what the kernel did.

internal import Foundation

/// One machine on whose kernel simulated programs, providers and an Internet meet.
public final class SimulatedMac: Sendable {
    public let knobs: Knobs
    public let processes = ProcessTable()
    public let internet: any SimulatedInternet
    private let proxies = Gate<[InstalledProxy]>([])
    private let journal = Gate(KernelLog())

    public init(_ knobs: Knobs = Knobs(), internet: any SimulatedInternet) {
        self.knobs = knobs
        self.internet = internet
    }

    /// What the kernel did so far.
    public var log: KernelLog { journal.read { $0.trimmed } }

    /// Installs a provider: those with an order first, the smaller before; then the most recently installed (1.6).
    public func install(
        _ name: String, order: Int? = nil, configuration: NETunnelProviderProtocol = NETunnelProviderProtocol(),
        make: @escaping @Sendable () -> NETransparentProxyProvider
    ) -> InstalledProxy {
        let proxy = InstalledProxy(name, order: order, configuration: configuration, mac: self, make: make)
        proxies.change { proxies in
            let place = proxies.firstIndex { other in
                switch (order, other.order) {
                case (let own?, let its?): own < its
                case (nil, nil): knobs.newestFirst
                case (let own, _): own != nil
                }
            }
            proxies.insert(proxy, at: place ?? proxies.endIndex)
        }
        return proxy
    }

    /// Starts a process, at a free pid if one is asked for.
    public func launch(_ program: SimulatedProgram, user: UInt32 = 501, pid: Int32? = nil) -> SimulatedProcess {
        processes.enter(wanting: pid, isKernel: program.isKernel) { [self] pid, version in
            SimulatedProcess(program, user: user, pid: pid, version: version, mac: self)
        }
    }

    /// Tells every running provider to sleep, and waits for those that are not hung.
    public func sleep() async {
        await withTaskGroup(of: Void.self) { group in
            for proxy in proxies.read({ $0 }) { group.addTask { await proxy.session?.sleep() } }
        }
    }

    /// Tells every running provider that the machine is awake.
    public func wake() {
        for proxy in proxies.read({ $0 }) { proxy.session?.wake() }
    }

    /// The providers that get to see the sockets of a process: for an extension's own, only those after it (1.6, S7).
    func chain(for process: SimulatedProcess) -> [InstalledProxy] {
        proxies.read { proxies in
            guard let own = proxies.firstIndex(where: { $0.owns(process) }) else { return proxies }
            return Array(proxies[(own + 1)...])
        }
    }

    func uninstall(_ proxy: InstalledProxy) { proxies.change { $0.removeAll { $0 === proxy } } }

    func note(_ entry: KernelLog.Entry) { journal.change { $0.add(entry) } }
}
