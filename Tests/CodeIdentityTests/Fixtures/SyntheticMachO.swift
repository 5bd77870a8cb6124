// SPDX-License-Identifier: Apache-2.0

// Mach-O files made to measure: valid as they come, so that a test breaks exactly one thing.

import Crypto

@testable import CodeIdentity

/// A list of bytes that numbers are appended to.
struct ByteList {
    var bytes: [UInt8] = []
    var order: ByteOrder = .big

    mutating func u8(_ value: UInt8) { bytes.append(value) }
    mutating func u16(_ value: UInt16) { number(value) }
    mutating func u32(_ value: UInt32) { number(value) }
    mutating func u64(_ value: UInt64) { number(value) }
    mutating func append(_ more: some Sequence<UInt8>) { bytes += more }
    mutating func pad(to count: Int) { bytes += [UInt8](repeating: 0, count: max(0, count - bytes.count)) }
    mutating func name(_ text: String) {
        let end = bytes.count + 16
        append(text.utf8)
        pad(to: end)
    }

    private mutating func number<Number: FixedWidthInteger>(_ value: Number) {
        withUnsafeBytes(of: order == .big ? value.bigEndian : value.littleEndian) { bytes += $0 }
    }
}

extension [UInt8] {
    /// Overwrites a 32-bit number.
    mutating func set32(_ value: UInt32, at offset: Int, _ order: ByteOrder = .big) {
        var field = ByteList(order: order)
        field.u32(value)
        replaceSubrange(offset..<offset + 4, with: field.bytes)
    }

    /// Reads a 32-bit number; 0 outside.
    func get32(at offset: Int, _ order: ByteOrder = .big) -> UInt32 {
        (try? FieldReader(self[...], order: order).u32(at: offset)) ?? 0
    }
}

/// A code directory to be made.
struct SyntheticDirectory {
    var slot: UInt32 = 0
    var version: UInt32 = 0x20500
    var flags: CodeSignatureFlags = [.adhoc]
    var hashType = CodeHashType.sha256
    var platform: UInt8 = 0
    var pageShift: UInt8 = 12
    var identifier = "org.example.tool"
    var team: String?
    var runtime: UInt32 = 0
    var executableSegment: (base: UInt64, limit: UInt64, flags: UInt64) = (0, 4096, 1)
    /// Claims another limit than the signed bytes have.
    var codeLimit: UInt64?
    /// Writes the limit to the field of 64 bits, as files beyond 4 GiB have it.
    var wideLimit = false
    /// Entries of a scatter vector, without the end.
    var scatter: [(count: UInt32, base: UInt32, target: UInt64)] = []
    /// Adds a second array of page hashes, made of bytes 0xee.
    var preEncrypt = false
    /// Special slots that get no hash although their component is there.
    var unsealed: Set<UInt32> = []

    /// The blob for some code; `components` are what each special slot hashes.
    func blob(code: [UInt8], components: [UInt32: [UInt8]]) -> [UInt8] {
        let limit = codeLimit ?? UInt64(code.count)
        let page = pageShift == 0 ? max(1, Int(limit)) : 1 << Int(pageShift)
        let pages = stride(from: 0, to: Int(limit), by: page).map { start in
            let end = min(start + page, Int(limit), code.count)
            return start < end ? hash(code[start..<end]) : hash([])
        }
        let sealed = components.filter { !unsealed.contains($0.key) }
        let special = Int(sealed.keys.max() ?? 0)
        var header = 44
        for (since, size) in [
            (0x20100, 48), (0x20200, 52), (0x20300, 64), (0x20400, 88), (0x20500, 96), (0x20600, 108),
        ]
        where version >= since { header = size }

        var tail = ByteList()
        tail.append(identifier.utf8)
        tail.u8(0)
        let teamOffset = team == nil || version < 0x20200 ? 0 : header + tail.bytes.count
        if let team, teamOffset != 0 {
            tail.append(team.utf8)
            tail.u8(0)
        }
        let scatterOffset = scatter.isEmpty ? 0 : header + tail.bytes.count
        for entry in scatter + (scatter.isEmpty ? [] : [(0, 0, 0)]) {
            tail.u32(entry.count)
            tail.u32(entry.base)
            tail.u64(entry.target)
            tail.u64(0)
        }
        let preEncryptOffset = preEncrypt ? header + tail.bytes.count : 0
        if preEncrypt { tail.append([UInt8](repeating: 0xee, count: pages.count * hashType.size)) }
        for number in stride(from: special, to: 0, by: -1) {
            tail.append(sealed[UInt32(number)].map { hash($0[...]) } ?? [UInt8](repeating: 0, count: hashType.size))
        }
        let hashOffset = header + tail.bytes.count
        tail.append(pages.joined())

        var list = ByteList()
        for value in [
            BlobMagic.codeDirectory, UInt32(header + tail.bytes.count), version, flags.rawValue, UInt32(hashOffset),
            UInt32(header), UInt32(special), UInt32(pages.count), wideLimit ? 0 : UInt32(limit),
        ] { list.u32(value) }
        for value in [UInt8(hashType.size), hashType.rawValue, platform, pageShift] { list.u8(value) }
        for value in [0, UInt32(scatterOffset), UInt32(teamOffset), 0] { list.u32(value) }
        for value in [
            wideLimit ? limit : 0, executableSegment.base, executableSegment.limit, executableSegment.flags,
        ] { list.u64(value) }
        list.u32(runtime)
        list.u32(UInt32(preEncryptOffset))
        list.pad(to: 108)
        return Array(list.bytes.prefix(header)) + tail.bytes
    }

