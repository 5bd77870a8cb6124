// SPDX-License-Identifier: Apache-2.0

// The promises of the readers, on thousands of broken messages; Fuzz/ looks further and for longer.

import Testing

@testable @_spi(Fuzzing) import FlowEngine

@Suite("HTTP/1.1 promises")
struct HTTP1FuzzingTests {
    /// Good messages and the hostile ones of the other suites.
    private static let seeds: [[UInt8]] =
        HTTP1Vector.all.map(\.bytes)
        + (HTTP1HeadReaderTests.hostileRequests + HTTP1HeadReaderTests.hostileResponses)
        .map { Array($0.0.utf8) }
        + HTTP1BodyReaderTests.hostileBodies.map { http1Chunked($0.0) }.filter { $0.count < 2000 }

    /// Bits of messages that mean something to some reader.
    private static let tokens = [
        "\r\n", "\n", "\r", "\r\n\r\n", " ", "\t", "\0", ":", ",", ";", "=", "\"", "\\", "0", "5", "ffffffffffffffff",
        "HTTP/1.1", "HTTP/1.0", "GET / HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n", "Host: b\r\n", "http://b:80", "@", "#",
        "%",
        "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Connection: close\r\n", "0\r\n\r\n", "chunked",
        "\u{e9}",
    ].map { Array($0.utf8) }

    @Test("The promises hold on all seeds")
    func seeds() {
        for seed in HTTP1FuzzingTests.seeds {
            #expect(HTTP1Fuzzing.messages(seed) == nil, "\(String(decoding: seed, as: UTF8.self).debugDescription)")
        }
    }

    @Test("The promises hold on 20,000 mutated messages", arguments: 0..<8 as Range<UInt64>)
    func mutations(stream: UInt64) {
        var random = HTTP1Seeded(stream)
        for _ in 0..<2500 {
            var bytes = HTTP1FuzzingTests.seeds.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 1...4, using: &random) { mutate(&bytes, &random) }
            let breach = HTTP1Fuzzing.messages(bytes, pieceLength: Int.random(in: 1...7, using: &random))
            if let breach {
                Issue.record("\(breach): \(String(decoding: bytes, as: UTF8.self).debugDescription)")
                return
            }
        }
    }

    private func mutate(_ bytes: inout [UInt8], _ random: inout HTTP1Seeded) {
        let place = Int.random(in: 0...bytes.count, using: &random)
        let length = Int.random(in: 0...min(8, bytes.count - place), using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes.removeSubrange(place..<place + length)
        case 1:
            bytes.insert(contentsOf: bytes[place..<place + length], at: Int.random(in: 0...bytes.count, using: &random))
        case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
        case 3: if place < bytes.count { bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random) }
        default: bytes.insert(contentsOf: HTTP1FuzzingTests.tokens.randomElement(using: &random) ?? [], at: place)
        }
    }
}
