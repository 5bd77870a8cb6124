// SPDX-License-Identifier: Apache-2.0

// Messages for the HTTP/1.1 tests: from text, from files, and in pieces.

import Foundation
import NIOCore

@testable import FlowEngine

/// The head that `text` is; nil when it is refused or not whole.
func http1Head(_ text: String, _ side: HTTP1Side = .request) -> HTTP1Head? {
    var reader = HTTP1HeadReader(side)
    var buffer = ByteBuffer(string: text)
    if case .head(let head) = reader.feed(&buffer) { return head }
    return nil
}

/// A request head with these fields behind the Host field.
func http1Request(_ method: String = "GET", _ fields: String..., version: String = "HTTP/1.1") -> HTTP1Head? {
    http1Head("\(method) / \(version)\r\nHost: a\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n")
}

/// A response head with these fields.
func http1Response(_ status: Int, _ fields: String..., version: String = "HTTP/1.1") -> HTTP1Head? {
    http1Head("\(version) \(status) X\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n", .response)
}

/// A request with a chunked body.
func http1Chunked(_ body: String) -> [UInt8] {
    Array("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(body)".utf8)
}

/// The messages in `Tests/Vectors/http1`.
struct HTTP1Vector: CustomStringConvertible {
    let description: String
    let side: HTTP1Side
    let bytes: [UInt8]

    /// The method of the request that a response answers, as its file name says.
    var method: String {
        description.hasPrefix("head-") ? "HEAD" : description.hasPrefix("connect-") ? "CONNECT" : "GET"
    }

    static let all: [HTTP1Vector] = [("requests", HTTP1Side.request), ("responses", .response)].flatMap {
        folder, side in
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Vectors/http1/\(folder)")
        let files = (try? FileManager.default.contentsOfDirectory(at: root, includingPropertiesForKeys: nil)) ?? []
        return files.filter { $0.pathExtension == "http" }.sorted { $0.path < $1.path }.compactMap { file in
            (try? Data(contentsOf: file)).map {
                HTTP1Vector(description: file.lastPathComponent, side: side, bytes: Array($0))
            }
        }
    }
}

/// A small generator of repeatable random numbers (SplitMix64).
struct HTTP1Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }
}

/// `bytes` in two pieces, cut at every place.
func http1EveryCut(_ bytes: [UInt8]) -> [[ArraySlice<UInt8>]] {
    (0...bytes.count).map { [bytes[..<$0], bytes[$0...]] }
}
