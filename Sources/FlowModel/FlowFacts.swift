// SPDX-License-Identifier: Apache-2.0

// What is known of a flow before a byte of it is read, and what is learnt of it later.

/// Names one flow in events, logs and block pages.
public struct FlowID: Hashable, Sendable, CustomStringConvertible {
    public let value: UInt64

    public init(_ value: UInt64) { self.value = value }

    /// A fresh random identifier.
    public static func random() -> FlowID { FlowID(UInt64.random(in: 1 ... .max)) }

    /// Reads what `description` prints.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count == 16, let value = UInt64(text, radix: 16) else { return nil }
        self.value = value
    }

    /// Sixteen hexadecimal digits.
    public var description: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}

/// The transport protocol of a flow.
public enum Transport: String, Sendable, Codable { case tcp, udp }

/// How a flow came to Weir.
public enum IntakeKind: String, Sendable, Codable {
    case connect, absoluteForm = "absolute-form", socks5, transparent, forward, exec
    case networkExtension = "network-extension"
}

/// The kind of network interface that a flow leaves by.
public enum InterfaceClass: String, Sendable, Codable, CaseIterable {
    case wired, wifi, cellular, loopback
    /// A tunnel: `utun`, `tun`, `wg`, IPsec.
    case vpn
    /// A radio link to a neighbour: `awdl0`, `llw0`, `nan0`.
    case peerToPeer = "peer-to-peer"
    case virtual
    case other
}

/// What kind of session the user of a flow has.
public enum SessionKind: String, Sendable, Codable, CaseIterable {
    /// At the machine itself.
    case console
    case remote
    /// No user's: services.
    case background
}

/// How far a host name of a flow can be trusted, weakest first.
public enum NameProof: String, Sendable, Codable, Comparable {
    /// A resolver said so: the address was looked up under this name.
    case resolved
    /// The application said so: SNI, `Host`, a CONNECT or SOCKS target.
    case claimed
    /// The server proved it: a certificate that we judged good covers the name.
    case proved

    private var rank: Int {
        switch self {
        case .resolved: return 0
        case .claimed: return 1
        case .proved: return 2
        }
    }
    public static func < (a: NameProof, b: NameProof) -> Bool { a.rank < b.rank }
}

/// A name of the destination and how it is known.
public struct NameEvidence: Hashable, Sendable {
    public var name: HostName
    public var proof: NameProof

    public init(_ name: HostName, _ proof: NameProof) {
        self.name = name
        self.proof = proof
    }
}

/// All that policy may know of a flow.
///
/// Facts only: no handle, no channel, no callback.
public struct FlowFacts: Sendable {
    public var id: FlowID
    public var transport: Transport
    public var intake: IntakeKind
    /// Where the application's socket is, when the intake knows.
    public var source: Endpoint?
    /// Where the application asked to go.
    public var destination: Endpoint
    /// The names of the destination, strongest proof last.
    ///
    /// Never more than one for each proof.
    public var names: [NameEvidence]
    public var identity: IdentitySummary
    /// Milliseconds since 1970-01-01 UTC.
    public var startedAt: Int64
    /// Seconds that local time is ahead of UTC, when the intake knows.
    public var utcOffset: Int32?
    public var interface: InterfaceClass?
    public var session: SessionKind?
    /// The application protocols as far as they are known, outermost first: `["tls", "http/1.1"]`.
    public var protocols: [String]

    public init(
        id: FlowID = .random(), transport: Transport = .tcp, intake: IntakeKind, source: Endpoint? = nil,
        destination: Endpoint, identity: IdentitySummary = .init(.unknown(.notAsked)), startedAt: Int64
    ) {
        self.id = id
        self.transport = transport
        self.intake = intake
        self.source = source
        self.destination = destination
        self.identity = identity
        self.startedAt = startedAt
        protocols = []
        names = []
        if case .name(let name) = destination.host { names.append(NameEvidence(name, .claimed)) }
    }

    /// Adds a name; it replaces an earlier one of the same proof.
    public mutating func learn(_ name: HostName, _ proof: NameProof) {
        names.removeAll { $0.proof == proof }
        names.append(NameEvidence(name, proof))
        names.sort { $0.proof < $1.proof }
    }

    /// The best known name, or the address in text.
    public var displayHost: String { names.last?.name.description ?? destination.host.description }
}
