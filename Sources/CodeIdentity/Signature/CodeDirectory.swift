// SPDX-License-Identifier: Apache-2.0

// The code directory: the hashes of everything that is signed, and what the code calls itself.

/// One code directory, read and consistent in itself.
///
/// All of it is a claim until something binds its cdhash. Source: `CodeDirectory::checkIntegrity` in Apple's
/// `codedirectory.cpp` and `cs_validate_codedirectory` in `ubc_subr.c`; the stricter of both holds.
public struct CodeDirectory: Sendable {
    /// The executable segment, and what the kernel grants its main program (version 0x20400 and up).
    public struct ExecutableSegment: Hashable, Sendable {
        /// Bytes from the start of the slice.
        public let base: UInt64
        public let limit: UInt64
        /// 1 main program, 0x10 unsigned memory, 0x20 debugger, 0x40 JIT, … (`CS_EXECSEG_*`).
        public let flags: UInt64
    }

    /// What the linker recorded of the signed libraries (version 0x20600 and up); only the kernel reads it.
    public struct Linkage: Hashable, Sendable {
        public let hashType: UInt8
        public let applicationType: UInt8
        public let applicationSubtype: UInt16
        public let offset: UInt32
        public let size: UInt32
    }

    /// 0, or 0x1000 and up for an alternate.
    public var slot: UInt32 { digest.slot }
    /// The whole blob.
    public let bytes: ArraySlice<UInt8>
    public let version: UInt32
    public let flags: CodeSignatureFlags
    public let hashType: CodeHashType
    public let platform: UInt8
    /// The logarithm of the page size to base 2; 0 means one page of everything.
    public let pageShift: UInt8
    /// Up to its NUL.
    public let identifier: [UInt8]
    /// Nil for ad-hoc and Apple's own code.
    public let team: [UInt8]?
    public let specialSlotCount: Int
    public let codeSlotCount: Int
    /// How many bytes from the start of the slice are hashed.
    public let codeLimit: UInt64
    public let executableSegment: ExecutableSegment?
    /// The SDK whose hardened runtime the code was built for; nil when it has none.
    public let runtime: PackedVersion?
    public let linkage: Linkage?
    /// Whether it holds page hashes from before encryption.
    public let hasPreEncryptHashes: Bool
    /// Its name.
    public let digest: DirectoryDigest

    public var cdhash: CDHash { digest.cdhash }
    public var identifierText: String { String(decoding: identifier, as: UTF8.self) }
    public var teamText: String? { team.map { String(decoding: $0, as: UTF8.self) } }

    /// Bytes from the start of the blob to the hash of page 0, and to the one before encryption.
    let hashOffset: Int
    private let preEncryptOffset: Int

    /// Reads a blob and checks that everything it points at lies inside it.
    ///
    /// `base` is where the blob begins in what is being read, for errors. Throws `codeDirectoryInvalid`,
    /// `codeDirectoryUnsupported`, `outOfBounds` and, for a long scatter vector, `limit`.
    public init(_ bytes: ArraySlice<UInt8>, slot: UInt32, base: UInt64 = 0) throws(CodeProblem) {
        let layout = try CodeDirectoryLayout(FieldReader(bytes, base: base))
        let reader = layout.reader
        self.bytes = reader.bytes
        version = layout.version
        flags = CodeSignatureFlags(rawValue: try reader.u32(at: 12))
        hashType = layout.hashType
        platform = try reader.u8(at: 38)
        pageShift = layout.pageShift
        identifier = Array(try layout.string(offsetAt: 20) ?? [])
        team = version >= 0x20200 ? try layout.string(offsetAt: 48).map { Array($0) } : nil
        specialSlotCount = Int(layout.specialSlots)
        codeSlotCount = Int(layout.codeSlots)
        codeLimit = layout.codeLimit
        hashOffset = Int(layout.hashOffset)
        executableSegment =
            version >= 0x20400
            ? ExecutableSegment(
                base: try reader.u64(at: 64), limit: try reader.u64(at: 72), flags: try reader.u64(at: 80)) : nil
        let runtime = version >= 0x20500 ? try reader.u32(at: 88) : 0
        self.runtime = runtime == 0 ? nil : PackedVersion(rawValue: runtime)
        preEncryptOffset = Int(layout.preEncryptOffset)
        hasPreEncryptHashes = preEncryptOffset != 0
        linkage =
            version >= 0x20600
            ? Linkage(
                hashType: try reader.u8(at: 96), applicationType: try reader.u8(at: 97),
                applicationSubtype: try reader.u16(at: 98), offset: try reader.u32(at: 100),
                size: try reader.u32(at: 104)) : nil
        digest = try DirectoryDigest(of: reader, slot: slot, hashType: hashType)
    }

    /// The hash of special slot `number`, counted from 1; nil when there is none or it is all zero, which means absent.
    public func specialHash(_ number: Int) -> ArraySlice<UInt8>? {
        guard number >= 1, number <= specialSlotCount else { return nil }
        let start = bytes.startIndex + hashOffset - number * hashType.size
        let hash = bytes[start..<start + hashType.size]
        return hash.allSatisfy { $0 == 0 } ? nil : hash
    }

    /// The hash of a page, a view into the blob; nil beyond the last.
    public func codeHash(_ page: Int) -> ArraySlice<UInt8>? { hash(page, from: hashOffset) }

    /// The hash of a page before it was encrypted.
    public func preEncryptHash(_ page: Int) -> ArraySlice<UInt8>? {
        hasPreEncryptHashes ? hash(page, from: preEncryptOffset) : nil
    }

    private func hash(_ page: Int, from offset: Int) -> ArraySlice<UInt8>? {
        guard page >= 0, page < codeSlotCount else { return nil }
        let start = bytes.startIndex + offset + page * hashType.size
        return bytes[start..<start + hashType.size]
    }
}

extension DirectoryDigest {
    /// Hashes the blob by the directory's own algorithm.
    fileprivate init(of reader: FieldReader, slot: UInt32, hashType: CodeHashType) throws(CodeProblem) {
        // SHA-256 cut to 20 bytes is how pages are hashed; a CMS signature binds all 32 of the directory.
        let full = hashType.fullDigest(reader.bytes)
        guard let cdhash = CDHash(full.prefix(20)) else {
            throw CodeProblem(.codeDirectoryInvalid, at: reader.base, "a digest of \(full.count) bytes")
        }
        self.init(slot: slot, hashType: hashType, full: full, cdhash: cdhash)
    }
}
