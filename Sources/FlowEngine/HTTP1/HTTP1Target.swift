// SPDX-License-Identifier: Apache-2.0

// Where a request goes: the four forms of a target, and the Host field (RFC 9112 section 3.2).

import FlowModel
import NIOCore

/// The form of a request target (RFC 9112 section 3.2).
enum HTTP1Target: Sendable, Hashable {
    /// `/path?query`.
    case origin
    /// `http://host/path?query`, as clients send to a proxy.
    case absolute(HTTP1AbsoluteTarget)
    /// `host:port`, of CONNECT only.
    case authority(Endpoint)
    /// `*`, of OPTIONS only.
    case asterisk

    /// Reads the target of a request; a response has none and is refused.
    init(_ head: HTTP1Head) throws(HTTP1Refusal) {
        let refusal = HTTP1Refusal(.badTarget, .request)
        guard case .request(let method, let range, _) = head.kind else { throw refusal }
        let bytes = head.raw.readableBytesUInt8Span
        if method == "CONNECT" {
            guard let endpoint = Endpoint(http1Authority: String(decoding: bytes, in: range), defaultPort: nil) else {
                throw refusal
            }
            self = .authority(endpoint)
        } else if bytes[range.lowerBound] == UInt8(ascii: "/") {
            self = .origin
        } else if bytes.equals("*", in: range) {
            guard method == "OPTIONS" else { throw refusal }
            self = .asterisk
        } else {
            self = .absolute(try HTTP1AbsoluteTarget(range, of: bytes))
        }
    }
}

/// A target in absolute form.
struct HTTP1AbsoluteTarget: Sendable, Hashable {
    enum Scheme: String, Sendable { case http, https }

    let scheme: Scheme
    let endpoint: Endpoint
    /// The host and port as the client wrote them.
    let authorityRange: Range<Int>
    /// The path and query as the client wrote them; they may be empty or start with `?`.
    let pathRange: Range<Int>

    fileprivate init(_ range: Range<Int>, of bytes: Span<UInt8>) throws(HTTP1Refusal) {
        var start = range.lowerBound
        while start < range.upperBound, bytes[start] != HTTP1Byte.colon { start += 1 }
        let schemeRange = range.lowerBound..<start
        guard range.upperBound - start > 3, bytes.equals("://", in: start..<start + 3) else {
            throw HTTP1Refusal(.badTarget, .request)
        }
        if bytes.equals("http", in: schemeRange) {
            scheme = .http
        } else if bytes.equals("https", in: schemeRange) {
            scheme = .https
        } else {
            throw HTTP1Refusal(.unsupportedScheme, .request)
        }
        start += 3
        var end = start
        while end < range.upperBound, bytes[end] != UInt8(ascii: "/"), bytes[end] != UInt8(ascii: "?") {
            // `http://good.example@evil.example/` reads as either host (RFC 9110 section 4.2.4).
            if bytes[end] == UInt8(ascii: "@") { throw HTTP1Refusal(.userinfo, .request) }
            end += 1
        }
        authorityRange = start..<end
        pathRange = end..<range.upperBound
        let text = String(decoding: bytes, in: authorityRange)
        guard let endpoint = Endpoint(http1Authority: text, defaultPort: scheme == .http ? 80 : 443) else {
            throw HTTP1Refusal(.badHost, .request)
        }
        self.endpoint = endpoint
    }
}

/// Where a request says it goes, from its target and its Host field.
///
/// A target in absolute form wins over Host, as RFC 9112 section 3.2.2 asks of proxies and servers alike. When the two
/// disagree, `hostDisagrees` is set, and the request must not be sent on before
/// `HTTP1HeadEditor.rewriteToOriginForm` has made Host say the same: a reader behind us may trust either.
struct HTTP1Destination: Sendable {
    let target: HTTP1Target
    /// Nil when the request names no host: HTTP/1.0 without Host, or an empty Host.
    let endpoint: Endpoint?
    let hostDisagrees: Bool

    /// Reads target and Host; a Host without port means `defaultPort`, or the scheme's in absolute form.
    init(_ head: HTTP1Head, defaultPort: UInt16) throws(HTTP1Refusal) {
        target = try HTTP1Target(head)
        switch target {
        case .origin, .asterisk:
            endpoint = try HTTP1Destination.host(of: head, defaultPort: defaultPort)
            hostDisagrees = false
        case .absolute(let absolute):
            let port: UInt16 = absolute.scheme == .http ? 80 : 443
            endpoint = absolute.endpoint
            hostDisagrees = try HTTP1Destination.host(of: head, defaultPort: port) != absolute.endpoint
        case .authority(let tunnel):
            endpoint = tunnel
            // Clients name the tunnel's host with or without its port.
            let host = try HTTP1Destination.host(of: head, defaultPort: tunnel.port)
            hostDisagrees = host != nil && host != tunnel
        }
    }

    /// The Host field: exactly one in HTTP/1.1, at most one in HTTP/1.0.
    private static func host(of head: HTTP1Head, defaultPort: UInt16) throws(HTTP1Refusal) -> Endpoint? {
        guard let field = head.first(of: "host") else {
            guard head.version == .http10 else { throw HTTP1Refusal(.noHost, .request) }
            return nil
        }
        guard head.count(of: "host") == 1 else {
            throw HTTP1Refusal(.hostTwice, .request, at: field.lineRange.lowerBound)
        }
        if field.valueRange.isEmpty { return nil }
        guard let endpoint = Endpoint(http1Authority: head.text(field.valueRange), defaultPort: defaultPort) else {
            throw HTTP1Refusal(.badHost, .request, at: field.lineRange.lowerBound)
        }
        return endpoint
    }
}

extension Endpoint {
    /// Reads `uri-host [ ":" port ]` (RFC 3986 section 3.2), where only an IPv6 address stands in brackets, and always.
    ///
    /// Stricter and faster than `Endpoint(_:defaultPort:)`, which is for people.
    fileprivate init?(http1Authority text: String, defaultPort: UInt16?) {
        let bytes = text.utf8
        let hostEnd: String.Index
        let host: Host
        if bytes.first == UInt8(ascii: "[") {
            guard let bracket = bytes.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            let inside = text[bytes.index(after: bytes.startIndex)..<bracket]
            guard inside.utf8.contains(HTTP1Byte.colon), !inside.utf8.contains(UInt8(ascii: "%")),
                let address = IPAddress(inside)
            else { return nil }
            host = .address(address)
            hostEnd = bytes.index(after: bracket)
        } else {
            hostEnd = bytes.firstIndex(of: HTTP1Byte.colon) ?? bytes.endIndex
            let name = text[..<hostEnd]
            // No name ends in a digit label, so only what ends in a digit can be an address.
            if name.utf8.last?.isHTTP1Digit == true, let address = IPAddress(name) {
                host = .address(address)
            } else if let name = HostName(name) {
                host = .name(name)
            } else {
                return nil
            }
        }
        if hostEnd == bytes.endIndex {
            guard let port = defaultPort else { return nil }
            self.init(host: host, port: port)
        } else {
            let digits = text[bytes.index(after: hostEnd)...]
            guard bytes[hostEnd] == HTTP1Byte.colon, digits.utf8.allSatisfy(\.isHTTP1Digit),
                let port = UInt16(digits), port > 0
            else { return nil }
            self.init(host: host, port: port)
        }
    }
}
