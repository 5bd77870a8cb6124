// SPDX-License-Identifier: Apache-2.0

// A provider of UDP flows for tests, with and without the macOS 15 entry point.

import Foundation
import NetworkSimulation

@testable import NetworkExtension

/// A provider whose UDP flows a test takes over.
// The closure is set before it is started; what it has seen is behind a lock. Flows are reached from tests through
// calls that Apple documents as safe on any thread.
class PlainDatagramProvider: NETransparentProxyProvider, @unchecked Sendable {
    struct Record {
        var flows: [Carried<NEAppProxyUDPFlow>] = []
        var firstDestinations: [NWEndpoint?] = []
    }
    let record = Gate(Record())
    private let settings: NETunnelNetworkSettings
    private let claims: Bool

    init(_ settings: NETunnelNetworkSettings = .everything, claims: Bool = true) {
        self.settings = settings
        self.claims = claims
    }

    override func startProxy(options: [String: Any]?, completionHandler: @escaping @Sendable ((any Error)?) -> Void) {
        setTunnelNetworkSettings(settings) { completionHandler($0) }
    }

    override func handleNewFlow(_ flow: NEAppProxyFlow) -> Bool { take(flow, nil) }

    fileprivate func take(_ flow: NEAppProxyFlow, _ first: NWEndpoint?) -> Bool {
        guard let flow = flow as? NEAppProxyUDPFlow else { return false }
        record.change {
            $0.firstDestinations.append(first)
            if claims { $0.flows.append(Carried(flow)) }
        }
        return claims
    }

    /// The flow claimed first, once there is one; nil when the test was cancelled.
    func flow() async -> NEAppProxyUDPFlow? { await record.wait { $0.flows.first }?.value }
}

/// The same with the entry point of macOS 15, which is told the first destination.
// It adds no state to the class that it derives from,
// which says why that is safe.
final class DatagramProvider: PlainDatagramProvider, NEAppProxyUDPFlowHandling, @unchecked Sendable {
    func handleNewUDPFlow(_ flow: NEAppProxyUDPFlow, initialRemoteFlowEndpoint remoteEndpoint: NWEndpoint) -> Bool {
        take(flow, remoteEndpoint)
    }
}

/// What a batch holds, so that it can be compared.
struct Datagram: Equatable {
    let text: String
    let endpoint: NWEndpoint

    init(_ text: String, _ endpoint: NWEndpoint) {
        self.text = text
        self.endpoint = endpoint
    }

    init(_ datagram: (Data, NWEndpoint)) {
        self.init(String(decoding: datagram.0, as: UTF8.self), datagram.1)
    }
}

extension NEAppProxyUDPFlow {
    typealias Batch = Result<[Datagram]?, NEAppProxyFlowError>

    func read() async -> Batch {
        await withCheckedContinuation { done in readDatagrams { done.resume(returning: Self.batch($0, $1)) } }
    }

    static func batch(_ datagrams: [(Data, NWEndpoint)]?, _ error: (any Error)?) -> Batch {
        (error as? NEAppProxyFlowError).map { .failure($0) } ?? .success(datagrams?.map { Datagram($0) })
    }

    func write(_ data: Data, from endpoint: NWEndpoint) async -> NEAppProxyFlowError.Code? {
        await withCheckedContinuation { done in
            writeDatagrams([(data, endpoint)]) { done.resume(returning: ($0 as? NEAppProxyFlowError)?.code) }
        }
    }

    func openDatagrams() async -> NEAppProxyFlowError.Code? {
        await withCheckedContinuation { done in
            open(withLocalFlowEndpoint: nil) { done.resume(returning: ($0 as? NEAppProxyFlowError)?.code) }
        }
    }
}

/// One machine, one running provider, one application.
struct DatagramScene {
    let mac: SimulatedMac
    let proxy: InstalledProxy
    let app: SimulatedProcess

    static let first = NWEndpoint.hostPort(host: "203.0.113.7", port: 443)
    static let second = NWEndpoint.hostPort(host: "203.0.113.8", port: 53)

    init(_ provider: PlainDatagramProvider, _ knobs: Knobs = Knobs()) async throws {
        let internet = MemoryInternet()
        for place in [Self.first, Self.second] { internet.answerDatagrams(on: place) { [$0] } }
        mac = SimulatedMac(knobs, internet: internet)
        proxy = mac.install("weir") { provider }
        app = mac.launch(SimulatedProgram("quic"))
        try await proxy.start()
    }
}
