// SPDX-License-Identifier: Apache-2.0

// Writes property lists and makes random ones, for the tests of the readers.

@testable import CodeIdentity

/// Random property lists that are the same in every run.
struct PropertyListSeed: RandomNumberGenerator {
    private var random: SeededRandom

    init(state: UInt64) { random = SeededRandom(state: state) }

    mutating func next() -> UInt64 { random.next() }

    /// Any value that both forms of a list can hold; dates in whole seconds from year 1 to 4000.
    mutating func value(depth: Int = 4) -> PropertyListValue {
        switch Int.random(in: 0..<(depth == 0 ? 6 : 9), using: &self) {
        case 0: .boolean(.random(using: &self))
        case 1: .integer(Int64(bitPattern: next()) >> Int64.random(in: 0..<64, using: &self))
        case 2: .real(Double.random(in: -1e9...1e9, using: &self))
        case 3: .date(Double(Int.random(in: -63_113_904_000...63_000_000_000, using: &self)))
        case 4: .data((0..<Int.random(in: 0..<40, using: &self)).map { _ in .random(in: 0...255, using: &self) })
        case 5: .string(text())
        case 6: .array((0..<Int.random(in: 0..<20, using: &self)).map { _ in value(depth: depth - 1) })
        default: .dictionary(entries(depth: depth - 1))
        }
    }

    mutating func entries(depth: Int = 4) -> [String: PropertyListValue] {
        var entries: [String: PropertyListValue] = [:]
        for _ in 0..<Int.random(in: 0..<20, using: &self) { entries[text()] = value(depth: depth) }
        return entries
    }

    mutating func text() -> String {
        let alphabet: [Character] = ["a", "Z", "<", "&", ">", "]", "\"", "'", "\n", " ", "é", "😀", "-", "/", "\r"]
        return String(
            (0..<Int.random(in: 0..<24, using: &self)).map { _ in alphabet.randomElement(using: &self) ?? "x" })
    }
}

enum PropertyListWriter {
    static let head =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
        + "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n"

    /// A whole list with this between `<plist>` and `</plist>`.
    static func document(_ content: String) -> [UInt8] { Array((head + content + "\n</plist>\n").utf8) }

    static func xml(_ value: PropertyListValue) -> String {
        switch value {
        case .string(let text): "<string>\(escaped(text))</string>"
        case .integer(let number): "<integer>\(number)</integer>"
        case .real(let number): "<real>\(number)</real>"
        case .boolean(let flag): flag ? "<true/>" : "<false/>"
        case .date(let seconds): "<date>\(date(Int(seconds)))</date>"
        case .data(let bytes): "<data>\n\(base64(bytes))\n</data>"
        case .array(let elements): "<array>\n" + elements.map { xml($0) }.joined(separator: "\n") + "</array>"
        case .dictionary(let entries):
            "<dict>" + sorted(entries).map { "<key>\(escaped($0.key))</key>\n\t" + xml($0.value) }.joined() + "</dict>"
        }
    }

    /// In one order, so that one value is always written as the same bytes.
    private static func sorted(
        _ entries: [String: PropertyListValue]
    ) -> [(key: String, value: PropertyListValue)] {
        entries.sorted { $0.key < $1.key }
    }

    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar {
            case "<": "&lt;"
            case "&": "&amp;"
            case ">": "&#x3e;"
            case "\"": "&quot;"
            case "'": "&apos;"
            case "\r": "&#13;"
            default: String(Character(scalar))
            }
        }.joined()
    }

    private static func date(_ seconds: Int) -> String {
        // Counting years and months one by one: another way than the reader's.
        func pad(_ number: Int, _ width: Int) -> String {
            String(repeating: "0", count: max(0, width - String(number).count)) + String(number)
        }
        func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }
        var days = Int((Double(seconds) / 86400).rounded(.down))
        let rest = seconds - days * 86400
        var year = 2001
        while days < 0 {
            year -= 1
            days += isLeap(year) ? 366 : 365
        }
        while days >= (isLeap(year) ? 366 : 365) {
            days -= isLeap(year) ? 366 : 365
            year += 1
        }
        var month = 1
        for length in [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
            if days < length { break }
            days -= length
            month += 1
        }
        return "\(pad(year, 4))-\(pad(month, 2))-\(pad(days + 1, 2))T"
            + "\(pad(rest / 3600, 2)):\(pad(rest / 60 % 60, 2)):\(pad(rest % 60, 2))Z"
    }

    static func base64(_ bytes: [UInt8]) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0..<4 { text.append(place <= group.count ? digits[bits >> (18 - 6 * place) & 63] : "=") }
        }
        return text
    }

    /// The binary form, each object written once for each time it is used.
    static func binary(_ value: PropertyListValue) -> [UInt8] {
        var objects: [[UInt8]] = []
        _ = add(value, to: &objects)
        return assemble(objects)
    }

    /// A binary list of these objects, the first on top, with references and offsets of `width` bytes.
    static func assemble(_ objects: [[UInt8]], referenceWidth: UInt8 = 4, count: Int? = nil) -> [UInt8] {
        var bytes = Array("bplist00".utf8)
        var table: [UInt8] = []
        for object in objects {
            table += big(UInt64(bytes.count), 4)
            bytes += object
        }
        let tableStart = bytes.count
        bytes += table
        bytes += [0, 0, 0, 0, 0, 0, 4, referenceWidth]
        return bytes + big(UInt64(count ?? objects.count), 8) + big(0, 8) + big(UInt64(tableStart), 8)
    }

    static func big(_ value: UInt64, _ width: Int) -> [UInt8] {
        (0..<width).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }

    static func header(_ kind: UInt8, _ count: Int) -> [UInt8] {
        count < 15 ? [kind << 4 | UInt8(count)] : [kind << 4 | 15, 0x12] + big(UInt64(count), 4)
    }

    private static func add(_ value: PropertyListValue, to objects: inout [[UInt8]]) -> Int {
        let place = objects.count
        objects.append([])
        switch value {
        case .boolean(let flag): objects[place] = [flag ? 9 : 8]
        case .integer(let number):
            objects[place] = 0..<256 ~= number ? [0x10, UInt8(number)] : [0x13] + big(UInt64(bitPattern: number), 8)
        case .real(let number): objects[place] = [0x23] + big(number.bitPattern, 8)
        case .date(let number): objects[place] = [0x33] + big(number.bitPattern, 8)
        case .data(let bytes): objects[place] = header(4, bytes.count) + bytes
        case .string(let text):
            let isASCII = text.utf8.allSatisfy { $0 < 0x80 }
            objects[place] =
                isASCII
                ? header(5, text.utf8.count) + Array(text.utf8)
                : header(6, text.utf16.count) + text.utf16.flatMap { big(UInt64($0), 2) }
        case .array(let elements):
            var object = header(0xA, elements.count)
            for element in elements { object += big(UInt64(add(element, to: &objects)), 4) }
            objects[place] = object
        case .dictionary(let entries):
            var object = header(0xD, entries.count)
            for entry in sorted(entries) { object += big(UInt64(add(.string(entry.key), to: &objects)), 4) }
            for entry in sorted(entries) { object += big(UInt64(add(entry.value, to: &objects)), 4) }
            objects[place] = object
        }
        return place
    }
}
