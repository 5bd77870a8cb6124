// SPDX-License-Identifier: Apache-2.0

// A simulated Mac on which Weir's extension is installed, and a door through which real programs become its own.

internal import Dispatch
internal import Foundation
internal import NetworkExtension
internal import NetworkSimulation
internal import SocketTransport
internal import Synchronization
internal import WeirExtension

/// The machine and the orders that it takes.
final class DemoMac: Sendable {
    private static let origin: NWEndpoint.Host = "192.0.2.10"
    private static let push: NWEndpoint.Host = "17.57.144.10"
    private static let names = ["origin.test": origin, "ocsp.apple.com": origin, "courier.push.apple.com": push]

    /// Where real programs come in: SOCKS, the user name being the simulated program.
    var port: UInt16 { door.port }
    private let door: SocksDoor
    private let mac: SimulatedMac
    private let programs: [String: SimulatedProcess]
    private let stuck: StuckCall
    private let proxy: InstalledProxy
    /// The newest is the one that runs; a killed one goes on in this process, with nobody to hear it.
    private let runtimes: RuntimeList
    private let watchdogEnded: DispatchSemaphore

    private final class RuntimeList: Sendable {
        let all = Mutex<[ExtensionRuntime]>([])
    }

    /// What the kernel connects itself goes to the same ports of loopback, DNS of the origin to port 5300.
    init(state: String, policy: String, upstreamCA: String) throws {
        let internet = LoopbackInternet()
        for (host, ports) in [(Self.origin, [80, 443, 5223]), (Self.push, [5223])] as [(NWEndpoint.Host, [UInt16])] {
            for port in ports {
                internet.place(
                    .hostPort(host: host, port: .init(integerLiteral: port)), at: .loopback(port: port))
            }
        }
        internet.place(.hostPort(host: Self.origin, port: 53), at: .loopback(port: 5300))
        internet.place(.hostPort(host: "224.0.0.251", port: 5353), at: .loopback(port: 5300))

        let mac = SimulatedMac(internet: internet)
        let (stuck, runtimes, ended) = (StuckCall(), RuntimeList(), DispatchSemaphore(value: 0))
        let configuration = NETunnelProviderProtocol()
        configuration.providerConfiguration = ["policy": policy]
        proxy = mac.install("weir", configuration: configuration) {
            var parts = SystemParts(
                state: state, build: "demo", kernel: TableKernel(processes: mac.processes, stuck: stuck),
                oracle: TableOracle(processes: mac.processes), egress: SocketEgress())
            parts.osPrograms = SimulatedProgram.inventory
            parts.upstreamCA = upstreamCA
            let runtime = ExtensionRuntime(parts)
            runtimes.all.withLock { $0.append(runtime) }
            return WeirProvider(runtime) { ended.signal() }
        }
        let programs = Dictionary(uniqueKeysWithValues: SimulatedProgram.all.map { ($0.name, mac.launch($0)) })
        door = try SocksDoor(resolving: Self.names) { programs[$0] }
        (self.mac, self.programs, self.stuck, self.runtimes, watchdogEnded) = (mac, programs, stuck, runtimes, ended)
    }

    func start() async throws { try await proxy.start() }

    func stop() async {
        await proxy.stop(.userInitiated)
        door.close()
        await runtimes.all.withLock { $0.last }?.close()
    }

    func kill() { proxy.kill() }

    /// Has the provider's queue stand still inside a callback; false when the watchdog has ended a provider before.
    func hang() -> Bool {
        guard watchdogEnded.wait(timeout: .now()) == .timedOut else { return false }
        stuck.arm()
        Task { [programs] in
            try? await programs["stuck"]?.connect(to: .hostPort(host: Self.origin, port: 443))
        }
        return stuck.isReached()
    }

    /// Waits for the watchdog to end the provider, and ends its process in its stead.
    func waitForWatchdog() -> Bool {
        guard watchdogEnded.wait(timeout: .now() + 30) == .success else { return false }
        proxy.kill()
        stuck.release()
        return true
    }

    /// Sends one datagram; says who had it then, or how the socket ended.
    func datagram(from name: String, to host: String, _ port: UInt16, _ text: String) async -> String {
        let target = NWEndpoint.hostPort(host: .init(host), port: .init(integerLiteral: port))
        guard let socket = programs[name]?.datagramSocket(connectedTo: target) else { return "unknown" }
        // Who is carried and gets no answer has waited long enough after this.
        let patience = Task {
            try? await Task.sleep(for: .seconds(5))
            socket.close()
        }
        defer { patience.cancel() }
        do throws(SocketError) {
            try socket.send(Data(text.utf8))
            for _ in 0..<1_000 where socket.way == .undecided { try? await Task.sleep(for: .milliseconds(5)) }
            guard case .claimed = socket.way else { return "\(socket.way)" }
            _ = try await socket.receive()
            return "carried"
        } catch {
            return error.errno == EBADF ? "carried" : "refused \(error.name)"
        }
    }

    /// Everything the kernel did, a line each: event, program, where, errno.
    var log: String {
        mac.log.entries.map { entry in
            guard case .hostPort(let host, let port) = entry.destination else { return "" }
            let error = entry.errno == 0 ? "-" : SocketError(entry.errno).name
            return "\(entry.event.rawValue) \(entry.program) \(host.debugDescription):\(port.rawValue) \(error)\n"
        }.joined()
    }
}

extension SocketError {
    /// As manuals call it, for those that the kernel gives here.
    var name: String {
        switch errno {
        case EINVAL: "EINVAL"
        case ECONNABORTED: "ECONNABORTED"
        case ECONNREFUSED: "ECONNREFUSED"
        case EHOSTUNREACH: "EHOSTUNREACH"
        default: "errno-\(errno)"
        }
    }
}
