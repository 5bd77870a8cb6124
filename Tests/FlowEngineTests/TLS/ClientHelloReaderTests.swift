// SPDX-License-Identifier: Apache-2.0

// ClientHellos of real programs, hostile ones, and every way to cut them.

import FlowModel
import NIOCore
import Testing

@testable import FlowEngine

@Suite struct ClientHelloReaderTests {
    /// Feeds a reader piece by piece and gives its last answer.
    private func read(_ bytes: [UInt8], cuts: [Int]) -> ClientHelloReading {
        var reader = ClientHelloReader()
        var answer = ClientHelloReading.needsMore
        var start = 0
        for end in cuts + [bytes.count] {
            answer = reader.read(Array(bytes[start..<end]).span)
            start = end
        }
        return answer
    }

    private func read(_ bytes: [UInt8]) -> ClientHelloReading { ClientHelloReader.read(ByteBuffer(bytes: bytes)) }

    private func hello(_ name: String) throws -> ClientHello {
        let reading = read(try vector(name))
        guard case .hello(let hello) = reading else { throw Unexpected(reading) }
        return hello
    }

    @Test func `OpenSSL's hello shows its name, its protocols in order and its versions`() throws {
        let hello = try hello("openssl-tls13-alpn")
        #expect(hello.hostName == HostName("www.example.com"))
        #expect(hello.alpn == ["h2", "http/1.1"])
        #expect(hello.versions == [0x0304, 0x0303, 0x0302, 0x0301])
        #expect(hello.offersModernVersion)
        #expect(!hello.hasEncryptedClientHello && !hello.hasPreSharedKey && !hello.hasEarlyData)
    }

    @Test func `A hello without name, protocols and versions shows their absence`() throws {
        let hello = try hello("openssl-tls12-no-sni")
        #expect(hello.serverName == .absent)
        #expect(hello.alpn == nil)
        #expect(hello.versions == [0x0303])
    }

    @Test func `A hello of TLS 1.1 offers no modern version`() throws {
        let hello = try hello("openssl-tls11")
        #expect(hello.hostName == HostName("old.example.com"))
        #expect(!hello.offersModernVersion)
    }

    @Test func `An address in the server name is present but no host name`() throws {
        #expect(try hello("openssl-address-name").serverName == .unreadable)
    }

    @Test func `curl's protocols follow its options`() throws {
        #expect(try hello("curl-h2").alpn == ["h2", "http/1.1"])
        #expect(try hello("curl-http1").alpn == ["http/1.1"])
        #expect(try hello("curl-http1").hostName == HostName("api.example.com"))
    }

    @Test func `GREASE is left out, ECH, early data and a pre-shared key are seen`() throws {
        var message = HelloBuilder()
        message.extensions = [
            (0x4a4a, []), (43, [6, 0x8a, 0x8a, 3, 4, 3, 3]), (16, [0, 6, 2, 0xfa, 0xfa, 2] + Array("h2".utf8)),
            (0xfe0d, [0]), (42, []), (41, [0]),
        ]
        guard case .hello(let hello) = read(message.record) else { throw Unexpected(read(message.record)) }
        #expect(hello.versions == [0x0304, 0x0303])
        #expect(hello.alpn == ["h2"])
        #expect(hello.hasEncryptedClientHello && hello.hasEarlyData && hello.hasPreSharedKey)
    }