    func hash(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        switch hashType {
        case .sha1: Array(Insecure.SHA1.hash(data: bytes))
        case .sha256: Array(SHA256.hash(data: bytes))
        case .sha256Truncated: Array(SHA256.hash(data: bytes).prefix(20))
        case .sha384: Array(SHA384.hash(data: bytes))
        }
    }
}

/// A slice to be made: a small program, ad-hoc signed unless a test says otherwise.
struct SyntheticSlice {
    var cpuType = Architecture.arm64
    var cpuSubtype: UInt32 = 0
    var wide = true
    var order = ByteOrder.little
    var fileType: UInt32 = 2
    /// Bytes of code after the load commands.
    var codeSize = 9000
    /// Becomes the section `__TEXT,__info_plist`, and the component of slot 1.
    var infoPlist: [UInt8]?
    /// The component of slot 3, which lies outside the file.
    var codeResources: [UInt8]?
    /// Empty makes the slice unsigned.
    var directories = [SyntheticDirectory()]
    /// Whole blobs by slot: 2, 5, 7 to 11, and 4 in its wrapper; their hashes get into every directory.
    var blobs: [(slot: UInt32, blob: [UInt8])] = []
    /// Gets the directories' blobs in the order of `directories`, and gives a CMS signature.
    var cms: (([[UInt8]]) -> [UInt8])?
    /// Whether an empty wrapper stands where the CMS signature would, as `codesign -s -` leaves it.
    var emptyWrapper = false
    /// Load commands to put after the others.
    var extraCommands: [[UInt8]] = []
    /// Padding behind the superblob, inside the signature's range.
    var signaturePadding = 16

    static func blob(_ magic: UInt32, _ payload: some Collection<UInt8>) -> [UInt8] {
        var list = ByteList()
        list.u32(magic)
        list.u32(UInt32(payload.count + 8))
        list.append(payload)
        return list.bytes
    }

    static func superBlob(_ magic: UInt32, _ blobs: [(slot: UInt32, blob: [UInt8])]) -> [UInt8] {
        var list = ByteList()
        var offset = 12 + 8 * blobs.count
        list.u32(magic)
        list.u32(UInt32(offset + blobs.reduce(0) { $0 + $1.blob.count }))
        list.u32(UInt32(blobs.count))
        for (slot, blob) in blobs {
            list.u32(slot)
            list.u32(UInt32(offset))
            offset += blob.count
        }
        for (_, blob) in blobs { list.append(blob) }
        return list.bytes
    }

    /// The whole slice.
    func bytes() -> [UInt8] {
        guard !directories.isEmpty else { return image(signatureSize: 0).bytes }
        // The size of the signature stands in the signed bytes, so it is made twice. Signatures vary by some bytes.
        let size = (superBlob(code: image(signatureSize: 16).bytes).count + signaturePadding + 31) & ~15
        var code = image(signatureSize: size)
        let signature = superBlob(code: code.bytes)
        precondition(signature.count <= size, "raise signaturePadding")
        let end = code.bytes.count + size
        code.append(signature)
        code.pad(to: end)
        return code.bytes
    }

    /// The signature alone, over bytes that are to be signed.
    func superBlob(code: [UInt8]) -> [UInt8] {
        var components: [UInt32: [UInt8]] = [:]
        if let infoPlist { components[1] = infoPlist }
        if let codeResources { components[3] = codeResources }
        // The content of wrapped components is hashed without the wrapper.
        for (slot, blob) in blobs { components[slot] = slot == 4 ? Array(blob.dropFirst(8)) : blob }
        let made = directories.map { $0.blob(code: code, components: components) }
        var entries = zip(directories, made).map { (slot: $0.slot, blob: $1) } + blobs
        if let cms {
            entries.append((0x10000, Self.blob(BlobMagic.wrapper, cms(made))))
        } else if emptyWrapper {
            entries.append((0x10000, Self.blob(BlobMagic.wrapper, [])))
        }
        return Self.superBlob(BlobMagic.embeddedSignature, entries)
    }

