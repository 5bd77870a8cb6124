// SPDX-License-Identifier: Apache-2.0

// Where a flow goes: a host, named or numbered, and a port.

/// A DNS host name in its canonical form: lower case, no trailing dot, letters, digits, hyphens and underscores.
///
/// The only door is the failable initialiser, so a `HostName` is always safe to print, compare and put on the wire.
public struct HostName: Hashable, Sendable, CustomStringConvertible {
    /// The name, for example `api.example.com`.
    public let description: String

    /// Reads a name of at most 253 bytes in labels of 1…63 (RFC 1035 section 2.3.4); nil for IP addresses and all else.
    public init?(_ text: some StringProtocol) {
        var bytes = Array(text.utf8)
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        guard !bytes.isEmpty, bytes.count <= 253 else { return nil }
        for index in bytes.indices where (0x41...0x5a).contains(bytes[index]) { bytes[index] |= 0x20 }
        let labels = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        for label in labels {
            guard (1...63).contains(label.count) else { return nil }
            for byte in label {
                switch byte {
                case 0x61...0x7a, 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "_"): continue
                default: return nil
                }
            }
        }
        // A last label of digits alone can only be an address in disguise (WHATWG URL, "ends in a number").
        if let last = labels.last, last.allSatisfy({ (0x30...0x39).contains($0) }) { return nil }
        description = String(decoding: bytes, as: UTF8.self)
    }

    /// Whether this name is `suffix` or lies below it.
    public func isWithin(_ suffix: HostName) -> Bool {
        description == suffix.description || description.hasSuffix("." + suffix.description)
    }
}

/// A host as an application names it: by name or by address.
public enum Host: Hashable, Sendable, CustomStringConvertible {
    case name(HostName)
    case address(IPAddress)

    /// Reads a name or an address; an IPv6 address may stand in brackets.
    public init?(_ text: some StringProtocol) {
        if text.hasPrefix("["), text.hasSuffix("]"), text.count > 2 {
            guard let address = IPAddress(text.dropFirst().dropLast()) else { return nil }
            self = .address(address)
        } else if let address = IPAddress(text) {
            self = .address(address)
        } else if let name = HostName(text) {
            self = .name(name)
        } else {
            return nil
        }
    }

    public var description: String {
        switch self {
        case .name(let name): return name.description
        case .address(let address): return address.description
        }
    }
}

/// A host and a port.
public struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    public var host: Host
    /// 0 means "any" in a rule and never stands in a flow.
    public var port: UInt16

    public init(host: Host, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `host:port`, `[v6]:port`, or a bare host when there is a default port.
    public init?(_ text: some StringProtocol, defaultPort: UInt16? = nil) {
        if let colon = text.lastIndex(of: ":"), text.hasSuffix("]") == false,
            text.hasPrefix("[") || text.firstIndex(of: ":") == colon
        {
            let digits = text[text.index(after: colon)...]
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits),
                let host = Host(text[..<colon])
            else { return nil }
            self.init(host: host, port: port)
        } else {
            guard let port = defaultPort, let host = Host(text) else { return nil }
            self.init(host: host, port: port)
        }
    }

    /// The address of the host when it is known by address.
    public var address: IPAddress? {
        if case .address(let address) = host { return address }
        return nil
    }

    public var description: String {
        if case .address(.v6) = host { return "[\(host)]:\(port)" }
        return "\(host):\(port)"
    }
}
