// SPDX-License-Identifier: Apache-2.0

// The endpoint types of Apple's Network framework, as far as a transparent proxy names them.

public import Foundation

#if canImport(Glibc)
import Glibc
#endif

/// An interface as `Network.NWInterface` gives it.
public struct NWInterface: Hashable, Sendable {
    public enum InterfaceType: Hashable, Sendable { case other, wifi, cellular, wiredEthernet, loopback }

    public let name: String
    public let type: InterfaceType
    public let index: Int

    public init(name: String, type: InterfaceType, index: Int) {
        self.name = name
        self.type = type
        self.index = index
    }
}

/// An address of either family, as `Network.IPAddress`.
public protocol IPAddress: Sendable, Hashable {
    /// 4 or 16 bytes in network order.
    var rawValue: Data { get }
    var interface: NWInterface? { get }
    init?(_ rawValue: Data, _ interface: NWInterface?)
    init?(_ string: String)
}

/// As `Network.IPv4Address`.
public struct IPv4Address: IPAddress, CustomDebugStringConvertible {
    public let rawValue: Data
    public let interface: NWInterface?

    public init?(_ rawValue: Data, _ interface: NWInterface? = nil) {
        guard rawValue.count == 4 else { return nil }
        self.rawValue = Data(rawValue)
        self.interface = interface
    }

    public init?(_ string: String) {
        var address = in_addr()
        guard inet_pton(AF_INET, string, &address) == 1 else { return nil }
        rawValue = withUnsafeBytes(of: &address) { Data($0) }
        interface = nil
    }

    public var debugDescription: String { rawValue.map { String($0) }.joined(separator: ".") }
}

/// As `Network.IPv6Address`: a link-local one carries its interface, `fe80::1%en0`.
public struct IPv6Address: IPAddress, CustomDebugStringConvertible {
    public let rawValue: Data
    public let interface: NWInterface?

    public init?(_ rawValue: Data, _ interface: NWInterface? = nil) {
        guard rawValue.count == 16 else { return nil }
        self.rawValue = Data(rawValue)
        self.interface = interface
    }

    public init?(_ string: String) {
        let parts = string.split(separator: "%", maxSplits: 1)
        var address = in6_addr()
        guard let text = parts.first, inet_pton(AF_INET6, String(text), &address) == 1 else { return nil }
        rawValue = withUnsafeBytes(of: &address) { Data($0) }
        interface = parts.count == 2 ? NWInterface(name: String(parts[1]), type: .other, index: 0) : nil
    }

    public var debugDescription: String {
        var bytes = [UInt8](rawValue)
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, &bytes, &text, socklen_t(text.count)) != nil else { return "::" }
        let end = text.firstIndex(of: 0) ?? text.endIndex
        let plain = String(decoding: text[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return interface.map { "\(plain)%\($0.name)" } ?? plain
    }
}

/// One end of a connection, as `Network.NWEndpoint`.
public enum NWEndpoint: Hashable, Sendable {
    public enum Host: Hashable, Sendable, ExpressibleByStringLiteral, CustomDebugStringConvertible {
        case name(String, NWInterface?)
        case ipv4(IPv4Address)
        case ipv6(IPv6Address)

        /// An address when the text is one, otherwise a name.
        public init(_ string: String) {
            if let address = IPv4Address(string) {
                self = .ipv4(address)
            } else if let address = IPv6Address(string) {
                self = .ipv6(address)
            } else {
                self = .name(string, nil)
            }
        }

        public init(stringLiteral value: String) { self.init(value) }

        public var debugDescription: String {
            switch self {
            case .name(let name, _): name
            case .ipv4(let address): address.debugDescription
            case .ipv6(let address): address.debugDescription
            }
        }
    }

    public struct Port: Hashable, Sendable, RawRepresentable, ExpressibleByIntegerLiteral {
        public let rawValue: UInt16
        public init?(rawValue: UInt16) { self.rawValue = rawValue }
        public init(integerLiteral value: UInt16) { rawValue = value }
        public static let any: Port = 0
    }

    case hostPort(host: Host, port: Port)
    case service(name: String, type: String, domain: String, interface: NWInterface?)
    case unix(path: String)
    case url(URL)
}

/// Parameters of a connection, as `Network.NWParameters`, as far as attribution and proxies go.
// A provider makes one for each connection and hands it over; a test may look at it at the same time, so that what
// changes is behind `lock`.
public final class NWParameters: @unchecked Sendable {
    private let lock = NSLock()
    private var state: (preferNoProxies: Bool, sourceToken: Data?) = (false, nil)

    public init() {}

    public var preferNoProxies: Bool {
        get { lock.withLock { state.preferNoProxies } }
        set { lock.withLock { state.preferNoProxies = newValue } }
    }

    /// The application in whose name the connection is made; what `setMetadata(on:)` leaves there, seen by tests only.
    public var simulatedSourceToken: Data? {
        get { lock.withLock { state.sourceToken } }
        set { lock.withLock { state.sourceToken = newValue } }
    }
}
