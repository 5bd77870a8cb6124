// SPDX-License-Identifier: Apache-2.0

// The container of a code signature: an index and blobs.

import FlowModel

/// The first four bytes of a blob (`cs_blobs.h`).
public enum BlobMagic {
    public static let requirement: UInt32 = 0xfade_0c00
    public static let requirementSet: UInt32 = 0xfade_0c01
    public static let codeDirectory: UInt32 = 0xfade_0c02
    public static let embeddedSignature: UInt32 = 0xfade_0cc0
    public static let detachedSignature: UInt32 = 0xfade_0cc1
    /// Anything in a wrapper: the CMS signature, and files that a signature carries with it.
    public static let wrapper: UInt32 = 0xfade_0b01
    public static let entitlements: UInt32 = 0xfade_7171
    public static let derEntitlements: UInt32 = 0xfade_7172
    public static let launchConstraint: UInt32 = 0xfade_8181
}

/// A blob that holds others, each under a type.
///
/// All numbers are big endian and all offsets count from its first byte.
public struct SuperBlob: Sendable {
    public struct Entry: Hashable, Sendable {
        public let type: UInt32
        /// 0 means that there is no blob; magic and length are 0 then.
        public let offset: UInt32
        public let magic: UInt32
        /// Bytes, the blob's own header of 8 included.
        public let length: UInt32
    }

    public let magic: UInt32
    /// Exactly as many bytes as its length field says.
    public let bytes: ArraySlice<UInt8>
    /// In the order of the file.
    public let entries: [Entry]
    /// Duplicate types and overlapping blobs: legal for Apple's loose reader, and made by no signer.
    public let problems: [CodeProblem]

    /// Reads the index of a superblob that begins at the first byte; what follows its length is ignored.
    ///
    /// `base` is where the bytes begin in what is being read, for errors. Throws `superBlobInvalid` for another magic
    /// number or an entry outside, `outOfBounds` when the bytes end early, `limit` for too many entries.
    public init(_ bytes: ArraySlice<UInt8>, magic: UInt32, base: UInt64 = 0) throws(CodeProblem) {
        let all = FieldReader(bytes, base: base)
        let length = try Self.length(all, magic: magic)
        let reader = FieldReader(try all.slice(at: 0, count: Int(length)), base: base)
        let count = try reader.u32(at: 8)
        let most = CodeIdentityLimits.signatureEntries
        guard count <= UInt32(most.value) else {
            throw CodeProblem(.limit, at: reader.place(8), "\(count) entries; \(most.name) is \(most.value)")
        }
        let indexEnd = 12 + 8 * Int(count)
        var entries: [Entry] = []
        for index in 0..<Int(count) {
            entries.append(try Self.entry(reader, at: 12 + 8 * index, indexEnd: indexEnd))
        }
        self.magic = magic
        self.bytes = reader.bytes
        self.entries = entries
        problems = Self.problems(entries, reader)
    }

    /// Reads a superblob of at most `available` bytes at an offset; the errors are those of `init`.
    public static func read(
        _ source: any ByteSource, at offset: UInt64, available: UInt64, magic: UInt32, base: UInt64 = 0
    ) throws(CodeProblem) -> SuperBlob {
        let base = base &+ offset
        guard available >= 12 else {
            throw CodeProblem(.superBlobInvalid, at: base, "\(available) bytes are no signature")
        }
        let head = FieldReader(try source.read(at: offset, count: 12)[...], base: base)
        let length = UInt64(try length(head, magic: magic))
        guard length <= available else {
            throw CodeProblem(.superBlobInvalid, at: base, "\(length) bytes in a place of \(available)")
        }
        let most = CodeIdentityLimits.signatureBytes
        guard length <= UInt64(most.value) else {
            throw CodeProblem(.limit, at: base, "\(length) bytes; \(most.name) is \(most.value)")
        }
        return try SuperBlob(source.read(at: offset, count: Int(length))[...], magic: magic, base: base)
    }

    /// The blob of a type, with its header: the first entry of the type decides, as in Apple's reader.
    public func blob(_ type: UInt32) -> ArraySlice<UInt8>? {
        guard let entry = entry(type), entry.offset != 0 else { return nil }
        let start = bytes.startIndex + Int(entry.offset)
        return bytes[start..<start + Int(entry.length)]
    }

    /// The blob of a type without its header, if it has the magic number.
    public func payload(_ type: UInt32, magic: UInt32) -> ArraySlice<UInt8>? {
        entry(type)?.magic == magic ? blob(type)?.dropFirst(8) : nil
    }

    public func entry(_ type: UInt32) -> Entry? { entries.first { $0.type == type } }

    /// Whether the blobs fill the superblob without gap or overlap, as Apple demands of disk images.
    public var tilesExactly: Bool {
        var end = UInt64(12 + 8 * entries.count)
        for entry in entries.filter({ $0.offset != 0 }).sorted(by: { $0.offset < $1.offset }) {
            guard UInt64(entry.offset) == end else { return false }
            end += UInt64(entry.length)
        }
        return end == UInt64(bytes.count)
    }

    private static func length(_ reader: FieldReader, magic: UInt32) throws(CodeProblem) -> UInt32 {
        let found = try reader.u32(at: 0)
        let length = try reader.u32(at: 4)
        guard found == magic, length >= 12 else {
            throw CodeProblem(
                .superBlobInvalid, at: reader.base,
                "magic number \(String(found, radix: 16)), length \(length); wanted \(String(magic, radix: 16))")
        }
        return length
    }

    private static func entry(_ reader: FieldReader, at place: Int, indexEnd: Int) throws(CodeProblem) -> Entry {
        let type = try reader.u32(at: place)
        let offset = try reader.u32(at: place + 4)
        guard offset != 0 else { return Entry(type: type, offset: 0, magic: 0, length: 0) }
        // No blob may reach into the index: a container could contain itself.
        guard UInt64(offset) >= UInt64(indexEnd), UInt64(offset) + 8 <= UInt64(reader.count) else {
            throw CodeProblem(
                .superBlobInvalid, at: reader.place(place),
                "the blob of type \(type) is said to begin at \(offset) of \(reader.count)")
        }
        let length = try reader.u32(at: Int(offset) + 4)
        guard length >= 8, UInt64(length) <= UInt64(reader.count) - UInt64(offset) else {
            throw CodeProblem(
                .superBlobInvalid, at: reader.place(Int(offset)),
                "the blob of type \(type) has \(length) bytes at \(offset) of \(reader.count)")
        }
        return Entry(type: type, offset: offset, magic: try reader.u32(at: Int(offset)), length: length)
    }

    private static func problems(_ entries: [Entry], _ reader: FieldReader) -> [CodeProblem] {
        var problems: [CodeProblem] = []
        var types: Set<UInt32> = []
        for (index, entry) in entries.enumerated() where !types.insert(entry.type).inserted {
            problems.append(
                CodeProblem(.duplicateSlot, at: reader.place(12 + 8 * index), "a second entry of type \(entry.type)"))
        }
        var end: UInt64 = 0
        for entry in entries.filter({ $0.offset != 0 }).sorted(by: { $0.offset < $1.offset }) {
            if UInt64(entry.offset) < end {
                problems.append(
                    CodeProblem(
                        .blobOverlap, at: reader.place(Int(entry.offset)),
                        "the blob of type \(entry.type) begins inside another"))
            }
            end = max(end, UInt64(entry.offset) + UInt64(entry.length))
        }
        return problems
    }
}
