// SPDX-License-Identifier: Apache-2.0

// The rules that a code directory must keep before anything in it is used.

import FlowModel

/// The part of a code directory that says where everything else is.
struct CodeDirectoryLayout {
    /// Exactly the blob.
    let reader: FieldReader
    let version: UInt32
    let hashType: CodeHashType
    let pageShift: UInt8
    let hashOffset: UInt32
    let specialSlots: UInt32
    let codeSlots: UInt32
    let codeLimit: UInt64
    /// 0 when there are no hashes from before encryption.
    let preEncryptOffset: UInt32

    init(_ all: FieldReader) throws(CodeProblem) {
        let length = try all.u32(at: 4)
        guard try all.u32(at: 0) == BlobMagic.codeDirectory else {
            throw CodeProblem(.codeDirectoryInvalid, at: all.base, "no magic number of a code directory")
        }
        reader = FieldReader(try all.slice(at: 0, count: Int(length)), base: all.base)
        version = try reader.u32(at: 8)
        guard (0x20001...0x2f000).contains(version) else {
            throw CodeProblem(
                .codeDirectoryUnsupported, at: reader.place(8),
                "version \(String(version, radix: 16)); 20001 to 2f000 are known")
        }
        let type = try reader.u8(at: 37)
        guard let hashType = CodeHashType(rawValue: type) else {
            throw CodeProblem(.codeDirectoryUnsupported, at: reader.place(37), "hash type \(type)")
        }
        self.hashType = hashType
        guard Int(try reader.u8(at: 36)) == hashType.size else {
            throw CodeProblem(
                .codeDirectoryInvalid, at: reader.place(36), "hashes of \(hashType.name) have \(hashType.size) bytes")
        }
        pageShift = try reader.u8(at: 39)
        guard pageShift < 32 else {
            throw CodeProblem(.codeDirectoryUnsupported, at: reader.place(39), "pages of 2^\(pageShift) bytes")
        }
        hashOffset = try reader.u32(at: 16)
        specialSlots = try reader.u32(at: 24)
        codeSlots = try reader.u32(at: 28)
        let wideLimit = version >= 0x20300 ? try reader.u64(at: 56) : 0
        codeLimit = wideLimit != 0 ? wideLimit : UInt64(try reader.u32(at: 32))
        preEncryptOffset = version >= 0x20500 ? try reader.u32(at: 92) : 0
        try check()
    }

    /// The string that the offset in a field points to; nil for offset 0.
    func string(offsetAt field: Int) throws(CodeProblem) -> ArraySlice<UInt8>? {
        let offset = try reader.u32(at: field)
        return offset == 0 ? nil : try reader.string(at: Int(offset))
    }

    /// Checks that hashes and counts fit the blob and each other.
    private func check() throws(CodeProblem) {
        guard try reader.u32(at: 20) != 0 else {
            throw CodeProblem(.codeDirectoryInvalid, at: reader.place(20), "no identifier")
        }
        let size = UInt64(hashType.size)
        // Two 32-bit numbers and a factor of at most 48: 64 bits are enough.
        guard UInt64(specialSlots) * size <= UInt64(hashOffset) else {
            throw CodeProblem(
                .codeDirectoryInvalid, at: reader.place(24),
                "\(specialSlots) special hashes do not fit before \(hashOffset)")
        }
        // Without hashes from before encryption the second round repeats a weaker bound.
        for start in [UInt64(hashOffset), UInt64(preEncryptOffset)] {
            guard start + UInt64(codeSlots) * size <= UInt64(reader.count) else {
                throw CodeProblem(
                    .codeDirectoryInvalid, at: reader.place(28),
                    "\(codeSlots) hashes at \(start) do not fit into \(reader.count) bytes")
            }
        }
        let wanted = codeLimit == 0 ? 0 : pageShift == 0 ? 1 : ((codeLimit - 1) >> UInt64(pageShift)) + 1
        guard UInt64(codeSlots) == wanted, pageShift == 0 || codeLimit > 0 else {
            throw CodeProblem(
                .codeDirectoryInvalid, at: reader.place(28),
                "\(codeSlots) page hashes for \(codeLimit) bytes in pages of 2^\(pageShift)")
        }
        if version >= 0x20100 { try checkScatter(at: try reader.u32(at: 44)) }
    }

    /// Accepts a scatter vector only when it scatters nothing.
    ///
    /// The kernel looks pages up through the vector and Apple's library does not, so that any other vector means
    /// different pages to each.
    private func checkScatter(at start: UInt32) throws(CodeProblem) {
        guard start != 0 else { return }
        var pages: UInt64 = 0
        let most = CodeIdentityLimits.scatterEntries
        for index in 0...most.value {
            let place = Int(start) + 24 * index
            let count = UInt64(try reader.u32(at: place))
            if count == 0 {
                guard pages == UInt64(codeSlots) else {
                    throw CodeProblem(
                        .codeDirectoryUnsupported, at: reader.place(place),
                        "the scatter vector covers \(pages) of \(codeSlots) pages")
                }
                return
            }
            let base = UInt64(try reader.u32(at: place + 4))
            let target = try reader.u64(at: place + 8)
            guard base == pages, target == base << UInt64(pageShift) else {
                throw CodeProblem(
                    .codeDirectoryUnsupported, at: reader.place(place), "pages are scattered: sign the file again")
            }
            pages += count
        }
        throw CodeProblem(.limit, at: reader.place(Int(start)), "a scatter vector beyond \(most.name)")
    }
}
