// SPDX-License-Identifier: Apache-2.0

// Numbers and strings at given places of a block of bytes, each checked to lie inside it.

/// Which byte of a number comes first.
enum ByteOrder: Sendable {
    case little
    case big
}

/// Reads the fields of a structure that has been brought into memory.
///
/// Offsets count from the first byte of the block. What lies outside throws `outOfBounds`.
struct FieldReader: Sendable {
    let bytes: ArraySlice<UInt8>
    let order: ByteOrder
    /// Where the block begins in what is being read, so that errors name a place that can be looked up.
    let base: UInt64

    init(_ bytes: ArraySlice<UInt8>, order: ByteOrder = .big, base: UInt64 = 0) {
        self.bytes = bytes
        self.order = order
        self.base = base
    }

    var count: Int { bytes.count }

    /// The place of an offset in what is being read.
    func place(_ offset: Int) -> UInt64 { base &+ UInt64(clamping: offset) }

    func slice(at offset: Int, count: Int) throws(CodeProblem) -> ArraySlice<UInt8> {
        guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else {
            throw CodeProblem(
                .outOfBounds, at: place(offset), "\(count) bytes wanted at \(offset) of a block of \(bytes.count)")
        }
        let start = bytes.startIndex + offset
        return bytes[start..<start + count]
    }

    func u8(at offset: Int) throws(CodeProblem) -> UInt8 { try number(at: offset) }
    func u16(at offset: Int) throws(CodeProblem) -> UInt16 { try number(at: offset) }
    func u32(at offset: Int) throws(CodeProblem) -> UInt32 { try number(at: offset) }
    func u64(at offset: Int) throws(CodeProblem) -> UInt64 { try number(at: offset) }

    /// The bytes from an offset up to a NUL, which must lie inside the block.
    func string(at offset: Int) throws(CodeProblem) -> ArraySlice<UInt8> {
        guard offset >= 0, offset < bytes.count else {
            throw CodeProblem(.outOfBounds, at: place(offset), "a string at \(offset) of a block of \(bytes.count)")
        }
        let rest = bytes[(bytes.startIndex + offset)...]
        guard let end = rest.firstIndex(of: 0) else {
            throw CodeProblem(.outOfBounds, at: place(offset), "a string without its NUL")
        }
        return rest[..<end]
    }

    /// A name in a field of fixed size: the bytes up to a NUL, or all of them.
    func name(at offset: Int, count: Int) throws(CodeProblem) -> ArraySlice<UInt8> {
        try slice(at: offset, count: count).prefix { $0 != 0 }
    }

    private func number<Number: FixedWidthInteger & UnsignedInteger>(at offset: Int) throws(CodeProblem) -> Number {
        var value: Number = 0
        switch order {
        case .big: for byte in try slice(at: offset, count: Number.bitWidth / 8) { value = value << 8 | Number(byte) }
        case .little:
            for byte in try slice(at: offset, count: Number.bitWidth / 8).reversed() {
                value = value << 8 | Number(byte)
            }
        }
        return value
    }
}
