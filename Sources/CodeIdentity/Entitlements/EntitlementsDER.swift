// SPDX-License-Identifier: Apache-2.0

// The DER form of entitlements, which launch constraints have too: what the kernel reads.

import FlowModel

/// Reads and writes entitlements in DER.
///
/// APPLICATION 16 { INTEGER 1, CONTEXT 16 { SEQUENCE { UTF8String key, value } … } }, keys in bytewise order without
/// duplicates; a value is BOOLEAN, INTEGER, UTF8String, OCTET STRING, SEQUENCE (an array) or CONTEXT 16 (a dictionary).
/// Each value has exactly one form, so decoding and encoding again gives the same bytes.
public enum EntitlementsDER {
    private enum Tag {
        static let boolean: UInt8 = 0x01
        static let integer: UInt8 = 0x02
        static let octetString: UInt8 = 0x04
        static let utf8String: UInt8 = 0x0C
        static let sequence: UInt8 = 0x30
        static let entitlements: UInt8 = 0x70
        static let dictionary: UInt8 = 0xB0
    }

    // MARK: Reading

    /// Reads the payload of a blob `fade7172` (without its eight bytes of header).
    ///
    /// Throws `entitlements-der`, `plist-text`, `plist-duplicate-key` or `limit`; offsets count from the payload.
    public static func decode(_ bytes: [UInt8]) throws(CodeProblem) -> [String: PropertyListValue] {
        let limit = CodeIdentityLimits.entitlementsBytes
        guard bytes.count <= limit.value else { throw .beyond(limit, "bytes of DER entitlements") }
        var whole = Reader(bytes: bytes, position: 0, end: bytes.count)
        var content = try whole.element(Tag.entitlements)
        try whole.finish()
        let offset = content.position
        guard try integer(content.element(Tag.integer)) == 1 else {
            throw problem("the version of the entitlements is not 1", at: offset)
        }
        let dictionary = try content.element(Tag.dictionary)
        try content.finish()
        return try entries(dictionary, depth: 1)
    }

    /// The depth bounds the recursion.
    private static func entries(_ content: Reader, depth: Int) throws(CodeProblem) -> [String: PropertyListValue] {
        guard depth <= CodeIdentityLimits.entitlementsDepth.value else {
            throw .beyond(CodeIdentityLimits.entitlementsDepth, at: content.position, "values inside each other")
        }
        var content = content
        var entries: [String: PropertyListValue] = [:]
        var previous: ArraySlice<UInt8>?
        while !content.isAtEnd {
            let offset = content.position
            var entry = try content.element(Tag.sequence)
            let key = try entry.element(Tag.utf8String)
            if let previous, !previous.lexicographicallyPrecedes(key.content) {
                throw previous == key.content
                    ? CodeProblem(.propertyListDuplicateKey, at: UInt64(offset), "the key stands here a second time")
                    : problem("the keys are not in order", at: offset)
            }
            previous = key.content
            let name = try PropertyListText.string(key.content, at: key.position)
            try PropertyListText.checkKey(name, at: key.position)
            let value = try value(&entry, depth: depth)
            try entry.finish()
            // Two keys of other bytes can still be the same text to Unicode.
            guard entries.updateValue(value, forKey: name) == nil else {
                throw CodeProblem(.propertyListDuplicateKey, at: UInt64(offset), "the key stands here a second time")
            }
        }
        return entries
    }

    private static func value(_ reader: inout Reader, depth: Int) throws(CodeProblem) -> PropertyListValue {
        let offset = reader.position
        var (tag, content) = try reader.element()
        switch tag {
        case Tag.boolean:
            guard content.content == [0xFF] || content.content == [0] else {
                throw problem("a BOOLEAN that is neither FF nor 00", at: offset)
            }
            return .boolean(content.content == [0xFF])
        case Tag.integer: return .integer(try integer(content))
        case Tag.utf8String: return .string(try PropertyListText.string(content.content, at: content.position))
        case Tag.octetString: return .data(Array(content.content))
        case Tag.dictionary: return .dictionary(try entries(content, depth: depth + 1))
        case Tag.sequence:
            guard depth < CodeIdentityLimits.entitlementsDepth.value else {
                throw .beyond(CodeIdentityLimits.entitlementsDepth, at: offset, "values inside each other")
            }
            var elements: [PropertyListValue] = []
            while !content.isAtEnd { elements.append(try value(&content, depth: depth + 1)) }
            return .array(elements)
        default: throw problem("a value of tag 0x\(String(tag, radix: 16)) is not read", at: offset)
        }
    }

