// SPDX-License-Identifier: Apache-2.0

// Reads the binary form of a property list: objects that point at each other by number, so everything is checked.

import FlowModel

/// Reads one binary property list (`bplist00`, CFBinaryPList.c).
///
/// An array or dictionary may be pointed at once only: Apple's writer never shares them, and so there are no cycles
/// and no lists that grow without bound when written out. Objects may not overlap, which bounds strings likewise.
/// Sets, null and keyed-archiver UIDs, which XML lists do not have, are refused.
struct BinaryPropertyListReader {
    private let bytes: [UInt8]
    private let objectCount: Int
    private let offsetSize: Int
    private let referenceSize: Int
    private let tableStart: Int
    /// Bytes of objects read so far.
    private var claimed = 0
    private var items = 0
    private var containers: Set<Int> = []
    /// Strings, numbers and data, which may be shared.
    private var scalars: [Int: PropertyListValue] = [:]
    /// Those strings that were found fit to be keys.
    private var keys: [Int: String] = [:]

    static func read(_ bytes: [UInt8]) throws(CodeProblem) -> PropertyListValue {
        guard bytes.starts(with: "bplist00".utf8) else {
            throw CodeProblem(.propertyListFormat, at: 0, "a binary property list of another version than 00")
        }
        guard bytes.count > 8 + 32 else {
            throw CodeProblem(.propertyListSyntax, at: UInt64(bytes.count), "the binary property list is cut")
        }
        let trailer = bytes.count - 32
        let (count, top) = (unsigned(bytes, trailer + 8, 8), unsigned(bytes, trailer + 16, 8))
        let table = unsigned(bytes, trailer + 24, 8)
        let (offsetSize, referenceSize) = (Int(bytes[trailer + 6]), Int(bytes[trailer + 7]))
        let limit = CodeIdentityLimits.propertyListItems
        guard count <= UInt64(limit.value) else { throw .beyond(limit, at: trailer, "objects") }
        guard 1...8 ~= offsetSize, 1...8 ~= referenceSize, top < count, 9..<UInt64(trailer) ~= table,
            count * UInt64(offsetSize) == UInt64(trailer) - table
        else {
            throw CodeProblem(
                .propertyListReference, at: UInt64(trailer), "the trailer does not fit the length of the list")
        }
        var reader = Self(
            bytes: bytes, objectCount: Int(count), offsetSize: offsetSize, referenceSize: referenceSize,
            tableStart: Int(table))
        return try reader.value(of: Int(top), depth: 0)
    }

    private init(bytes: [UInt8], objectCount: Int, offsetSize: Int, referenceSize: Int, tableStart: Int) {
        self.bytes = bytes
        self.objectCount = objectCount
        self.offsetSize = offsetSize
        self.referenceSize = referenceSize
        self.tableStart = tableStart
    }

