// SPDX-License-Identifier: Apache-2.0

// Tells an ELF program from a library and from everything else.

import FlowModel

/// The first facts of an ELF file (System V ABI, chapter 4; `elf.h`).
struct ELFHeader: Equatable {
    /// The dynamic loader that the file names; nil for a static program and for a library.
    let interpreter: String?
    let isProgram: Bool

    static let magic: [UInt8] = [0x7f, 0x45, 0x4c, 0x46]
    private static let executable: UInt64 = 2
    private static let shared: UInt64 = 3
    private static let interpreterSegment: UInt64 = 3
    private static let dynamicSegment: UInt64 = 2
    private static let flagsTag: UInt64 = 0x6fff_fffb
    private static let positionIndependentProgram: UInt64 = 0x0800_0000

    /// Nil for anything but ELF, and for a file whose program headers lie outside of it.
    static func read(_ source: some ByteSource) -> ELFHeader? {
        guard source.count >= 64, let head = try? source.read(at: 0, count: 64), head.starts(with: magic) else {
            return nil
        }
        let isLittle = head[5] == 1
        guard isLittle || head[5] == 2, head[4] == 1 || head[4] == 2 else { return nil }
        let is64 = head[4] == 2
        func number(_ bytes: [UInt8], _ offset: Int, _ size: Int) -> UInt64 {
            let field = bytes[offset..<offset + size]
            return (isLittle ? Array(field.reversed()) : Array(field)).reduce(0) { $0 << 8 | UInt64($1) }
        }
        let type = number(head, 16, 2)
        let tableOffset = is64 ? number(head, 32, 8) : number(head, 28, 4)
        let entrySize = Int(number(head, is64 ? 54 : 42, 2))
        let count = Int(number(head, is64 ? 56 : 44, 2))
        guard type == executable || type == shared else { return ELFHeader(interpreter: nil, isProgram: false) }
        guard count <= CodeIdentityLimits.elfSegments.value, count == 0 || entrySize >= (is64 ? 56 : 32),
            let table = try? source.read(at: tableOffset, count: count * entrySize)
        else { return nil }

        var interpreter: String?
        // A static program that can lie anywhere is a shared object without a loader; only a flag tells it from a library.
        var isStaticProgram = type == executable
        for start in stride(from: 0, to: count * entrySize, by: max(entrySize, 1)) {
            let kind = number(table, start, 4)
            guard kind == interpreterSegment || kind == dynamicSegment else { continue }
            let offset = is64 ? number(table, start + 8, 8) : number(table, start + 4, 4)
            let size = is64 ? number(table, start + 32, 8) : number(table, start + 16, 4)
            guard size <= UInt64(CodeIdentityLimits.elfSegmentBytes.value),
                let bytes = try? source.read(at: offset, count: Int(size))
            else { return nil }
            if kind == interpreterSegment {
                interpreter = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                continue
            }
            let width = is64 ? 8 : 4
            for entry in stride(from: 0, through: bytes.count - 2 * width, by: 2 * width)
            where number(bytes, entry, width) == flagsTag {
                let flags = number(bytes, entry + width, width)
                isStaticProgram = isStaticProgram || flags & positionIndependentProgram != 0
            }
        }
        return ELFHeader(interpreter: interpreter, isProgram: interpreter != nil || isStaticProgram)
    }
}
