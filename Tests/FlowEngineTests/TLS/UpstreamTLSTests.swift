// SPDX-License-Identifier: Apache-2.0

// Handshakes with real servers over loopback: NIOSSL's and openssl's.

import FlowModel
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import SwiftASN1
import Testing
import X509

@testable import FlowEngine

@Suite struct UpstreamTLSTests {
    private let root: TestIdentity
    private let tls: UpstreamTLS

    init() throws {
        root = try TestCertificate.authority("Root").valid(at: Date()).make()
        tls = try UpstreamTLS()
    }

    private var trust: X509UpstreamTrust { X509UpstreamTrust(roots: TrustRoots([root.certificate])) { Date() } }

    private func identity(_ names: [GeneralName]) throws -> TestIdentity {
        try TestCertificate(name: "server", issuer: root, names: names).valid(at: Date()).make()
    }

    private func context(_ identity: TestIdentity, _ change: (inout TLSConfiguration) -> Void = { _ in }) throws
        -> NIOSSLContext
    {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(try NIOSSLCertificate(bytes: identity.der, format: .der))],
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(identity.keyPEM.utf8), format: .pem)))
        change(&configuration)
        return try NIOSSLContext(configuration: configuration)
    }

    /// Connects and gives what came of it.
    private func connect(
        to port: Int, host: String, alpn: UpstreamALPN = .http1, trust: (any UpstreamTrust)? = nil
    ) async throws -> Result<Outcome, TakeoverFailure> {
        let host = try #require(Host(host))
        let trust = trust ?? self.trust
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let done = loop.makePromise(of: Outcome.self)
        let channel = try await ClientBootstrap(group: loop).channelInitializer { [tls] channel in
            channel.eventLoop.makeCompletedFuture {
                let handshake = try tls.handshake(with: host, alpn: alpn, trust: trust)
                try channel.pipeline.syncOperations.addHandlers([handshake.handler, Watcher(handshake, done)])
            }
        }.connect(host: "127.0.0.1", port: port).get()
        defer { channel.close(promise: nil) }
        do {
            return .success(try await done.futureResult.get())
        } catch let failure as TakeoverFailure {
            return .failure(failure)
        }
    }

    private func run(
        _ context: NIOSSLContext, host: String, alpn: UpstreamALPN = .http1, trust: (any UpstreamTrust)? = nil
    ) async throws -> Result<Outcome, TakeoverFailure> {
        let server = try await TestServer.start(context)
        let result = try await connect(to: server.port, host: host, alpn: alpn, trust: trust)
        try await server.stop()
        return result
    }

    @Test func `A trusted server is agreed with, and everything about it can be read`() async throws {
        let identity = try identity([.dnsName("a.example")])
        let outcome = try await run(
            context(identity) { $0.applicationProtocols = ["h2", "http/1.1"] }, host: "a.example"
        ).get()
        #expect(outcome.protocol == "http/1.1")
        #expect(outcome.version == .tlsv13)
        #expect(outcome.chain == [try identity.der])
        guard case .good = outcome.verdict else { throw Unexpected(outcome) }
    }

    @Test func `Without ALPN none is agreed, and TLS 1.2 is spoken where the server wants it`() async throws {
        let context = try context(identity([.dnsName("a.example")])) {
            $0.applicationProtocols = ["http/1.1"]
            $0.maximumTLSVersion = .tlsv12
        }
        let outcome = try await run(context, host: "a.example", alpn: .none).get()
        #expect(outcome.protocol == nil)
        #expect(outcome.version == .tlsv12)
    }

    @Test func `The server name is sent for a name and not for an address`() async throws {
        let seen = Shared<[String?]>([])
        let identity = try identity([.dnsName("a.example"), .ipAddress(.init(contentBytes: [127, 0, 0, 1]))])
        let context = try context(identity) {
            $0.sslContextCallback = { values, promise in
                seen.change { $0.append(values.serverHostname) }
                promise.succeed(.noChanges)
            }
        }
        for host in ["a.example", "127.0.0.1"] { _ = try await run(context, host: host).get() }
        #expect(seen.value == ["a.example", nil])
    }

    @Test func `A certificate that is not trusted ends the handshake with its problem`() async throws {
        let wrong = try await run(context(identity([.dnsName("b.example")])), host: "a.example")
        guard case .failure(.untrusted(let problem)) = wrong else { throw Unexpected(wrong) }
        #expect(problem.code == .wrongName)
        let address = try await run(context(identity([.dnsName("b.example")])), host: "127.0.0.1")
        guard case .failure(.untrusted(let addressProblem)) = address else { throw Unexpected(address) }
        #expect(addressProblem.code == .wrongName)
    }

    @Test func `A judge that answers late, or fails, is waited for and not believed`() async throws {
        let context = try context(identity([.dnsName("a.example")]))
        guard case .success = try await run(context, host: "a.example", trust: SlowTrust(fails: false)) else {
            throw Unexpected("failure")
        }
        guard case .failure(.untrusted) = try await run(context, host: "a.example", trust: SlowTrust(fails: true))
        else {
            throw Unexpected("success")
        }
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"], ["-verify", "-Verify"])
    func `openssl's wish for a client certificate is recognised`(_ version: String, _ wish: String) async throws {
        let server = try OpenSSLServer(identity([.dnsName("a.example")]), [version, wish, "1"])
        defer { server.stop() }
        #expect(try await connect(to: server.port, host: "a.example") == .failure(.clientCertificateWanted))
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"]) func `openssl's server is agreed with`(_ version: String) async throws {
        let server = try OpenSSLServer(identity([.dnsName("*.example.com")]), [version, "-alpn", "http/1.1"])
        defer { server.stop() }
        let outcome = try await connect(to: server.port, host: "a.example.com").get()
        #expect(outcome.protocol == "http/1.1")
        #expect(outcome.version == (version == "-tls1_2" ? .tlsv12 : .tlsv13))
    }

    @Test func `A server without a common protocol or version is recognised`() async throws {
        let identity = try identity([.dnsName("a.example")])
        let h2 = try OpenSSLServer(identity, ["-alpn", "h2"])
        defer { h2.stop() }
        #expect(try await connect(to: h2.port, host: "a.example") == .failure(.alpnMismatch))
        let old = try OpenSSLServer(identity, ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"])
        defer { old.stop() }
        #expect(try await connect(to: old.port, host: "a.example") == .failure(.protocolVersion))
    }

    @Test func `A server that hangs up or speaks something else breaks the handshake, named`() async throws {
        let quiet = try await TestServer.start(saying: "")
        #expect(
            try await connect(to: quiet.port, host: "a.example") == .failure(.handshake(.origin, "CONNECTION_LOST")))
        try await quiet.stop()
        let plain = try await TestServer.start(saying: "220 mail.example ESMTP\r\n")
        #expect(
            try await connect(to: plain.port, host: "a.example")
                == .failure(.handshake(.origin, "WRONG_VERSION_NUMBER")))
        try await plain.stop()
    }

    @Test(arguments: [("-tls1_2", "TLSV1_ALERT_UNKNOWN_CA"), ("-tls1_3", "BAD_PACKET_LENGTH")])
    func `A client that does not trust the leaf is recognised as such`(_ version: String, _ word: String) async throws {
        let clientError = Shared<(any Error)?>(nil)
        let server = try await TestServer.start(context(identity([.dnsName("a.example")]))) { error in
            clientError.change { $0 = $0 ?? error }
        }
        let directory = try TemporaryDirectory()
        let (status, _) = try directory.attempt(
            [
                "openssl", "s_client", "-connect", "127.0.0.1:\(server.port)", "-verify_return_error", "-no-CAfile",
                version,
            ],
            input: "Q\n")
        #expect(status != 0)
        try await server.stop()
        let error = try #require(clientError.value)
        #expect(TakeoverFailure(clientError: error) == .leafRefused(word))
    }

    @Test func `Every failure has a code of its own and a sentence without paths`() {
        let all: [TakeoverFailure] = [
            .untrusted(TrustProblem(.expired, "it has expired")), .leafRefused("X"), .handshake(.origin, "X"),
            .alpnMismatch,
            .protocolVersion, .clientCertificateWanted, .timeout,
        ]
        #expect(Set(all.map(\.code)).count == all.count)
        for failure in all {
            #expect(failure.description.hasPrefix(failure.code) && !failure.description.contains("/"))
        }
    }
}

