// SPDX-License-Identifier: Apache-2.0

// Content-Encoding: which codings lie over a body, and whether we can take them off.

import FlowModel

/// A content coding that can be decoded and encoded (RFC 9110 section 8.4.1).
public enum ContentCoding: String, Sendable, CaseIterable {
    case gzip, deflate

    /// The codings of a body.
    public enum List: Equatable, Sendable {
        case identity
        /// In the order in which they were applied: the last is the outermost.
        case coded([ContentCoding])
        /// The first one that we cannot take off, or the one that is too many.
        case unsupported(String)
    }

    /// Reads the value of a Content-Encoding field, or several joined with commas.
    public static func parse(_ fieldValue: String) -> List {
        var codings: [ContentCoding] = []
        for item in fieldValue.split(separator: ",") {
            let name = item.filter { $0 != " " && $0 != "\t" }.lowercased()
            if name.isEmpty || name == "identity" { continue }
            guard let coding = ContentCoding(rawValue: name == "x-gzip" ? "gzip" : name),
                codings.count < ContentLimits.codings.value
            else { return .unsupported(name) }
            codings.append(coding)
        }
        return codings.isEmpty ? .identity : .coded(codings)
    }
}

/// Why content cannot be decoded or encoded.
public enum ContentCodingError: Error, Equatable, CustomStringConvertible {
    /// The data breaks the rules of its format, or a checksum is wrong; the offset is that of the coded bytes.
    case malformed(offset: UInt64)
    /// Something follows the end of the data.
    case trailingBytes(offset: UInt64)
    /// The body ended before its data did.
    case truncated(offset: UInt64)
    /// More comes out of it than of any honest body (`content.expansion-ratio`).
    case expansion(offset: UInt64)
    case outOfMemory

    public var description: String {
        switch self {
        case .malformed(let offset): return "content coding broken at byte \(offset): refuse the message"
        case .trailingBytes(let offset):
            return "bytes behind the end of coded content at byte \(offset): refuse the message"
        case .truncated(let offset): return "coded content cut off at byte \(offset): refuse the message"
        case .expansion(let offset):
            let ratio = ContentLimits.expansionRatio.value
            return "coded content expands more than \(ratio):1 at byte \(offset): refuse the message"
        case .outOfMemory: return "no memory for a content coding: refuse the message or free memory"
        }
    }
}
