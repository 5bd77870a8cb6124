// SPDX-License-Identifier: Apache-2.0

// A code signature in a file of its own.

/// Signatures of code that could not be changed to hold them: one for each processor, or one alone.
///
/// `codesign --detached` writes the first form (magic fade0cc1, keyed by processor type); a superblob cut out of a
/// slice is the second.
public struct DetachedSignature: Sendable {
    private enum Form {
        case keyed(SuperBlob)
        case single(SuperBlob)
    }

    private let form: Form

    /// Problems of the outer container; each signature has its own besides.
    public var problems: [CodeProblem] {
        switch form {
        case .keyed(let outer): outer.problems
        case .single: []
        }
    }

    /// Reads a whole file.
    ///
    /// Throws `superBlobInvalid` when it is neither form, `outOfBounds`, `limit`, and what the source throws.
    public static func read(_ source: any ByteSource) throws(CodeProblem) -> DetachedSignature {
        let head = FieldReader(try source.read(at: 0, count: Int(min(source.count, 4)))[...])
        let keyed = try head.u32(at: 0) == BlobMagic.detachedSignature
        let blob = try SuperBlob.read(
            source, at: 0, available: source.count,
            magic: keyed ? BlobMagic.detachedSignature : BlobMagic.embeddedSignature)
        return DetachedSignature(form: keyed ? .keyed(blob) : .single(blob))
    }

    /// The signature for a slice; nil when there is none for its processor.
    ///
    /// Whether a lone signature belongs to the slice, only its page hashes tell. It must cover the slice up to an
    /// embedded signature, or all of it. The errors are those of `EmbeddedSignature.read`.
    public func signature(for slice: MachOSlice) throws(CodeProblem) -> EmbeddedSignature? {
        switch form {
        case .single(let blob): return try EmbeddedSignature(blob, signedLength: slice.signedLength)
        case .keyed(let outer):
            let type = slice.architecture.cpuType
            // Type 0 holds what belongs to the whole file, and is no processor.
            guard type != 0, let blob = outer.blob(type), let entry = outer.entry(type) else { return nil }
            let base = UInt64(entry.offset)
            return try EmbeddedSignature(
                SuperBlob(blob, magic: BlobMagic.embeddedSignature, base: base), signedLength: slice.signedLength,
                base: base)
        }
    }
}