    @Test(arguments: vectorNames) func `Every cut in two gives the same answer`(_ name: String) throws {
        let bytes = try vector(name)
        let whole = read(bytes)
        for cut in 0...bytes.count { #expect(read(bytes, cuts: [cut]) == whole) }
    }

    @Test(arguments: vectorNames) func `Bytes that come one at a time, or three, give the same answer`(_ name: String)
        throws
    {
        let bytes = try vector(name)
        for step in [1, 3] {
            #expect(read(bytes, cuts: Array(stride(from: 0, to: bytes.count, by: step))) == read(bytes))
        }
    }

    @Test(arguments: vectorNames) func `A hello cut off anywhere needs more`(_ name: String) throws {
        let bytes = try vector(name)
        for end in 0..<bytes.count { #expect(read(Array(bytes[..<end])) == .needsMore) }
    }

    @Test(arguments: [1, 5, 100]) func `A hello over many records is put together`(_ size: Int) throws {
        let bytes = try vector("openssl-tls12-no-sni")
        let split = HelloBuilder.records(of: Array(bytes[5...]), size: size)
        #expect(read(split) == read(bytes))
        for cut in 0...split.count { #expect(read(split, cuts: [cut]) == read(bytes)) }
    }

    @Test func `Bytes after the hello's record do not change the answer`() throws {
        let bytes = try vector("curl-h2")
        #expect(read(bytes + [0x17, 3, 3, 0, 5, 1, 2, 3, 4, 5]) == read(bytes))
    }

    @Test func `The first byte that cannot be TLS settles it`() {
        for first in UInt8.min ... .max where first != 22 { #expect(read([first]) == .notTLS) }
        #expect(read([22]) == .needsMore)
        #expect(read([22, 4]) == .notTLS)
        #expect(read([22, 3, 5]) == .notTLS)
        #expect(read([22, 3, 1, 0x41]) == .notTLS)
        #expect(read([22, 3, 1, 0, 0]) == .notTLS)
        #expect(read([22, 3, 1, 0x40, 1]) == .notTLS)
        #expect(read([22, 3, 1, 0, 10, 2]) == .notTLS)
        #expect(read([22, 3, 1, 0, 10, 1]) == .needsMore)
        #expect(read(Array("GET / HTTP/1.1\r\n".utf8)) == .notTLS)
        #expect(read(Array("SSH-2.0-".utf8)) == .notTLS)
    }

    @Test func `A message longer than the limit is malformed before it has come`() {
        #expect(read([22, 3, 1, 0x40, 0, 1, 0, 0x40, 1]) == .malformed(.tooLong))
        #expect(read([22, 3, 1, 0x40, 0, 1, 0, 0x40, 0]) == .needsMore)
    }

    @Test func `Records of a byte each reach the limit, however they are cut`() {
        let records = HelloBuilder.records(of: [1, 0, 0x40, 0] + [UInt8](repeating: 0, count: 4_000), size: 1)
        #expect(read(records) == .malformed(.tooLong))
        #expect(read(records, cuts: Array(stride(from: 0, to: records.count, by: 7))) == .malformed(.tooLong))
    }

    @Test func `Another record kind, an empty record and a coalesced message are malformed`() throws {
        let start: [UInt8] = [22, 3, 1, 0, 4, 1, 0, 0, 50]
        #expect(read(start + [21, 3, 1, 0, 2, 2, 0]) == .malformed(.record))
        #expect(read(start + [22, 3, 3, 0, 0]) == .malformed(.record))
        let message = HelloBuilder().message
        #expect(read(HelloBuilder.records(of: message + [1], size: 16_384)) == .malformed(.excess))
    }

    @Test func `Structural faults are malformed, each by its name`() {
        func reading(_ extensions: [(UInt16, [UInt8])]) -> ClientHelloReading {
            var builder = HelloBuilder()
            builder.extensions = extensions
            return read(builder.record)
        }
        #expect(reading([(5, []), (5, [])]) == .malformed(.duplicateExtension))
        #expect(reading([(0, [0, 4, 0, 0, 2, 0x61])]) == .malformed(.structure))
        #expect(reading([(0, [0, 3, 0, 0, 0])]) == .malformed(.structure))
        #expect(reading([(0, [0, 8, 0, 0, 1, 0x61, 0, 0, 1, 0x62])]) == .malformed(.structure))
        #expect(reading([(16, [0, 1, 0])]) == .malformed(.structure))
        #expect(reading([(16, [])]) == .malformed(.structure))
        #expect(reading([(43, [1, 3])]) == .malformed(.structure))
        var odd = HelloBuilder()
        odd.suites = [0x13]
        #expect(read(odd.record) == .malformed(.structure))
    }

    @Test func `A name that no DNS name has is unreadable, not a fault`() throws {
        for name in ["exa mple.com", "a..b", "\u{e9}.example", String(repeating: "a", count: 300)] {
            let bytes = Array(name.utf8)
            var builder = HelloBuilder()
            let entry = [0, UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes
            builder.extensions = [(0, [UInt8(entry.count >> 8), UInt8(entry.count & 255)] + entry)]
            guard case .hello(let hello) = read(builder.record) else { throw Unexpected(read(builder.record)) }
            #expect(hello.serverName == .unreadable)
        }
    }

    @Test(arguments: vectorNames) func `Changed bytes never trap, and every cut agrees about them`(_ name: String)
        throws
    {
        let original = try vector(name)
        var random = SeededRandom(seed: 20_240_501)
        for _ in 0..<2_000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
            }
            let cuts = (0..<3).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
            #expect(read(bytes, cuts: cuts) == read(bytes))
        }
    }

    @Test func `An answer stays`() {
        var reader = ClientHelloReader()
        #expect(reader.read([0x47].span) == .notTLS)
        #expect(reader.read([22, 3, 1].span) == .notTLS)
    }
}

private let vectorNames = [
    "openssl-tls13-alpn", "openssl-tls12-no-sni", "openssl-tls11", "openssl-address-name", "curl-h2", "curl-http1",
]

/// Builds a small ClientHello.
private struct HelloBuilder {
    var suites: [UInt8] = [0x13, 0x01]
    var extensions: [(UInt16, [UInt8])] = []

    var message: [UInt8] {
        let listed = extensions.flatMap { two(Int($0.0)) + two($0.1.count) + $0.1 }
        let body =
            [3, 3] + [UInt8](repeating: 7, count: 32) + [0] + two(suites.count) + suites + [1, 0] + two(listed.count)
            + listed
        return [1, 0] + two(body.count) + body
    }

    var record: [UInt8] { Self.records(of: message, size: 16_384) }

    static func records(of message: [UInt8], size: Int) -> [UInt8] {
        stride(from: 0, to: message.count, by: size).flatMap { start -> [UInt8] in
            let fragment = message[start..<min(start + size, message.count)]
            return [22, 3, 1, UInt8(fragment.count >> 8), UInt8(fragment.count & 255)] + fragment
        }
    }

    private func two(_ value: Int) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 255)] }
}
