// SPDX-License-Identifier: Apache-2.0

// Real connections of a command, accepted here.

import FlowModel
import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import LinuxIntake

/// A namespace with a command in it whose connections the test accepts.
struct RunningNamespace {
    let namespace: ExecNamespace
    let sockets: ExecSockets

    init(perl script: String) throws {
        namespace = try ExecNamespace()
        sockets = try #require(namespace.takeSockets())
        try namespace.start(["perl", "-MSocket=:all", "-e", script], environment: .current())
    }

    /// Accepts one connection, or gives up after ten seconds.
    func accept(_ index: Int) throws -> CInt {
        var waiting = pollfd(fd: sockets.tcp[index], events: Int16(POLLIN), revents: 0)
        try #require(poll(&waiting, 1, 10_000) == 1)
        return Glibc.accept(sockets.tcp[index], nil, nil)
    }

    func close() {
        for descriptor in sockets.tcp + sockets.dns + [sockets.diagnostics] { Glibc.close(descriptor) }
    }
}

/// Perl that connects, says hello, and exits with 0 when it sees the peer it asked for and hears an answer.
func connecting(_ family: String, _ address: String, then: String = "") -> String {
    """
    my $a = \(address); socket(my $s, \(family), SOCK_STREAM, 0); connect($s, $a) or exit 50;
    getpeername($s) eq $a or exit 51; syswrite($s, "hello"); \(then) sysread($s, my $b, 9); exit($b eq "world" ? 0 : 52)
    """
}

extension KernelTests {
    @Suite struct OriginalDestinationTests {
        @Test(
            "A redirected connection tells where it was going, and the command sees the peer it asked for",
            arguments: [
                (0, "AF_INET", "pack_sockaddr_in(443, inet_aton('1.2.3.4'))", "1.2.3.4:443"),
                (0, "AF_INET", "pack_sockaddr_in(53, inet_aton('127.0.0.53'))", "127.0.0.53:53"),
                (0, "AF_INET", "pack_sockaddr_in(22, inet_aton('169.254.169.254'))", "169.254.169.254:22"),
                (
                    1, "AF_INET6", "pack_sockaddr_in6(8443, inet_pton(AF_INET6, '2606:4700::1111'))",
                    "[2606:4700::1111]:8443"
                ),
                (0, "AF_INET6", "pack_sockaddr_in6(80, inet_pton(AF_INET6, '::ffff:9.8.7.6'))", "9.8.7.6:80"),
            ])
        func redirected(listener: Int, family: String, address: String, expected: String) async throws {
            let running = try RunningNamespace(perl: connecting(family, address))
            defer { running.close() }
            let connection = try running.accept(listener)
            defer { close(connection) }
            #expect(try OriginalDestination.of(descriptor: connection) == Endpoint(expected))
            var bytes = [UInt8](repeating: 0, count: 9)
            #expect(read(connection, &bytes, bytes.count) == 5)
            #expect(write(connection, "world", 5) == 5)
            #expect(await running.namespace.outcome() == .exited(0))
        }

        @Test("A connection made to the listener itself has no other destination")
        func direct() async throws {
            let running = try RunningNamespace(
                perl: connecting("AF_INET", "pack_sockaddr_in(1, inet_aton('127.0.0.1'))"))
            defer { running.close() }
            let connection = try running.accept(0)
            #expect(try OriginalDestination.of(descriptor: connection) == nil)
            close(connection)
            _ = await running.namespace.outcome()
        }

        @Test("A connection outside any redirection has no other destination")
        func untracked() throws {
            let pair = try LoopbackPair()
            #expect(try OriginalDestination.of(descriptor: pair.accepted) == nil)
            pair.close()
        }

        @Test("What is not a connected socket of the internet is an error, not a destination")
        func errors() throws {
            #expect(throws: KernelError("original destination of a connection", code: EBADF)) {
                try OriginalDestination.of(descriptor: -1)
            }
            var pair: [CInt] = [0, 0]
            try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
            #expect(throws: KernelError("original destination of a connection", code: EAFNOSUPPORT)) {
                try OriginalDestination.of(descriptor: pair[0])
            }
            for descriptor in pair { close(descriptor) }
        }

        @Test("An accepted channel tells the same", arguments: [0, 1])
        func channel(listener: Int) async throws {
            let address =
                listener == 0
                ? "pack_sockaddr_in(25, inet_aton('1.1.1.1'))" : "pack_sockaddr_in6(25, inet_pton(AF_INET6, 'fd00::2'))"
            let running = try RunningNamespace(perl: connecting(listener == 0 ? "AF_INET" : "AF_INET6", address))
            let loop = MultiThreadedEventLoopGroup.singleton.next()
            let found = loop.makePromise(of: Endpoint?.self)
            let server = try await ServerBootstrap(group: loop)
                .childChannelInitializer { channel in
                    OriginalDestination.of(channel: channel).map { destination in
                        found.succeed(destination)
                        // Later, when the channel is active.
                        loop.execute { channel.writeAndFlush(ByteBuffer(string: "world"), promise: nil) }
                    }
                }
                .withBoundSocket(running.sockets.tcp[listener]).get()
            #expect(try await found.futureResult.get() == Endpoint(listener == 0 ? "1.1.1.1:25" : "[fd00::2]:25"))
            #expect(await running.namespace.outcome() == .exited(0))
            try await server.close()
            for descriptor in [running.sockets.tcp[1 - listener], running.sockets.diagnostics] + running.sockets.dns {
                close(descriptor)
            }
        }

        @Test("An accepted channel outside any redirection has no other destination")
        func directChannel() async throws {
            let loop = MultiThreadedEventLoopGroup.singleton.next()
            let found = loop.makePromise(of: Endpoint?.self)
            let server = try await ServerBootstrap(group: loop)
                .childChannelInitializer { channel in OriginalDestination.of(channel: channel).map { found.succeed($0) }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            let client = try await ClientBootstrap(group: loop).connect(to: #require(server.localAddress)).get()
            #expect(try await found.futureResult.get() == nil)
            try await client.close()
            try await server.close()
        }
    }
}
