// SPDX-License-Identifier: Apache-2.0

// The relay between a client and nameservers that are the test's own; then in a real namespace.

import FlowModel
import Glibc
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import LinuxIntake

extension DatagramSocket {
    fileprivate var address: SocketAddress? { try? SocketAddress(ipAddress: "127.0.0.1", port: Int(port)) }
}

private func query(_ id: UInt16, _ rest: [UInt8] = [1, 0, 0, 1, 0, 0, 0, 0, 0, 0]) -> [UInt8] {
    [UInt8(id >> 8), UInt8(id & 0xff)] + rest
}

private func answer(to query: [UInt8], _ more: [UInt8]) -> [UInt8] {
    var answer = query
    answer[2] |= 0x80
    return answer + more
}

extension KernelTests {
    @Suite struct DNSRelayTests {
        private func relay(
            _ nameservers: [DatagramSocket], metrics: any MetricSink = NoSink(), patience: TimeAmount = .seconds(10),
            reload: [DatagramSocket]? = nil
        ) async throws -> (relay: DNSRelay, port: UInt16) {
            let socket = try DatagramSocket()
            let first = Mutex(true)
            let relay = try await DNSRelay.start(
                sockets: [socket.descriptor], on: MultiThreadedEventLoopGroup.singleton.next(), metrics: metrics,
                patience: patience
            ) {
                let isFirst = first.withLock { first in
                    defer { first = false }
                    return first
                }
                return (isFirst ? nameservers : reload ?? nameservers).compactMap(\.address)
            }
            return (relay, socket.port)
        }

        @Test("Queries and answers pass untouched, whatever their size and order")
        func relays() async throws {
            let (server, client) = (try DatagramSocket(), try DatagramSocket())
            let (relay, port) = try await relay([server])
            var waiting: [(bytes: [UInt8], port: UInt16)] = []
            for id: UInt16 in [7, 7, 0xffff] {
                client.send(query(id) + [UInt8(waiting.count)], to: port)
                waiting.append(try server.receive())
                #expect(waiting.last?.bytes == query(id) + [UInt8(waiting.count - 1)])
            }
            for (index, asked) in waiting.enumerated().reversed() {
                let long = [UInt8](repeating: UInt8(index), count: [0, 1200, 60_000][index])
                server.send(answer(to: asked.bytes, long), to: asked.port)
                #expect(try client.receive().bytes == answer(to: asked.bytes, long))
            }
            await relay.close()
            server.close()
            client.close()
        }

        @Test("What is no query is not passed on, what is no answer is not passed back")
        func garbage() async throws {
            let (server, client) = (try DatagramSocket(), try DatagramSocket())
            let sink = CountingSink()
            let (relay, port) = try await relay([server], metrics: sink)
            client.send([], to: port)
            client.send([1, 2, 3], to: port)
            client.send(answer(to: query(1), []), to: port)
            client.send(query(2), to: port)
            let asked = try server.receive()
            #expect(asked.bytes == query(2))
            server.send([0, 2], to: asked.port)
            server.send(query(2), to: asked.port)
            server.send(answer(to: query(3), []), to: asked.port)
            server.send(answer(to: query(2), [42]), to: asked.port)
            #expect(try client.receive().bytes == answer(to: query(2), [42]))
            #expect(sink[LinuxIntakeLimits.dnsMessage.metric] == 3)
            await relay.close()
            server.close()
            client.close()
        }

        @Test("An answer from anybody but the nameserver is not taken")
        func forged() async throws {
            let (server, client, liar) = (try DatagramSocket(), try DatagramSocket(), try DatagramSocket())
            let (relay, port) = try await relay([server])
            client.send(query(2), to: port)
            let asker = try server.receive().port
            liar.send(answer(to: query(2), [66]), to: asker)
            server.send(answer(to: query(2), [1]), to: asker)
            #expect(try client.receive().bytes == answer(to: query(2), [1]))
            await relay.close()
            for socket in [server, client, liar] { socket.close() }
        }

        @Test("A nameserver that nobody runs is followed by the next, at once")
        func refused() async throws {
            let (dead, server, client) = (try DatagramSocket(), try DatagramSocket(), try DatagramSocket())
            dead.close()
            let (relay, port) = try await relay([dead, server])
            client.send(query(5), to: port)
            let asked = try server.receive()
            server.send(answer(to: asked.bytes, [1]), to: asked.port)
            #expect(try client.receive().bytes == answer(to: query(5), [1]))
            await relay.close()
            server.close()
            client.close()
        }

