// SPDX-License-Identifier: Apache-2.0

// An IP address as a value, with strict reading and canonical printing.

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// An IPv4 or IPv6 address.
///
/// An IPv4-mapped IPv6 address is read as the IPv4 address it maps, as kernels do before they connect.
public enum IPAddress: Hashable, Sendable {
    /// An IPv4 address, its first octet in the highest byte.
    case v4(UInt32)
    /// An IPv6 address in two halves, most significant first; `scope` is the interface index of a link-local one, else 0.
    case v6(high: UInt64, low: UInt64, scope: UInt32)

    /// Reads an address in text form: dotted quad, or RFC 4291 text with an optional numeric `%scope`.
    ///
    /// Returns nil for anything else, host names and octal or short IPv4 forms included.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        guard let head = parts.first, !head.utf8.contains(0), head.utf8.count <= 45 else { return nil }
        if parts.count == 1 {
            var v4 = in_addr()
            if inet_pton(AF_INET, String(head), &v4) == 1 {
                self = .v4(UInt32(bigEndian: v4.s_addr))
                return
            }
        }
        var scope: UInt32 = 0
        if parts.count == 2 {
            guard let number = UInt32(parts[1]) else { return nil }
            scope = number
        }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, String(head), &v6) == 1 else { return nil }
        let bytes = withUnsafeBytes(of: v6) { Array($0) }
        self.init(v6Bytes: bytes, scope: scope)
    }

    /// Makes an address from 16 network-order bytes; returns nil for another count.
    public init?(v6Bytes bytes: [UInt8], scope: UInt32 = 0) {
        guard bytes.count == 16 else { return nil }
        let high = bytes[0..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let low = bytes[8..<16].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        if high == 0, low >> 32 == 0xffff {
            self = .v4(UInt32(truncatingIfNeeded: low))
        } else {
            self = .v6(high: high, low: low, scope: scope)
        }
    }

    /// The address in network byte order: 4 or 16 bytes.
    public var networkBytes: [UInt8] {
        switch self {
        case .v4(let value):
            return (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * $0)) }
        case .v6(let high, let low, _):
            let half = { (word: UInt64) in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) } }
            return half(high) + half(low)
        }
    }

    /// True for 127.0.0.0/8 and ::1.
    public var isLoopback: Bool {
        switch self {
        case .v4(let value): return value >> 24 == 127
        case .v6(let high, let low, _): return high == 0 && low == 1
        }
    }
}

extension IPAddress: CustomStringConvertible {
    /// The canonical text form (RFC 5952), with `%scope` where there is one.
    public var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family: Int32
        var scopeSuffix = ""
        switch self {
        case .v4: family = AF_INET
        case .v6(_, _, let scope):
            family = AF_INET6
            if scope != 0 { scopeSuffix = "%\(scope)" }
        }
        let bytes = networkBytes
        guard inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return "?" }
        let characters = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: characters, as: UTF8.self) + scopeSuffix
    }
}

/// A network prefix such as `10.0.0.0/8`.
public struct IPPrefix: Hashable, Sendable {
    /// The network address, host bits cleared.
    public let address: IPAddress
    /// Bits that must agree: 0…32 or 0…128.
    public let length: Int

    /// Reads `address/length`, or a bare address as a prefix of full length; nil when host bits are set.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(first) else { return nil }
        let width = address.networkBytes.count * 8
        guard parts.count == 1 || (Int(parts[1]).map { (0...width).contains($0) } ?? false) else { return nil }
        length = parts.count == 1 ? width : Int(parts[1]) ?? width
        self.address = address
        let bytes = address.networkBytes
        for bit in length..<width where bytes[bit / 8] & (0x80 >> UInt8(bit % 8)) != 0 { return nil }
    }

    /// Whether `other` lies inside this prefix; an address of the other family never does.
    public func contains(_ other: IPAddress) -> Bool {
        switch (address, other) {
        case (.v4(let mine), .v4(let theirs)):
            return length == 0 || (mine ^ theirs) >> UInt32(32 - length) == 0
        case (.v6(let high, let low, _), .v6(let otherHigh, let otherLow, _)):
            if length == 0 { return true }
            if length <= 64 { return (high ^ otherHigh) >> UInt64(64 - length) == 0 }
            return high == otherHigh && (low ^ otherLow) >> UInt64(128 - length) == 0
        default:
            return false
        }
    }
}

extension IPPrefix: CustomStringConvertible {
    public var description: String { "\(address)/\(length)" }
}
