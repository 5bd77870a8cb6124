// SPDX-License-Identifier: Apache-2.0

// Flows of a simulated Mac, carried by the whole engine to a real server.

import FlowEngine
import Foundation
import NetworkSimulation
import Testing

@testable import NetworkExtension

@Suite(.timeLimit(.minutes(2))) struct CarriedFlowTests {
    private static let relay = "version: 1\nmode: enforce\nrules:\n  - {name: pass, then: relay}\n"

    private func errno(_ body: () async throws -> Void) async -> Int32? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? SocketError)?.errno
        }
    }

    @Test(arguments: Array(Knobs.pairwise().enumerated()).map(\.offset))
    func `Relayed bytes and both half-closes come through, whatever the kernel is like`(_ row: Int) async throws {
        let mac = try await CarriedMac(Knobs.pairwise()[row], policy: Self.relay, origin: .echo)
        let bytes = CarriedBytes.data(1_000_000)
        let socket = try await mac.connect()
        async let answer = socket.receiveAll()
        try await socket.send(bytes)
        socket.shutdownWrite()
        let isWhole = try await answer == bytes
        #expect(isWhole)
        #expect(socket.way == .claimed(by: "weir"))
        #expect(await mac.origin.firstEnd() == "end")
        socket.close()
        #expect(try await mac.flowsLeft() == 0)
        try await mac.end()
    }

    @Test func `An origin that refuses is a refused connect of the application`() async throws {
        let mac = try await CarriedMac(policy: Self.relay, origin: nil)
        #expect(await errno { _ = try await mac.connect() } == ECONNREFUSED)
        #expect(try await mac.flowsLeft() == 0)
        try await mac.end()
    }

    @Test func `Far more bytes than all buffers hold come through in order`() async throws {
        let count = 8_000_000
        let mac = try await CarriedMac(policy: Self.relay, origin: .pour(count))
        let socket = try await mac.connect()
        let isWhole = try await socket.receiveAll() == CarriedBytes.data(count)
        #expect(isWhole)
        socket.close()
        #expect(try await mac.flowsLeft() == 0)
        try await mac.end()
    }

    @Test func `A reset of the origin is a reset of the application`() async throws {
        let mac = try await CarriedMac(policy: Self.relay, origin: .reset)
        let socket = try await mac.connect()
        try await socket.send(Data("x".utf8))
        #expect(await errno { _ = try await socket.receiveAll() } == ECONNRESET)
        #expect(try await mac.flowsLeft() == 0)
        try await mac.end()
    }

    @Test func `A reset of the application is a reset of the origin`() async throws {
        let mac = try await CarriedMac(policy: Self.relay, origin: .echo)
        let socket = try await mac.connect()
        try await socket.send(Data("x".utf8))
        #expect(try await socket.receive(1) == Data("x".utf8))
        socket.reset()
        #expect(await mac.origin.firstEnd() == "error")
        #expect(try await mac.flowsLeft() == 0)
        try await mac.end()
    }

    @Test func `A card number in a request is masked on its way, and the answer comes back`() async throws {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        let mac = try await CarriedMac(policy: "redact", origin: .http(answer))
        let socket = try await mac.connect()
        let body = #"{"card":"4111 1111 1111 1111"}"#
        let head = "POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/json\r\n"
        try await socket.send(Data("\(head)Content-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8))
        #expect(String(decoding: try await socket.receive(exactly: answer.utf8.count), as: UTF8.self) == answer)
        let sent = String(decoding: mac.origin.received, as: UTF8.self)
        #expect(sent.hasSuffix(#"{"card":"XXXX XXXX XXXX 1111"}"#))
        socket.close()
        #expect(try await mac.flowsLeft() == 0)
        try await mac.end()
    }

    @Test func `When the engine ends all flows, their applications see resets`() async throws {
        let mac = try await CarriedMac(policy: Self.relay, origin: .echo)
        let socket = try await mac.connect()
        try await socket.send(Data("x".utf8))
        #expect(try await socket.receive(1) == Data("x".utf8))
        mac.engine.abortAll()
        #expect(await errno { _ = try await socket.receiveAll() } == ECONNRESET)
        #expect(try await mac.flowsLeft() == 0)
        try await mac.end()
    }

    @Test func `Many flows at a time are carried apart from each other, and nothing of them stays`() async throws {
        let mac = try await CarriedMac(policy: Self.relay, origin: .echo)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<64 {
                group.addTask {
                    let bytes = CarriedBytes.data(10_000 + number * 997)
                    let socket = try await mac.connect()
                    async let answer = socket.receiveAll()
                    try await socket.send(bytes)
                    socket.shutdownWrite()
                    defer { socket.close() }
                    return try await answer == bytes
                }
            }
            for try await isWhole in group { #expect(isWhole) }
        }
        #expect(try await mac.flowsLeft() == 0)
        try await mac.end()
    }
}

extension SimulatedSocket {
    fileprivate func receive(exactly count: Int) async throws -> Data {
        var all = Data()
        while all.count < count {
            let part = try await receive(count - all.count)
            if part.isEmpty { break }
            all.append(part)
        }
        return all
    }
}
