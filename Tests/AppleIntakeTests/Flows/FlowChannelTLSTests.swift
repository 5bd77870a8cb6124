// SPDX-License-Identifier: Apache-2.0

// TLS over the channel of a flow: NIOSSL asks of a channel what the engine does not.

import Foundation
import NIOCore
import NIOEmbedded
import NIOSSL
import Testing

@testable import AppleIntake
@testable import NetworkExtension

@Suite struct FlowChannelTLSTests {
    /// A TLS client at the application's end of the flow.
    private final class Client {
        let rig: ChannelRig
        let channel: EmbeddedChannel

        init(_ rig: ChannelRig) throws {
            self.rig = rig
            var server = TLSConfiguration.makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8)).map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)))
            server.minimumTLSVersion = .tlsv12
            try rig.channel.pipeline.syncOperations.addHandler(
                NIOSSLServerHandler(context: NIOSSLContext(configuration: server)), name: "tls", position: .first)
            var client = TLSConfiguration.makeClientConfiguration()
            client.certificateVerification = .none
            channel = EmbeddedChannel(
                handler: try NIOSSLClientHandler(context: NIOSSLContext(configuration: client), serverHostname: nil),
                loop: rig.base)
            try channel.connect(to: SocketAddress(ipAddress: "192.0.2.1", port: 1)).wait()
        }

        /// Carries bytes in both directions until nothing moves.
        func carry() throws {
            var isMoving = true
            while isMoving {
                isMoving = false
                rig.channel.read()
                rig.run()
                while rig.stream.read != nil, let buffer = try channel.readOutbound(as: ByteBuffer.self) {
                    isMoving = true
                    rig.stream.deliver(Data(buffer.readableBytesView))
                    rig.run()
                    rig.channel.read()
                }
                while let write = rig.stream.writes.first {
                    isMoving = true
                    rig.take()
                    if channel.isActive { try channel.writeInbound(ByteBuffer(bytes: write.data)) }
                }
            }
        }

        func received() throws -> ByteBuffer {
            var all = ByteBuffer()
            while let part = try channel.readInbound(as: ByteBuffer.self) { all.writeImmutableBuffer(part) }
            return all
        }
    }

    @Test func `A handshake, a megabyte each way and an orderly end`() throws {
        let rig = try ChannelRig()
        let client = try Client(rig)
        try client.carry()
        let bytes = CarriedBytes.buffer(1_000_000)
        client.channel.writeAndFlush(bytes, promise: nil)
        try client.carry()
        let hasArrived = rig.listener.received == bytes
        #expect(hasArrived)
        let written = rig.outcome { rig.channel.writeAndFlush(bytes, promise: $0) }
        try client.carry()
        #expect(written.succeeded)
        let hasReturned = try client.received() == bytes
        #expect(hasReturned)
        // As a leg ends: what was written has gone, the goodbye goes behind it, and the channel is closed past TLS.
        let tls = try rig.channel.pipeline.syncOperations.context(name: "tls")
        let sent = rig.outcome { tls.writeAndFlush(NIOAny(ByteBuffer()), promise: $0) }
        #expect(sent.succeeded)
        let ended = rig.close(.output)
        #expect(rig.stream.writes.count == 1 && rig.stream.writeCloses.isEmpty)
        try client.carry()
        #expect(ended.succeeded && !client.channel.isActive)
        #expect(!rig.stream.writeCloses.isEmpty)
        tls.close(promise: nil)
        rig.run()
        #expect(!rig.channel.isActive)
        #expect((rig.stream.readCloses + rig.stream.writeCloses).allSatisfy { $0 == nil })
        #expect(rig.listener.errors.isEmpty && rig.stream.faults.isEmpty)
        _ = try? client.channel.finish()
    }
}

private let certificate = """
    -----BEGIN CERTIFICATE-----
    MIIBnjCCAUSgAwIBAgIUOnV2b4Z+r18PCaTRlaTXGVLu8MMwCgYIKoZIzj0EAwIw
    FzEVMBMGA1UEAwwMd2Vpci5leGFtcGxlMCAXDTI2MTEyNDE5MDUyM1oYDzIxMjYx
    MDMxMTkwNTIzWjAXMRUwEwYDVQQDDAx3ZWlyLmV4YW1wbGUwWTATBgcqhkjOPQIB
    BggqhkjOPQMBBwNCAAT8uDOw4lB+/S2ckHBUR/uyaCI0AR2r1ENkRoMdZAzcJ/0D
    qoyAuYHzAXUllkw0XB59SEga1CIPmMtsKT+yAIP1o2wwajAdBgNVHQ4EFgQUNcVx
    f0Th97cx25nvHwGb3pzmIR8wHwYDVR0jBBgwFoAUNcVxf0Th97cx25nvHwGb3pzm
    IR8wDwYDVR0TAQH/BAUwAwEB/zAXBgNVHREEEDAOggx3ZWlyLmV4YW1wbGUwCgYI
    KoZIzj0EAwIDSAAwRQIgZdgnS/9RueLlAN2qNpP5qt3YRPByRQf37N7HmWB/nEAC
    IQDAWTh7CmTBewy9WX29xp1OTyIHz5iG2D+afXDR7yM3Ew==
    -----END CERTIFICATE-----
    """
private let key = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgg11p2FH+ElOESeN/
    ZBQStArPOq1MIp/XSAbzMB6jUamhRANCAAT8uDOw4lB+/S2ckHBUR/uyaCI0AR2r
    1ENkRoMdZAzcJ/0DqoyAuYHzAXUllkw0XB59SEga1CIPmMtsKT+yAIP1
    -----END PRIVATE KEY-----
    """
