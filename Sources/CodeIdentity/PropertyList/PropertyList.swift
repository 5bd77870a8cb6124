// SPDX-License-Identifier: Apache-2.0

// Reads a property list, or refuses it: what two readers could understand differently is not read at all.

import FlowModel

/// A strict reader of property lists.
///
/// Two readers that understand one list differently are an attack (the entitlements of "psychic paper", 2020), so
/// whatever leaves room is refused: duplicate keys, unusual comments, unknown elements, stray text. Time and memory
/// are bounded by the length of the input and the limits `plist.*`.
public enum PropertyList {
    /// Reads a list in XML or in the binary form.
    ///
    /// The form is told by the first bytes. The old text form (`{ key = value; }`) is not read.
    /// Throws `plist-…` with the offset in `bytes`, or `limit`.
    public static func read(_ bytes: [UInt8]) throws(CodeProblem) -> PropertyListValue {
        guard bytes.starts(with: "bplist".utf8) else { return try readXML(bytes) }
        try bound(bytes)
        return try BinaryPropertyListReader.read(bytes)
    }

    /// Reads a list in XML, encoded in UTF-8, or in UTF-16 with a byte order mark.
    public static func readXML(_ bytes: [UInt8]) throws(CodeProblem) -> PropertyListValue {
        try bound(bytes)
        if bytes.starts(with: [0xFE, 0xFF]) || bytes.starts(with: [0xFF, 0xFE]) {
            let text = try utf8(ofUTF16: bytes)
            do {
                return try XMLPropertyListReader.read(text, encoding: "utf-16")
            } catch {
                throw CodeProblem(error.code, at: error.offset, error.detail + " (offset in the text as UTF-8)")
            }
        }
        return try XMLPropertyListReader.read(bytes, encoding: "utf-8")
    }

    private static func bound(_ bytes: [UInt8]) throws(CodeProblem) {
        let limit = CodeIdentityLimits.propertyListBytes
        guard bytes.count <= limit.value else { throw .beyond(limit, "bytes of property list") }
    }

    private static func utf8(ofUTF16 bytes: [UInt8]) throws(CodeProblem) -> [UInt8] {
        let bigEndian = bytes.first == 0xFE
        guard bytes.count.isMultiple(of: 2) else {
            throw CodeProblem(.propertyListText, at: UInt64(bytes.count), "UTF-16 text of an odd number of bytes")
        }
        let units = stride(from: 2, to: bytes.count, by: 2).map { place in
            let high = UInt16(bytes[bigEndian ? place : place + 1])
            return high << 8 | UInt16(bytes[bigEndian ? place + 1 : place])
        }
        guard let text = String(validating: units, as: UTF16.self) else {
            throw CodeProblem(.propertyListText, "the text is not UTF-16: a surrogate stands alone")
        }
        return Array(text.utf8)
    }
}
