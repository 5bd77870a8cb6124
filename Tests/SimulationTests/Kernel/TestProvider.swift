// SPDX-License-Identifier: Apache-2.0

// A provider that does what a test tells it, and the machine around it.

import Foundation
import NetworkSimulation
import Testing

@testable import NetworkExtension

/// A provider made of closures.
// Its closures are set before it is started; the system calls it on its one queue; what it counts is behind a lock.
// Flows it keeps are reached from tests through calls that Apple documents as safe on any thread.
class TestProvider: NETransparentProxyProvider, @unchecked Sendable {
    struct Record {
        var starts = 0
        var stops: [NEProviderStopReason] = []
        var sleeps = 0
        var wakes = 0
        var offered = 0
        var flows: [Carried<NEAppProxyTCPFlow>] = []
    }
    let record = Gate(Record())
    var settings: NETunnelNetworkSettings? = .everything
    var onStart: ((TestProvider, @escaping @Sendable ((any Error)?) -> Void) -> Void)?
    var onFlow: (NEAppProxyFlow) -> Bool

    init(_ onFlow: @escaping (NEAppProxyFlow) -> Bool = { _ in true }) { self.onFlow = onFlow }

    override func startProxy(options: [String: Any]?, completionHandler: @escaping @Sendable ((any Error)?) -> Void) {
        record.change { $0.starts += 1 }
        if let onStart { return onStart(self, completionHandler) }
        setTunnelNetworkSettings(settings) { completionHandler($0) }
    }

    override func stopProxy(with reason: NEProviderStopReason, completionHandler: @escaping @Sendable () -> Void) {
        record.change { $0.stops.append(reason) }
        completionHandler()
    }

    override func sleep(completionHandler: @escaping @Sendable () -> Void) {
        record.change { $0.sleeps += 1 }
        completionHandler()
    }

    override func wake() { record.change { $0.wakes += 1 } }

    override func handleAppMessage(_ messageData: Data, completionHandler: ((Data?) -> Void)?) {
        completionHandler?(Data(messageData.reversed()))
    }

    override func handleNewFlow(_ flow: NEAppProxyFlow) -> Bool {
        let isClaimed = onFlow(flow)
        record.change {
            $0.offered += 1
            if isClaimed, let flow = flow as? NEAppProxyTCPFlow { $0.flows.append(Carried(flow)) }
        }
        return isClaimed
    }

    /// The flow claimed last, once there is one.
    func flow(_ number: Int = 0) async -> NEAppProxyTCPFlow {
        let flow = await record.wait { $0.flows.count > number ? $0.flows[number] : nil }
        return flow?.value ?? unreachableFlow
    }

    private var unreachableFlow: NEAppProxyTCPFlow { preconditionFailure("the test was cancelled") }
}

extension NETunnelNetworkSettings {
    /// Every destination but loopback.
    static var everything: NETransparentProxyNetworkSettings {
        rules([NENetworkRule(anywhere: .any)])
    }

    static func rules(
        _ included: [NENetworkRule], excluded: [NENetworkRule] = []
    ) -> NETransparentProxyNetworkSettings {
        let settings = NETransparentProxyNetworkSettings(tunnelRemoteAddress: "127.0.0.1")
        settings.includedNetworkRules = included
        settings.excludedNetworkRules = excluded
        return settings
    }
}

extension NENetworkRule {
    convenience init(anywhere transport: `Protocol`) {
        self.init(
            remoteNetworkEndpoint: nil, remotePrefix: 0, localNetworkEndpoint: nil, localPrefix: 0,
            protocol: transport, direction: .outbound)
    }

    convenience init(_ network: String, _ prefix: Int, port: UInt16 = 0, _ transport: `Protocol` = .any) {
        self.init(destinationNetworkEndpoint: .at(network, port), prefix: prefix, protocol: transport)
    }

    convenience init(host: String, port: UInt16 = 0, _ transport: `Protocol` = .any) {
        self.init(destinationHostEndpoint: .at(host, port), protocol: transport)
    }
}

extension NWEndpoint {
    static func at(_ host: String, _ port: UInt16) -> NWEndpoint {
        .hostPort(host: NWEndpoint.Host(host), port: NWEndpoint.Port(rawValue: port) ?? .any)
    }

    /// Where the tests' servers are.
    static let echo = at("203.0.113.7", 80)
    static let silent = at("203.0.113.8", 80)
}

extension SimulatedMac {
    /// A machine whose Internet answers with what it is sent, at one place.
    convenience init(_ knobs: Knobs = Knobs()) {
        let internet = MemoryInternet()
        internet.listen(on: .echo) { link in
            do {
                while true {
                    let data = try await link.receive(65_536)
                    if data.isEmpty { return }
                    try await link.send(data)
                }
            } catch {}
        }
        self.init(knobs, internet: internet)
    }

    func launch(_ name: String) -> SimulatedProcess { launch(SimulatedProgram(name)) }
}

extension SimulatedSocket {
    /// So many bytes.
    func receive(exactly count: Int) async throws(SocketError) -> Data {
        var all = Data()
        while all.count < count {
            let part = try await receive(count - all.count)
            if part.isEmpty { break }
            all.append(part)
        }
        return all
    }
}

extension NEAppProxyFlow {
    func open() async -> NEAppProxyFlowError.Code? {
        await withCheckedContinuation { done in
            open(withLocalFlowEndpoint: nil) { done.resume(returning: ($0 as? NEAppProxyFlowError)?.code) }
        }
    }
}

extension NEAppProxyTCPFlow {
    func read() async -> Result<Data, NEAppProxyFlowError> {
        await withCheckedContinuation { done in
            readData { data, error in
                done.resume(
                    returning: (error as? NEAppProxyFlowError).map { .failure($0) } ?? .success(data ?? Data()))
            }
        }
    }

    func write(_ data: Data) async -> (any Error)? {
        await withCheckedContinuation { done in write(data) { done.resume(returning: $0) } }
    }
}

/// One flow that a provider has claimed and opened, and what is around it.
struct OpenFlow {
    let mac: SimulatedMac
    let provider: TestProvider
    let proxy: InstalledProxy
    let app: SimulatedProcess
    let socket: SimulatedSocket
    let flow: NEAppProxyTCPFlow

    init(_ knobs: Knobs = Knobs()) async throws {
        mac = SimulatedMac(knobs)
        let provider = TestProvider()
        self.provider = provider
        proxy = mac.install("weir") { provider }
        try await proxy.start()
        let app = mac.launch("curl")
        self.app = app
        async let connecting = app.connect(to: .echo)
        flow = await provider.flow()
        #expect(await flow.open() == nil)
        socket = try await connecting
    }
}

/// The number of the socket error that the body throws; nil when it throws none.
func errno(of body: () async throws -> Void) async -> Int32? {
    do {
        try await body()
        return nil
    } catch { return (error as? SocketError)?.errno ?? -1 }
}

extension Knobs {
    init(_ change: (inout Knobs) -> Void) {
        self.init()
        change(&self)
    }
}