    private static func integer(_ element: Reader) throws(CodeProblem) -> Int64 {
        let bytes = element.content
        guard let first = bytes.first, bytes.count <= 8 else {
            throw problem("an INTEGER of \(bytes.count) bytes", at: element.position)
        }
        if let second = bytes.dropFirst().first, first == (second < 0x80 ? 0 : 0xFF) {
            throw problem("an INTEGER with a byte too many", at: element.position)
        }
        return bytes.reduce(first < 0x80 ? 0 : -1) { $0 << 8 | Int64($1) }
    }

    fileprivate static func problem(_ detail: String, at offset: Int) -> CodeProblem {
        CodeProblem(.entitlementsDER, at: UInt64(offset), detail)
    }

    // MARK: Writing

    /// The DER of these entitlements; throws `entitlements-not-encodable` for what has no such form.
    public static func encode(_ entitlements: [String: PropertyListValue]) throws(CodeProblem) -> [UInt8] {
        element(Tag.entitlements, [Tag.integer, 1, 1] + (try dictionary(entitlements, depth: 1)))
    }

    /// The depth bounds the recursion.
    private static func dictionary(
        _ entries: [String: PropertyListValue], depth: Int
    ) throws(CodeProblem) -> [UInt8] {
        var content: [UInt8] = []
        let sorted = entries.map { (key: Array($0.key.utf8), value: $0.value) }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
        for entry in sorted {
            let pair = element(Tag.utf8String, entry.key) + (try encode(entry.value, depth: depth))
            content += element(Tag.sequence, pair)
        }
        return element(Tag.dictionary, content)
    }

    private static func encode(_ value: PropertyListValue, depth: Int) throws(CodeProblem) -> [UInt8] {
        switch value {
        case .array where depth >= CodeIdentityLimits.entitlementsDepth.value,
            .dictionary where depth >= CodeIdentityLimits.entitlementsDepth.value:
            throw CodeProblem(.entitlementsNotEncodable, "values stand too deep inside each other")
        case .boolean(let value): return [Tag.boolean, 1, value ? 0xFF : 0]
        case .string(let text): return element(Tag.utf8String, Array(text.utf8))
        case .data(let bytes): return element(Tag.octetString, bytes)
        case .dictionary(let entries): return try dictionary(entries, depth: depth + 1)
        case .integer(let value):
            // As few bytes as keep the sign.
            let size = max(1, (64 - (value < 0 ? ~value : value).leadingZeroBitCount) / 8 + 1)
            return element(Tag.integer, (0..<size).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) })
        case .array(let elements):
            var content: [UInt8] = []
            for value in elements { content += try encode(value, depth: depth + 1) }
            return element(Tag.sequence, content)
        case .real, .date:
            throw CodeProblem(.entitlementsNotEncodable, "entitlements have neither real numbers nor dates")
        }
    }

    private static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        guard content.count >= 0x80 else { return [tag, UInt8(content.count)] + content }
        let size = (Int.bitWidth - content.count.leadingZeroBitCount + 7) / 8
        let length = (0..<size).reversed().map { UInt8(truncatingIfNeeded: content.count >> ($0 * 8)) }
        return [tag, 0x80 | UInt8(size)] + length + content
    }
}

/// A run of DER elements: tags of one byte, definite lengths in their shortest form.
private struct Reader {
    let bytes: [UInt8]
    var position: Int
    let end: Int

    var isAtEnd: Bool { position == end }
    var content: ArraySlice<UInt8> { bytes[position..<end] }

    /// Reads an element of this tag.
    mutating func element(_ wanted: UInt8) throws(CodeProblem) -> Reader {
        let offset = position
        let (tag, content) = try element()
        guard tag == wanted else {
            throw EntitlementsDER.problem(
                "tag 0x\(String(tag, radix: 16)) where 0x\(String(wanted, radix: 16)) is wanted", at: offset)
        }
        return content
    }

    mutating func element() throws(CodeProblem) -> (tag: UInt8, content: Reader) {
        let offset = position
        guard end - position >= 2 else { throw EntitlementsDER.problem("an element is cut", at: offset) }
        let tag = bytes[position]
        var length = Int(bytes[position + 1])
        position += 2
        if length >= 0x80 {
            let size = length - 0x80
            // Three bytes are more than the limit on the whole.
            guard 1...3 ~= size, size <= end - position, bytes[position] != 0 else {
                throw EntitlementsDER.problem("the length of an element is not DER", at: offset)
            }
            length = bytes[position..<position + size].reduce(0) { $0 << 8 | Int($1) }
            position += size
            guard length >= 0x80 else { throw EntitlementsDER.problem("a length in its longer form", at: offset) }
        }
        guard length <= end - position else { throw EntitlementsDER.problem("an element is cut", at: offset) }
        defer { position += length }
        return (tag, Reader(bytes: bytes, position: position, end: position + length))
    }

    func finish() throws(CodeProblem) {
        guard isAtEnd else { throw EntitlementsDER.problem("something follows the last element", at: position) }
    }
}