    /// Header, load commands and code: what a signature covers.
    private func image(signatureSize: Int) -> ByteList {
        let segment = wide ? 72 : 56
        let text = segment + (infoPlist == nil ? 0 : wide ? 80 : 68)
        let signature = directories.isEmpty ? 0 : 16
        let commandBytes = text + segment + 24 + 24 + signature + extraCommands.reduce(0) { $0 + $1.count }
        let headerEnd = (wide ? 32 : 28) + commandBytes
        let infoStart = headerEnd
        let codeEnd = (infoStart + (infoPlist?.count ?? 0) + codeSize + 15) & ~15
        // A little of __LINKEDIT precedes the signature, as symbols do.
        let signatureStart = codeEnd + 64
        let end = signatureStart + signatureSize

        var list = ByteList(order: order)
        let magic: UInt32 = wide ? 0xfeed_facf : 0xfeed_face
        let count = UInt32(4 + (signature == 0 ? 0 : 1) + extraCommands.count)
        for value in [magic, cpuType, cpuSubtype, fileType, count, UInt32(commandBytes), 0] { list.u32(value) }
        if wide { list.u32(0) }
        self.segment(&list, "__TEXT", size: text, start: 0, count: codeEnd, sections: infoPlist == nil ? 0 : 1)
        if let infoPlist {
            list.name("__info_plist")
            list.name("__TEXT")
            word(&list, 0)
            word(&list, infoPlist.count)
            list.u32(UInt32(infoStart))
            list.append([UInt8](repeating: 0, count: wide ? 28 : 24))
        }
        self.segment(&list, "__LINKEDIT", size: segment, start: codeEnd, count: end - codeEnd, sections: 0)
        for value: UInt32 in [0x1b, 24] { list.u32(value) }
        list.append(0..<16)
        for value: UInt32 in [0x32, 24, 1, 0x000d_0000, 0x001a_0500, 0] { list.u32(value) }
        if signature != 0 {
            for value in [0x1d, 16, UInt32(signatureStart), UInt32(signatureSize)] { list.u32(value) }
        }
        for command in extraCommands { list.append(command) }
        list.append(infoPlist ?? [])
        for index in 0..<codeSize { list.u8(UInt8(truncatingIfNeeded: index &* 31 &+ index >> 8)) }
        list.pad(to: signatureStart)
        return list
    }

    private func segment(_ list: inout ByteList, _ name: String, size: Int, start: Int, count: Int, sections: UInt32) {
        list.u32(wide ? 0x19 : 0x1)
        list.u32(UInt32(size))
        list.name(name)
        for value in [start, count, start, count] { word(&list, value) }
        for value: UInt32 in [5, 5, sections, 0] { list.u32(value) }
    }

    private func word(_ list: inout ByteList, _ value: Int) { wide ? list.u64(UInt64(value)) : list.u32(UInt32(value)) }
}

/// A universal file to be made.
struct SyntheticUniversal {
    var slices: [SyntheticSlice]
    /// The logarithm of the alignment; linkers use 14.
    var align: UInt32 = 8
    var wide = false
    /// The last slice stands one past the count.
    var hidesLast = false

    /// The whole file.
    func bytes() -> [UInt8] { Self.bytes(slices.map { ($0, $0.bytes()) }, align: align, wide: wide, hides: hidesLast) }

    /// Puts finished slices together.
    static func bytes(
        _ parts: [(slice: SyntheticSlice, bytes: [UInt8])], align: UInt32 = 8, wide: Bool = false, hides: Bool = false
    ) -> [UInt8] {
        let mask = 1 << Int(align) - 1
        var list = ByteList()
        list.u32(wide ? 0xcafe_babf : 0xcafe_babe)
        list.u32(UInt32(parts.count - (hides ? 1 : 0)))
        var offset = (8 + parts.count * (wide ? 32 : 20) + mask) & ~mask
        var places: [Int] = []
        for (slice, bytes) in parts {
            list.u32(slice.cpuType)
            list.u32(slice.cpuSubtype)
            if wide {
                list.u64(UInt64(offset))
                list.u64(UInt64(bytes.count))
                list.u32(align)
                list.u32(0)
            } else {
                for value in [UInt32(offset), UInt32(bytes.count), align] { list.u32(value) }
            }
            places.append(offset)
            offset = (offset + bytes.count + mask) & ~mask
        }
        for (place, part) in zip(places, parts) {
            list.pad(to: place)
            list.append(part.bytes)
        }
        return list.bytes
    }
}
