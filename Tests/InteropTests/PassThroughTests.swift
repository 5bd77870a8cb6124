// SPDX-License-Identifier: Apache-2.0

// What Weir does not understand passes untouched.

import TestKit
import Testing

extension Interop {
    @Suite struct PassThrough {
        static let routes: [Route] = [.http, .socks5]

        @Test("A server that speaks first is heard, and every byte passes both ways", arguments: routes)
        func serverFirst(route: Route) throws {
            try withScene { scene in
                let server = try RawServer.speaksFirst(Array("SSH-2.0-OpenSSH_9.9\r\n".utf8))
                defer { server.stop() }
                let connection = try tunnel(scene, to: server.port, route)
                defer { connection.close() }
                let banner = try connection.readAll { $0.last == UInt8(ascii: "\n") }
                #expect(String(decoding: banner, as: UTF8.self) == "SSH-2.0-OpenSSH_9.9\r\n")
                let noise = Array("SSH-2.0-client\r\n".utf8) + Sample.noise(200_000, seed: 21)
                try connection.write(noise)
                expectSame(try connection.readAll { $0.count >= noise.count }, noise)
                expectSame(server.received.first ?? [], noise)
            }
        }

        @Test("Secrets in a protocol that Weir does not know are not edited", arguments: routes)
        func unknownProtocol(route: Route) throws {
            try withScene { scene in
                let server = try RawServer.echoes()
                defer { server.stop() }
                let connection = try tunnel(scene, to: server.port, route)
                defer { connection.close() }
                let message = [0x00, 0x01, 0xfe, 0xff] + Array(Payload.json.utf8)
                try connection.write(message)
                expectSame(try connection.readAll { $0.count >= message.count }, message)
            }
        }

        @Test("A half-closed connection still carries the answer", arguments: routes)
        func halfClose(route: Route) throws {
            try withScene { scene in
                let server = try RawServer.answersAfterEnd { Array("got \($0.count)\n".utf8) }
                defer { server.stop() }
                let connection = try tunnel(scene, to: server.port, route)
                defer { connection.close() }
                try connection.write([0x00] + Sample.noise(50_000, seed: 2))
                connection.endWriting()
                #expect(String(decoding: try connection.readAll(), as: UTF8.self) == "got 50001\n")
            }
        }

        @Test("A client that ends its side right behind its request still gets the answer")
        func halfCloseBehindRequest() throws {
            try withScene { scene in
                // Often enough that the end comes before the origin is reached, and after.
                for _ in 0..<5 {
                    let connection = try Connection(address: "127.0.0.1", port: scene.weir.port)
                    defer { connection.close() }
                    let host = "\(TestNetwork.name):\(scene.origin.plainPort)"
                    try connection.write("GET http://\(host)/ HTTP/1.1\r\nHost: \(host)\r\n\r\n")
                    connection.endWriting()
                    let answer = String(decoding: try connection.readAll(), as: UTF8.self)
                    #expect(answer.hasPrefix("HTTP/1.1 "))
                }
            }
        }

        @Test("A reset by the origin arrives as a reset, after what came before it", arguments: routes)
        func reset(route: Route) throws {
            try withScene { scene in
                let server = try RawServer.resets(after: [0x16, 0x99, 0x42])
                defer { server.stop() }
                let connection = try tunnel(scene, to: server.port, route)
                defer { connection.close() }
                try connection.write([0x00, 0x01])
                #expect(try connection.readAll { $0.count >= 3 } == [0x16, 0x99, 0x42])
                #expect(throws: ConnectionReset.self) { _ = try connection.read() }
            }
        }

        @Test("A client that speaks only HTTP/2 is served by the origin itself or by Weir, and gets its answer")
        func http2Only() throws {
            try withScene { scene in
                let script = try scene.folder.write(Clients.http2OverConnect, to: "client.js")
                let bytes = Sample.noise(300_000, seed: 9)
                let body = try scene.folder.write(bytes, to: "body")
                let result = try Program(
                    "node", [script, "\(scene.weir.port)", "origin.test", "\(scene.origin.http2Port)", body],
                    environment: ["NODE_EXTRA_CA_CERTS": scene.trust]
                ).run()
                #expect(result.status == 0, "\(result.errors)")
                #expect(result.text == "200 {\"stored\":true}\n\n")
                let request = try #require(try scene.origin.requests(atLeast: 1).first)
                #expect(request.alpn == "h2")
                expectSame(request.body, bytes)
            }
        }

        @Test("An HTTP/1.1 client is inspected at an origin that offers HTTP/2 as well")
        func offersHTTP2() throws {
            try withScene { scene in
                let answer = try scene.curl(["--http1.1", "--data", Payload.form, scene.origin.http2("/upload")])
                #expect(answer.status == 200, "\(answer.errors)")
                let request = try #require(try scene.origin.requests(atLeast: 1).first)
                expectMasked(Payload.form, request.body, secrets: [Sample.iban, Sample.token])
            }
        }

        @Test("Many connections at once keep their bytes apart")
        func concurrent() throws {
            try withScene { scene in
                let server = try RawServer.echoes()
                defer { server.stop() }
                let connections = try (0..<40).map { try tunnel(scene, to: server.port, $0 % 2 == 0 ? .http : .socks5) }
                defer { for connection in connections { connection.close() } }
                for round in 0..<3 {
                    let messages = connections.indices.map {
                        [0x00] + Sample.noise(10_000, seed: UInt64($0 * 100 + round))
                    }
                    for (connection, message) in zip(connections, messages) { try connection.write(message) }
                    for (connection, message) in zip(connections, messages) {
                        expectSame(try connection.readAll { $0.count >= message.count }, message)
                    }
                }
            }
        }
    }
}

/// A connection to the origin's address through Weir, ready for its own bytes.
func tunnel(_ scene: Scene, to port: UInt16, _ route: Route) throws -> Connection {
    let connection = try Connection(address: "127.0.0.1", port: scene.weir.port)
    switch route {
    case .http:
        let target = "\(TestNetwork.address):\(port)"
        try connection.write("CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n\r\n")
        // One byte at a time: what follows the head belongs to the caller.
        var head: [UInt8] = []
        while !head.ends(with: Array("\r\n\r\n".utf8)) {
            let byte = try connection.read(upTo: 1)
            guard !byte.isEmpty else { throw TestKitError("the proxy closed after \(head.count) bytes") }
            head += byte
        }
        guard head.starts(with: Array("HTTP/1.1 200".utf8)) else {
            throw TestKitError("CONNECT: \(String(decoding: head, as: UTF8.self))")
        }
    case .socks5, .socks5h:
        try connection.write([5, 1, 0])
        guard try connection.read(upTo: 2) == [5, 0] else { throw TestKitError("SOCKS: no method") }
        let address = TestNetwork.address.split(separator: ".").map { UInt8($0) ?? 0 }
        try connection.write([5, 1, 0, 1] + address + [UInt8(port >> 8), UInt8(port & 0xff)])
        var reply: [UInt8] = []
        while reply.count < 10 {
            let more = try connection.read(upTo: 10 - reply.count)
            guard !more.isEmpty else { throw TestKitError("SOCKS: no reply") }
            reply += more
        }
        guard reply[1] == 0 else { throw TestKitError("SOCKS: reply \(reply[1])") }
    case .direct:
        throw TestKitError("a tunnel needs a proxy")
    }
    return connection
}

extension Array where Element == UInt8 {
    func ends(with tail: [UInt8]) -> Bool { suffix(tail.count).elementsEqual(tail) }
}