    /// The number in `size` bytes, which must lie inside.
    private static func unsigned(_ bytes: [UInt8], _ offset: Int, _ size: Int) -> UInt64 {
        bytes[offset..<offset + size].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The depth bounds the recursion.
    private mutating func value(of object: Int, depth: Int) throws(CodeProblem) -> PropertyListValue {
        items += 1
        guard items <= CodeIdentityLimits.propertyListItems.value else {
            throw .beyond(CodeIdentityLimits.propertyListItems, "values")
        }
        if let scalar = scalars[object] { return scalar }
        let offset = try offset(of: object)
        let marker = bytes[offset]
        guard marker >> 4 == 0xA || marker >> 4 == 0xD else {
            let scalar = try scalar(marker, at: offset)
            scalars[object] = scalar
            return scalar
        }
        guard depth < CodeIdentityLimits.propertyListDepth.value else {
            throw .beyond(CodeIdentityLimits.propertyListDepth, at: offset, "values inside each other")
        }
        guard containers.insert(object).inserted else {
            throw reference("an array or dictionary that is pointed at twice", at: offset)
        }
        let isDictionary = marker >> 4 == 0xD
        let (start, count) = try payload(marker, at: offset, unit: isDictionary ? 2 * referenceSize : referenceSize)
        if !isDictionary {
            var elements: [PropertyListValue] = []
            elements.reserveCapacity(count)
            for place in 0..<count { elements.append(try value(of: target(start, place), depth: depth + 1)) }
            return .array(elements)
        }
        var entries: [String: PropertyListValue] = [:]
        entries.reserveCapacity(count)
        for place in 0..<count {
            let key = try key(target(start, place), at: offset, depth: depth + 1)
            let value = try value(of: target(start, count + place), depth: depth + 1)
            guard entries.updateValue(value, forKey: key) == nil else {
                throw CodeProblem(.propertyListDuplicateKey, at: UInt64(offset), "the dictionary has a key twice")
            }
        }
        return .dictionary(entries)
    }

    /// The key that an object stands for in the dictionary at `offset`.
    private mutating func key(_ object: Int, at offset: Int, depth: Int) throws(CodeProblem) -> String {
        if let key = keys[object] {
            // Many dictionaries may share one long key, which is hashed each time: it counts by its length.
            items += key.utf8.count / 64
            return key
        }
        guard case .string(let key) = try value(of: object, depth: depth) else {
            throw CodeProblem(.propertyListSyntax, at: UInt64(offset), "the dictionary has a key that is no string")
        }
        try PropertyListText.checkKey(key, at: offset)
        keys[object] = key
        return key
    }

    private mutating func scalar(_ marker: UInt8, at offset: Int) throws(CodeProblem) -> PropertyListValue {
        let low = Int(marker & 15)
        switch marker >> 4 {
        case 0 where low == 8 || low == 9:
            try claim(1, at: offset)
            return .boolean(low == 9)
        case 1 where low <= 4:
            let number = try fixed(1 << low, at: offset)
            return .integer(try integer(number, at: offset))
        case 2 where low == 2:
            let number = try fixed(4, at: offset)
            return .real(try finite(Double(Float(bitPattern: UInt32(truncatingIfNeeded: number.low))), at: offset))
        case 2 where low == 3:
            return .real(try finite(Double(bitPattern: try fixed(8, at: offset).low), at: offset))
        case 3 where low == 3:
            return .date(try finite(Double(bitPattern: try fixed(8, at: offset).low), at: offset))
        case 4:
            let (start, count) = try payload(marker, at: offset, unit: 1)
            return .data(Array(bytes[start..<start + count]))
        case 5:
            let (start, count) = try payload(marker, at: offset, unit: 1)
            guard bytes[start..<start + count].allSatisfy({ $0 < 0x80 }) else {
                throw CodeProblem(.propertyListText, at: UInt64(offset), "an ASCII string with other characters")
            }
            return .string(try PropertyListText.string(bytes[start..<start + count], at: offset))
        case 6:
            let (start, count) = try payload(marker, at: offset, unit: 2)
            let units = (0..<count).map { UInt16(bytes[start + 2 * $0]) << 8 | UInt16(bytes[start + 2 * $0 + 1]) }
            guard let text = String(validating: units, as: UTF16.self) else {
                throw CodeProblem(.propertyListText, at: UInt64(offset), "a string that is not UTF-16")
            }
            try PropertyListText.check(text, at: offset)
            return .string(text)
        default:
            throw CodeProblem(
                .propertyListSyntax, at: UInt64(offset), "the object 0x\(String(marker, radix: 16)) is not read")
        }
    }

    private func integer(_ number: (high: UInt64, low: UInt64), at offset: Int) throws(CodeProblem) -> Int64 {
        let value = Int64(bitPattern: number.low)
        // Sixteen bytes hold what eight signed ones cannot; other sizes come with the high half that their sign says.
        guard number.high == (value < 0 ? UInt64.max : 0) else {
            throw CodeProblem(.propertyListValue, at: UInt64(offset), "an integer beyond 64 bits")
        }
        return value
    }

    private func finite(_ value: Double, at offset: Int) throws(CodeProblem) -> Double {
        guard value.isFinite else { throw CodeProblem(.propertyListValue, at: UInt64(offset), "not a finite number") }
        return value
    }

    /// The number after a marker, as 128 bits: signed if it has eight bytes or more, as Apple's reader takes it.
    private mutating func fixed(_ size: Int, at offset: Int) throws(CodeProblem) -> (high: UInt64, low: UInt64) {
        try claim(1 + size, at: offset)
        if size == 16 { return (Self.unsigned(bytes, offset + 1, 8), Self.unsigned(bytes, offset + 9, 8)) }
        let low = Self.unsigned(bytes, offset + 1, size)
        return (size == 8 && low >> 63 == 1 ? .max : 0, low)
    }

    /// Where the content of an object lies and of how many units it is, checked and claimed.
    private mutating func payload(_ marker: UInt8, at offset: Int, unit: Int) throws(CodeProblem) -> (Int, Int) {
        var header = 1
        var count = UInt64(marker & 15)
        if count == 15 {
            guard offset + 2 < tableStart, 0x10...0x13 ~= bytes[offset + 1] else {
                throw reference("the object does not say how long it is", at: offset)
            }
            let size = 1 << Int(bytes[offset + 1] & 15)
            guard offset + 2 + size <= tableStart else { throw reference("the object is cut", at: offset) }
            count = Self.unsigned(bytes, offset + 2, size)
            header = 2 + size
        }
        guard count <= UInt64(tableStart) else { throw reference("the object is longer than the list", at: offset) }
        // Sixteen at most times the length of the list, which is bounded: no overflow.
        try claim(header + Int(count) * unit, at: offset)
        return (offset + header, Int(count))
    }

    /// Takes the bytes of an object, once: together objects cannot have more than there are.
    private mutating func claim(_ size: Int, at offset: Int) throws(CodeProblem) {
        guard size <= tableStart - offset else { throw reference("the object is cut", at: offset) }
        claimed += size
        guard claimed <= tableStart - 8 else { throw reference("objects overlap, this one at the latest", at: offset) }
    }

    private func offset(of object: Int) throws(CodeProblem) -> Int {
        let offset = Self.unsigned(bytes, tableStart + object * offsetSize, offsetSize)
        guard 8..<UInt64(tableStart) ~= offset else {
            throw reference("object \(object) lies outside", at: tableStart + object * offsetSize)
        }
        return Int(offset)
    }

    /// The object that a reference names; the reference itself was claimed.
    private func target(_ start: Int, _ place: Int) throws(CodeProblem) -> Int {
        let offset = start + place * referenceSize
        let object = Self.unsigned(bytes, offset, referenceSize)
        guard object < UInt64(objectCount) else { throw reference("there is no object \(object)", at: offset) }
        return Int(object)
    }

    private func reference(_ detail: String, at offset: Int) -> CodeProblem {
        CodeProblem(.propertyListReference, at: UInt64(offset), detail)
    }
}
