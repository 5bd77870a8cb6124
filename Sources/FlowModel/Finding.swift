// SPDX-License-Identifier: Apache-2.0

// Sensitive data that was found: its type and place, never the data.

/// The direction of bytes, seen from the application.
public enum Direction: String, Sendable, Codable {
    /// From the application to the origin.
    case outbound
    /// From the origin to the application.
    case inbound
}

/// What policy says of a finding.
public enum ContentAction: String, Sendable, Codable, CaseIterable {
    case report, redact, block
}

/// How sure a detector is.
public enum Confidence: String, Sendable, Codable, Comparable, CaseIterable {
    case low, medium, high
    /// A check digit, a checksum or an unmistakable grammar says so.
    case proved

    private var rank: Int {
        switch self {
        case .low: return 0
        case .medium: return 1
        case .high: return 2
        case .proved: return 3
        }
    }
    public static func < (a: Confidence, b: Confidence) -> Bool { a.rank < b.rank }
}

/// The part of a message in which something was found.
public enum MessagePart: Hashable, Sendable, CustomStringConvertible {
    case target
    /// A field by its lower-case name.
    case header(String)
    case body
    /// Bytes of a stream that is not divided into messages.
    case stream

    public var description: String {
        switch self {
        case .target: return "target"
        case .header(let name): return "header:\(name)"
        case .body: return "body"
        case .stream: return "stream"
        }
    }
}

/// One occurrence of sensitive data.
public struct Finding: Hashable, Sendable {
    /// The detector's id, for example `payment-card`.
    public var type: String
    public var confidence: Confidence
    /// Bytes from the start of the (decoded) part.
    public var offset: UInt64
    /// Bytes.
    public var length: Int
    /// What a person may see: all but a few characters masked, at most 40 characters.
    public var excerpt: String
    /// A keyed hash of the normalised value, 16 hexadecimal digits: equal values of one installation can be counted.
    public var digest: String
    /// What was done about it.
    public var action: ContentAction
    /// Why less was done than policy said, when that is so, for example `uneditable`.
    public var restraint: Reason?

    public init(
        type: String, confidence: Confidence, offset: UInt64, length: Int, excerpt: String, digest: String,
        action: ContentAction, restraint: Reason? = nil
    ) {
        self.type = type
        self.confidence = confidence
        self.offset = offset
        self.length = length
        self.excerpt = excerpt
        self.digest = digest
        self.action = action
        self.restraint = restraint
    }
}
