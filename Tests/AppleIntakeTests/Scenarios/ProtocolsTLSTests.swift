// SPDX-License-Identifier: Apache-2.0

// TLS through the whole provider: taken over, refused by a pinned application, relayed, and with its name encrypted.

import FlowEngine
import FlowModel
import Foundation
import NIOCore
import NIOEmbedded
import NIOPosix
import NIOSSL
import NetworkSimulation
import Testing

@testable import AppleIntake
@testable import NetworkExtension

@Suite(.timeLimit(.minutes(2))) struct ProtocolsTLSTests {
    private static let site = ServicesRig.place("203.0.113.7", 443)

    /// The two authorities: ours, and the one that vouches for servers.
    private struct Authorities {
        let ours: CertificateAuthority
        let theirs: CertificateAuthority
        let server: NIOSSLContext

        init() async throws {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("weir-\(FlowID.random())").path
            defer { try? FileManager.default.removeItem(atPath: folder) }
            ours = try CertificateAuthority.loadOrCreate(in: folder + "/ours", now: Date())
            theirs = try CertificateAuthority.loadOrCreate(in: folder + "/theirs", now: Date())
            let host = FlowModel.Host.name(try #require(HostName("shop.example")))
            server = try await LeafMinter(authority: theirs, clock: { Date() })
                .context(for: host, alpn: nil, on: MultiThreadedEventLoopGroup.singleton.any()).get()
        }

        var takeover: TakeoverServices {
            get throws {
                try TakeoverServices(
                    minter: LeafMinter(authority: ours, clock: { Date() }), upstream: UpstreamTLS(),
                    trust: EveryChain())
            }
        }
    }

    private struct EveryChain: UpstreamTrust {
        func judge(chain: [[UInt8]], host: FlowModel.Host, on loop: any EventLoop) -> EventLoopFuture<TrustVerdict> {
            loop.makeSucceededFuture(.good(validUntil: .distantFuture, notes: []))
        }
    }

    /// A rig with a TLS server that answers each upload, and what arrives at it in plain.
    private static func rig(
        _ authorities: Authorities, policy: String = "redact"
    ) async throws -> (ServicesRig, Gate<String>) {
        let rig = try await ServicesRig(policy, takeover: authorities.takeover)
        let heard = Gate("")
        try rig.serve(site) { socket in
            let tls = TLSEnd(socket, NIOSSLServerHandler(context: authorities.server))
            var all = ""
            while !all.hasSuffix("}") {
                let part = try await tls.receive()
                if part.isEmpty { return }
                all += part
            }
            heard.change { [all] in $0 = all }
            try await tls.send(MacRig.ok)
        }
        return (rig, heard)
    }

    /// Uploads a card over TLS as an application that trusts this authority alone.
    private static func upload(
        _ rig: ServicesRig, _ program: SimulatedProgram, trusting authority: CertificateAuthority
    ) async throws -> (answer: String, way: SimulatedSocket.Way) {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(
            try NIOSSLCertificate.fromPEMBytes(Array(authority.certificatePEM.utf8)))
        let socket = try await rig.mac.launch(program).connect(to: site)
        defer { socket.close() }
        let tls = TLSEnd(
            socket,
            try NIOSSLClientHandler(
                context: NIOSSLContext(configuration: configuration), serverHostname: "shop.example"))
        let body = #"{"card":"\#(ServicesRig.card)"}"#
        let head = "POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/json\r\n"
        try await tls.send("\(head)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        var answer = ""
        while answer.utf8.count < MacRig.ok.utf8.count {
            let part = try await tls.receive()
            if part.isEmpty { break }
            answer += part
        }
        return (answer, socket.way)
    }

    @Test func `A card in an upload over TLS is masked, for an application that trusts our authority`() async throws {
        let authorities = try await Authorities()
        let (rig, heard) = try await Self.rig(authorities)
        let (answer, way) = try await Self.upload(rig, .app("app"), trusting: authorities.ours)
        #expect(answer == MacRig.ok && way == ServicesRig.claimed)
        #expect(heard.read { $0.contains(ServicesRig.masked) && !$0.contains(ServicesRig.card) })
        try await rig.end()
    }

    @Test func `TLS of the system is left alone, so that it sees its own server's certificate`() async throws {
        let authorities = try await Authorities()
        let (rig, heard) = try await Self.rig(authorities)
        let (answer, way) = try await Self.upload(
            rig, .system("com.apple.trustd"), trusting: authorities.theirs)
        #expect(answer == MacRig.ok && way == .declined)
        #expect(heard.read { $0.contains(ServicesRig.card) })
        try await rig.end()
    }

    @Test func `A pinned application loses that one connection, which is reported, and nobody else loses any`()
        async throws
    {
        let authorities = try await Authorities()
        let (rig, heard) = try await Self.rig(authorities)
        await #expect(throws: (any Error).self) {
            _ = try await Self.upload(rig, .app("pinned"), trusting: authorities.theirs)
        }
        let record = try await rig.record(of: Self.site)
        #expect(record.outcome == .reset && record.notes.contains { $0.code == "leaf-refused" }, "\(record.notes)")
        #expect(heard.read { $0.isEmpty })
        let (answer, _) = try await Self.upload(rig, .app("app"), trusting: authorities.ours)
        #expect(answer == MacRig.ok)
        try await rig.end()
    }

    @Test func `An application that the catalogue knows as pinned, or a rule relays by name, keeps its own TLS`()
        async throws
    {
        let authorities = try await Authorities()
        let (rig, _) = try await Self.rig(authorities)
        let signal = SimulatedProgram.app("signal", identifier: "org.whispersystems.signal-desktop", team: "U68MSDN6DR")
        let (answer, way) = try await Self.upload(rig, signal, trusting: authorities.theirs)
        // Held until it is known, the first one is relayed; of a process that is known none is claimed.
        #expect(answer == MacRig.ok && way == ServicesRig.claimed)
        try await rig.end()

        let policy = """
            version: 1
            mode: enforce
            unknown: {exited: hold, third-party-pending: hold}
            rules:
              - {name: pinned, when: {to: shop.example}, then: relay}
              - {name: look, then: inspect, profile: strict}
            profiles: {strict: {detect: [payment-card], outbound: redact}}
            """
        let (other, heard) = try await Self.rig(authorities, policy: policy)
        let relayed = try await Self.upload(other, .app("pinned"), trusting: authorities.theirs)
        #expect(relayed.answer == MacRig.ok && relayed.way == ServicesRig.claimed)
        #expect(heard.read { $0.contains(ServicesRig.card) })
        try await other.end()
    }

    @Test(arguments: ["relay", "block"])
    func `A ClientHello with its name encrypted is relayed unchanged where it cannot be taken over, or refused`(
        _ fallback: String
    ) async throws {
        let policy = """
            version: 1
            mode: enforce
            rules: [{name: look, then: inspect, profile: strict}]
            profiles: {strict: {detect: [payment-card], on_failure: {before_takeover: \(fallback)}}}
            """
        let rig = try await ServicesRig(policy, takeover: Authorities().takeover)
        // A server that takes that ClientHello alone, as one that knows the key; to others it speaks no TLS.
        let hello = Self.encryptedHello
        try rig.serve(Self.site) { socket in
            let first = try await socket.receive(65_536)
            try await socket.send(Data((first == hello ? "taken" : "what is this\n").utf8))
        }
        let socket = try await rig.mac.launch(.app("fox")).connect(to: Self.site)
        try await socket.send(hello)
        if fallback == "relay" {
            #expect(try await socket.receive() == Data("taken".utf8))
        } else {
            #expect(await errno { while try await !socket.receive().isEmpty {} } == ECONNRESET)
        }
        socket.close()
        try await rig.end()
    }

    /// A ClientHello of TLS 1.3 with the extension of Encrypted Client Hello (0xfe0d).
    private static let encryptedHello: Data = {
        let versions: [UInt8] = [0, 43, 0, 3, 2, 3, 4]
        let encrypted: [UInt8] = [0xfe, 0x0d, 0, 12, 0, 0, 1, 0, 1, 7, 0, 0, 0, 2, 9, 9]
        let extensions = versions + encrypted
        let body: [UInt8] =
            [3, 3] + [UInt8](repeating: 7, count: 32) + [0, 0, 2, 0x13, 1, 1, 0] + [0, UInt8(extensions.count)]
            + extensions
        let message: [UInt8] = [1, 0, 0, UInt8(body.count)] + body
        return Data([22, 3, 1, 0, UInt8(message.count)] + message)
    }()
}

/// One end of TLS over a simulated or a real socket.
private final class TLSEnd<Line: ByteLine>: Sendable {
    private let line: Line
    private let channel: NIOAsyncTestingChannel
    private let isConnected = Gate(false)
    private let pending: Carried<any ChannelHandler>

    init(_ line: Line, _ handler: sending any ChannelHandler) {
        self.line = line
        channel = NIOAsyncTestingChannel()
        pending = Carried(handler)
    }

    private func begin() async throws {
        guard
            isConnected.change({ isConnected in
                defer { isConnected = true }
                return !isConnected
            })
        else { return }
        try await channel.testingEventLoop.executeInContext { [channel, pending] in
            try channel.pipeline.syncOperations.addHandler(pending.value)
        }
        try await channel.connect(to: SocketAddress(ipAddress: "192.0.2.1", port: 1)).get()
        try await flush()
    }

    private func flush() async throws {
        while let out = try await channel.readOutbound(as: ByteBuffer.self) {
            try await line.send(Data(out.readableBytesView))
        }
    }

    func send(_ text: String) async throws {
        try await begin()
        let written = channel.eventLoop.makePromise(of: Void.self)
        let isDone = Gate(false)
        written.futureResult.whenComplete { _ in isDone.change { $0 = true } }
        channel.writeAndFlush(ByteBuffer(string: text), promise: written)
        await channel.testingEventLoop.run()
        try await flush()
        // What is sent before the handshake is over waits for it.
        while !isDone.read({ $0 }) {
            guard try await pump() else { throw ChannelError.eof }
        }
        try await written.futureResult.get()
    }

    /// What came in plain; empty at the end.
    func receive() async throws -> String {
        try await begin()
        while true {
            if let plain = try await channel.readInbound(as: ByteBuffer.self) { return String(buffer: plain) }
            guard try await pump() else { return "" }
        }
    }

    private func pump() async throws -> Bool {
        let bytes = try await line.receive(65_536)
        guard !bytes.isEmpty else { return false }
        do {
            try await channel.writeInbound(ByteBuffer(bytes: bytes))
        } catch {
            // The alert that says why goes out all the same.
            try await flush()
            throw error
        }
        try await flush()
        return true
    }
}

/// A socket of either kind.
private protocol ByteLine: AnyObject, Sendable {
    func send(_ data: Data) async throws(SocketError)
    func receive(_ most: Int) async throws(SocketError) -> Data
}
extension SimulatedSocket: ByteLine {}
extension RealSocket: ByteLine {}