/// What a test saw of a handshake.
private struct Outcome: Equatable, Sendable {
    var `protocol`: String?
    var version: TLSVersion?
    var chain: [[UInt8]]
    var verdict: TrustVerdict?
}

/// Watches a handshake as the engine does.
private final class Watcher: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let handshake: UpstreamHandshake
    private let done: EventLoopPromise<Outcome>

    init(_ handshake: UpstreamHandshake, _ done: EventLoopPromise<Outcome>) {
        self.handshake = handshake
        self.done = done
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted(let negotiated)? = event as? TLSUserEvent else { return }
        done.succeed(
            Outcome(
                protocol: negotiated, version: handshake.version, chain: handshake.peerChain, verdict: handshake.verdict
            ))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { done.fail(handshake.failure(error)) }

    func channelInactive(context: ChannelHandlerContext) { done.fail(handshake.failure(ChannelError.eof)) }
}

private struct SlowTrust: UpstreamTrust {
    let fails: Bool
    func judge(chain: [[UInt8]], host: Host, on loop: any EventLoop) -> EventLoopFuture<TrustVerdict> {
        loop.scheduleTask(in: .milliseconds(20)) { [fails] in
            if fails { throw CancellationError() }
            return .good(validUntil: .distantFuture, notes: [])
        }.futureResult
    }
}

/// `openssl s_server` with a certificate, on a port of its own choice.
private final class OpenSSLServer {
    let port: Int
    private let id: pid_t
    private let directory: TemporaryDirectory

    init(_ identity: TestIdentity, _ options: [String]) throws {
        directory = try TemporaryDirectory()
        try directory.write(identity.certificatePEM, "c.pem")
        try directory.write(identity.keyPEM, "k.pem")
        id = try directory.start(
            ["openssl", "s_server", "-www", "-accept", "127.0.0.1:0", "-cert", "c.pem", "-key", "k.pem"] + options,
            input: "/dev/null", output: "log")
        var status: Int32 = 0
        while true {
            let log = (try? directory.read("log")) ?? ""
            if let line = log.firstMatch(of: /ACCEPT .*:(\d+)\n/), let port = Int(line.1) {
                self.port = port
                return
            }
            guard waitpid(id, &status, WNOHANG) == 0 else { throw Unexpected(log) }
            usleep(2_000)
        }
    }

    func stop() {
        kill(id, SIGKILL)
        waitpid(id, nil, 0)
    }
}
