// SPDX-License-Identifier: Apache-2.0

// What a client says in its first TLS message.

public import FlowModel

/// The parts of a ClientHello that decide what to do with its connection (RFC 8446 section 4.1.2).
public struct ClientHello: Hashable, Sendable {
    /// What the server name extension holds.
    public enum ServerName: Hashable, Sendable {
        case absent
        case name(HostName)
        /// There is a name, but not a host name: an address, or bytes that no DNS name has.
        case unreadable
    }

    public internal(set) var serverName = ServerName.absent
    /// The protocols in the client's order; nil when it has no such extension.
    ///
    /// Names that are not printable ASCII (GREASE) are left out.
    public internal(set) var alpn: [String]?
    /// The versions offered, `0x0303` for TLS 1.2 and `0x0304` for TLS 1.3, without GREASE.
    public internal(set) var versions: [UInt16] = []
    /// Whether there is an Encrypted ClientHello extension, real or GREASE: from outside they look the same.
    public internal(set) var hasEncryptedClientHello = false
    /// Whether the client resumes a session or uses an external key.
    public internal(set) var hasPreSharedKey = false
    /// Whether application data may follow before the server has answered.
    public internal(set) var hasEarlyData = false

    /// The host name, when there is one.
    public var hostName: HostName? {
        if case .name(let name) = serverName { return name }
        return nil
    }

    /// Whether the client can speak TLS 1.2 or 1.3.
    public var offersModernVersion: Bool { versions.contains(0x0303) || versions.contains(0x0304) }
}

/// What is wrong with a ClientHello.
public enum ClientHelloFault: String, Error, Sendable, CaseIterable {
    case tooLong = "client-hello-too-long"
    case record = "client-hello-record"
    case excess = "client-hello-excess"
    case structure = "client-hello-structure"
    case duplicateExtension = "client-hello-duplicate-extension"

    public var reason: Reason {
        switch self {
        case .tooLong: Reason(rawValue, "the ClientHello is longer than \(TLSLimits.clientHello.value) bytes")
        case .record: Reason(rawValue, "a TLS record of another kind stands inside the ClientHello")
        case .excess: Reason(rawValue, "the record that ends the ClientHello holds more than its end")
        case .structure: Reason(rawValue, "a field of the ClientHello does not fit into its message")
        case .duplicateExtension: Reason(rawValue, "the ClientHello holds an extension twice")
        }
    }
}

extension ClientHello {
    private enum ExtensionType {
        static let serverName: UInt16 = 0
        static let alpn: UInt16 = 16
        static let preSharedKey: UInt16 = 41
        static let earlyData: UInt16 = 42
        static let supportedVersions: UInt16 = 43
        static let encryptedClientHello: UInt16 = 0xfe0d
    }

    /// Reads the body of a ClientHello message: the bytes after its four-byte handshake header.
    init(body: ArraySlice<UInt8>) throws(ClientHelloFault) {
        var reader = FieldReader(body)
        let legacyVersion = try reader.uint16()
        _ = try reader.bytes(32)
        guard try reader.vector8().count <= 32 else { throw .structure }
        let suites = try reader.vector16()
        guard suites.count >= 2, suites.count.isMultiple(of: 2) else { throw .structure }
        guard try !reader.vector8().isEmpty else { throw .structure }
        if !reader.isAtEnd {
            var extensions = FieldReader(try reader.vector16())
            guard reader.isAtEnd else { throw .structure }
            var seen: Set<UInt16> = []
            while !extensions.isAtEnd {
                let type = try extensions.uint16()
                guard seen.insert(type).inserted else { throw .duplicateExtension }
                try take(extension: type, FieldReader(try extensions.vector16()))
            }
        }
        if versions.isEmpty { versions = [legacyVersion] }
    }

    private mutating func take(extension type: UInt16, _ content: FieldReader) throws(ClientHelloFault) {
        var content = content
        switch type {
        case ExtensionType.serverName:
            serverName = try Self.serverName(&content)
        case ExtensionType.alpn:
            var list = FieldReader(try content.vector16())
            var names: [String] = []
            guard content.isAtEnd, !list.isAtEnd else { throw .structure }
            while !list.isAtEnd {
                let name = try list.vector8()
                guard !name.isEmpty else { throw .structure }
                guard name.allSatisfy({ (0x21...0x7e).contains($0) }) else { continue }
                names.append(String(decoding: name, as: UTF8.self))
            }
            alpn = names
        case ExtensionType.supportedVersions:
            var list = FieldReader(try content.vector8())
            guard content.isAtEnd, !list.isAtEnd else { throw .structure }
            while !list.isAtEnd {
                let version = try list.uint16()
                if version & 0x0f0f != 0x0a0a { versions.append(version) }
            }
        case ExtensionType.encryptedClientHello: hasEncryptedClientHello = true
        case ExtensionType.preSharedKey: hasPreSharedKey = true
        case ExtensionType.earlyData: hasEarlyData = true
        default: break
        }
    }

    /// RFC 6066 section 3: one list, at most one entry of each kind, and only the kind `host_name` exists.
    private static func serverName(_ content: inout FieldReader) throws(ClientHelloFault) -> ServerName {
        var list = FieldReader(try content.vector16())
        guard content.isAtEnd, try list.uint8() == 0 else { throw .structure }
        let name = try list.vector16()
        guard list.isAtEnd, !name.isEmpty else { throw .structure }
        // `HostName` refuses every byte outside ASCII, also the replacement character that decoding may put in.
        return HostName(String(decoding: name, as: UTF8.self)).map { .name($0) } ?? .unreadable
    }
}

/// Takes fields off the front of a message; what does not fit is a fault, never a trap.
private struct FieldReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func bytes(_ count: Int) throws(ClientHelloFault) -> ArraySlice<UInt8> {
        guard rest.count >= count else { throw .structure }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func uint8() throws(ClientHelloFault) -> UInt8 {
        guard let byte = rest.popFirst() else { throw .structure }
        return byte
    }

    mutating func uint16() throws(ClientHelloFault) -> UInt16 {
        let high = try uint8()
        return UInt16(high) << 8 | UInt16(try uint8())
    }

    /// Bytes behind a one-byte length.
    mutating func vector8() throws(ClientHelloFault) -> ArraySlice<UInt8> { try bytes(Int(try uint8())) }

    /// Bytes behind a two-byte length.
    mutating func vector16() throws(ClientHelloFault) -> ArraySlice<UInt8> { try bytes(Int(try uint16())) }
}