        @Test("Where no nameserver can be reached, the program is told so at once")
        func unreachable() async throws {
            let (dead, client) = (try DatagramSocket(), try DatagramSocket())
            dead.close()
            let (relay, port) = try await relay([dead])
            client.send(query(9), to: port)
            let told = try client.receive().bytes
            // The query, marked as a response with code 2 (SERVFAIL, RFC 1035 section 4.1.1).
            #expect(told.count == query(9).count)
            #expect(Array(told.prefix(2)) == Array(query(9).prefix(2)))
            #expect(told[2] & 0x80 != 0)
            #expect(told[3] & 0x0f == 2)
            await relay.close()
            client.close()
        }

        @Test("A silent nameserver loses its turn, and the program's retry goes to the next")
        func silent() async throws {
            let (silent, server, client) = (try DatagramSocket(), try DatagramSocket(), try DatagramSocket())
            let sink = CountingSink()
            let (relay, port) = try await relay(
                [silent, server], metrics: sink, patience: .milliseconds(50))
            client.send(query(5), to: port)
            _ = try silent.receive()
            #expect(await eventually { sink[LinuxIntakeLimits.dnsPatience.metric] == 1 })
            client.send(query(5), to: port)
            let asked = try server.receive()
            server.send(answer(to: asked.bytes, [1]), to: asked.port)
            #expect(try client.receive().bytes == answer(to: query(5), [1]))
            await relay.close()
            for socket in [silent, server, client] { socket.close() }
        }

        @Test("After a failure the nameservers are read again, as the machine may have moved")
        func moved() async throws {
            let (dead, server, client) = (try DatagramSocket(), try DatagramSocket(), try DatagramSocket())
            dead.close()
            let (relay, port) = try await relay([dead], reload: [server])
            client.send(query(5), to: port)
            // The first query dies with the old network. The retries are the program's.
            var asked: (bytes: [UInt8], port: UInt16)?
            for _ in 0..<100 where asked == nil {
                client.send(query(6), to: port)
                var waiting = pollfd(fd: server.descriptor, events: Int16(POLLIN), revents: 0)
                if poll(&waiting, 1, 100) == 1 { asked = try server.receive() }
            }
            #expect(asked?.bytes == query(6))
            await relay.close()
            server.close()
            client.close()
        }

        @Test("No more queries wait than the limit says")
        func bounded() async throws {
            let (silent, client) = (try DatagramSocket(), try DatagramSocket())
            let sink = CountingSink()
            let (relay, port) = try await relay([silent], metrics: sink)
            let limit = LinuxIntakeLimits.dnsOutstanding.value
            for id in 0..<limit {
                client.send(query(UInt16(id)), to: port)
                // One by one, so that no socket buffer overflows.
                #expect(try silent.receive().bytes.count == 12)
            }
            client.send(query(999), to: port)
            #expect(await eventually { sink[LinuxIntakeLimits.dnsOutstanding.metric] == 1 })
            await relay.close()
            silent.close()
            client.close()
        }

        @Test("A command's queries to any nameserver are answered by the machine's, from the address it asked")
        func namespace() async throws {
            let server = try DatagramSocket()
            let running = try RunningNamespace(
                perl: """
                    my $n = 0;
                    for ("8.8.8.8", "127.0.0.53", "2001:db8::53") {
                        my $v6 = /:/; my $q = pack("nC*", ++$n, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0);
                        socket(my $s, $v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
                        connect($s, $v6 ? pack_sockaddr_in6(53, inet_pton(AF_INET6, $_)) : pack_sockaddr_in(53, inet_aton($_)));
                        setsockopt($s, SOL_SOCKET, SO_RCVTIMEO, pack("l!l!", 10, 0));
                        send($s, $q, 0) or exit 50;
                        defined recv($s, my $a, 99, 0) or exit 51;
                        substr($a, 12) eq "answer" or exit 52 }
                    """)
            let nameserver = try #require(server.address)
            let relay = try await DNSRelay.start(
                sockets: running.sockets.dns, on: MultiThreadedEventLoopGroup.singleton.next()
            ) { [nameserver] }
            for _ in 0..<3 {
                let asked = try server.receive()
                server.send(answer(to: asked.bytes, Array("answer".utf8)), to: asked.port)
            }
            #expect(await running.namespace.outcome() == .exited(0))
            await relay.close()
            server.close()
            for descriptor in running.sockets.tcp + [running.sockets.diagnostics] { close(descriptor) }
        }
    }
}
