// SPDX-License-Identifier: Apache-2.0

// TLS takeover through the whole engine, as far as it shows without a peer that speaks TLS.

import FlowEngine
import FlowModel
import Foundation
import NIOCore
import NIOEmbedded
import Testing

@Suite struct TakeoverPlaybooks {
    private static let byName = """
        version: 1
        mode: enforce
        rules:
          - {name: not there, when: {to: elsewhere.example}, then: block}
          - {name: look, then: inspect, profile: p}
        profiles:
          p: {detect: [payment-card], outbound: redact}
        """

    /// A ClientHello of TLS 1.3 that offers no ALPN.
    static let hello: [UInt8] = {
        let versions: [UInt8] = [0, 43, 0, 3, 2, 3, 4]
        let body: [UInt8] =
            [3, 3] + [UInt8](repeating: 7, count: 32) + [0, 0, 2, 0x13, 1, 1, 0] + [0, UInt8(versions.count)] + versions
        let message: [UInt8] = [1, 0, 0, UInt8(body.count)] + body
        return [22, 3, 1, 0, UInt8(message.count)] + message
    }()

    private struct NoTrust: UpstreamTrust {
        func judge(chain: [[UInt8]], host: FlowModel.Host, on loop: any EventLoop) -> EventLoopFuture<TrustVerdict> {
            loop.makeSucceededFuture(.bad(TrustProblem(.notJudged, "nothing is trusted here")))
        }
    }

    private static func services() throws -> TakeoverServices {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("weir-\(FlowID.random())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let authority = try CertificateAuthority.loadOrCreate(in: folder, now: Date())
        return TakeoverServices(
            minter: try LeafMinter(authority: authority, clock: { Date() }), upstream: try UpstreamTLS(),
            trust: NoTrust())
    }

    @Test("An origin that was dialled only after the ClientHello is read, so that its handshake can go on")
    func originIsRead() throws {
        let play = try Playbook(
            policy: Self.byName, to: "192.0.2.7:443", isConnected: true, takeover: try Self.services())
        play.application.send(Self.hello)
        play.run()
        #expect(try play.origin.wantsBytes)
    }

    @Test("An application that leaves while the origin is dialled again leaves no flow behind")
    func leavesWhileRedialling() throws {
        let play = try Playbook(policy: Self.byName, to: "192.0.2.7:443", takeover: try Self.services())
        play.application.send(Self.hello)
        play.run()
        play.egress.dialsWait = true
        try play.origin.channel.pipeline.fireChannelRead(ByteBuffer(string: "this is not TLS"))
        play.run()
        #expect(play.egress.dialled.count == 2)
        play.application.breakDown()
        play.run()
        play.egress.connectAll()
        play.run()
        #expect(play.liveFlows == 0)
    }
}
