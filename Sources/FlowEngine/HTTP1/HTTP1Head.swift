// SPDX-License-Identifier: Apache-2.0

// The head of a message: its raw bytes, and the parsed view of them.

import NIOCore

/// The versions that Weir carries as HTTP/1.
enum HTTP1Version: Sendable, Hashable {
    case http10, http11
}

/// The head of a request or a response.
///
/// `raw` is the head; all else are places in it. A head that is not edited is sent by writing `raw`.
struct HTTP1Head: HTTP1FieldLines, Sendable {
    enum Kind: Sendable, Hashable {
        /// Methods are case-sensitive.
        case request(method: String, target: Range<Int>, version: HTTP1Version)
        case response(status: Int, reason: Range<Int>, version: HTTP1Version)
    }

    let kind: Kind
    /// Exactly the bytes of the head: an empty line before it if there was one, and the empty line that ends it.
    let raw: ByteBuffer
    let fields: [HTTP1Field]

    var side: HTTP1Side {
        switch kind {
        case .request: return .request
        case .response: return .response
        }
    }

    var version: HTTP1Version {
        switch kind {
        case .request(_, _, let version), .response(_, _, let version): return version
        }
    }

    /// The method of a request; empty for a response.
    var method: String {
        if case .request(let method, _, _) = kind { return method }
        return ""
    }

    /// The status of a response; 0 for a request.
    var status: Int {
        if case .response(let status, _, _) = kind { return status }
        return 0
    }
}

extension HTTP1Head {
    /// Whether the sender is willing to go on after this message (RFC 9112 section 9.3).
    ///
    /// A connection goes on when request and response both say so and the response is not `untilClose`.
    var keepsAlive: Bool {
        if contains(token: "close", in: "connection") { return false }
        return version == .http11 || contains(token: "keep-alive", in: "connection")
    }

    /// Whether the client waits for 100 (Continue) before it sends the body.
    ///
    /// Anything else in `Expect` is refused: servers that stumble over it answer out of step.
    func expectsContinue() throws(HTTP1Refusal) -> Bool {
        // HTTP/1.0 has no Expect, and a server must ignore it there (RFC 9110 section 10.1.1).
        guard side == .request, version == .http11, let expect = first(of: "expect") else { return false }
        guard count(of: "expect") == 1, value(of: expect, equals: "100-continue") else {
            throw HTTP1Refusal(.badExpect, .request, at: expect.lineRange.lowerBound)
        }
        return true
    }

    /// The protocols an `Upgrade` field offers or takes, in lower case; empty unless `Connection` names it too.
    var upgradeProtocols: [String] {
        // RFC 9110 section 7.8: in HTTP/1.0 the field must be ignored.
        guard version == .http11, contains(token: "upgrade", in: "connection") else { return [] }
        return values(of: "upgrade").flatMap { field in
            text(field.valueRange).lowercased().split(separator: ",").compactMap { member in
                let name = member.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
                return name.isEmpty ? nil : String(name)
            }
        }
    }

    /// Whether the bytes after this response belong to another protocol: 101, or success of CONNECT.
    func leavesHTTP(answering method: String) -> Bool {
        status == 101 || method == "CONNECT" && (200...299).contains(status)
    }
}
