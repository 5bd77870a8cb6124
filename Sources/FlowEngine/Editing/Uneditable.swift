// SPDX-License-Identifier: Apache-2.0

// Which messages must never be altered: their bytes are covered by a hash or a signature that we cannot recompute.

import FlowModel
import NIOCore

/// Recognises messages that an edit would break (law 11).
enum Uneditable {
    /// Fields that carry a digest or a signature of the body, in lower case.
    private static let covering = [
        "content-digest", "repr-digest", "digest", "content-md5", "x-goog-hash", "x-amz-content-sha256",
        "upload-checksum", "signature", "signature-input", "x-hub-signature", "x-hub-signature-256",
        "stripe-signature", "x-signature", "x-ms-content-crc64", "x-ms-blob-content-md5", "x-oss-hash-crc64ecma",
    ]
    private static let coveringPrefixes = ["x-amz-checksum-", "x-amz-trailer", "x-bz-content-sha1"]

    /// Why the message must stay as it is; nil when it may be edited.
    static func reason(for head: HTTP1Head) -> Reason? {
        for name in covering {
            guard let value = head.text(of: name) else { continue }
            // An unsigned payload is covered by TLS alone.
            if name == "x-amz-content-sha256", value == "UNSIGNED-PAYLOAD" { continue }
            return Reason("uneditable", "the body is covered by \(name)")
        }
        for field in head.fields where head.raw.readableBytesUInt8Span[field.nameRange.lowerBound] | 0x20 == 0x78 {
            // Names that begin with x.
            let name = head.text(field.nameRange).lowercased()
            if coveringPrefixes.contains(where: { name.hasPrefix($0) }) {
                return Reason("uneditable", "the body is covered by \(name)")
            }
        }
        if let type = head.text(of: "content-type"), type.hasPrefix("application/x-git-") {
            return Reason("uneditable", "a git pack is covered by its own checksum")
        }
        if let authorization = head.text(of: "authorization"), authorization.hasPrefix("AWS4-") {
            return Reason("uneditable", "the request is signed (\(authorization.prefix { $0 != " " }))")
        }
        return nil
    }
}
