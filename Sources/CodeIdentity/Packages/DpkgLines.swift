// SPDX-License-Identifier: Apache-2.0

// The lines of one file of dpkg's database.

/// Walks the lines of a file, each ended by a line feed.
///
/// A tail without one is never given: half a path or digest would be another one.
struct DpkgLines {
    /// The file's name below dpkg's folder, for problems.
    let file: String
    let bytes: [UInt8]
    /// The number of the line last given, from 1.
    private(set) var number = 0
    private var start = 0

    init(_ bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
    }

    /// The bytes of the next line without its line feed; nil at the end.
    mutating func next() -> Range<Int>? {
        guard let end = lineFeed else { return nil }
        defer { start = end + 1 }
        number += 1
        return start..<end
    }

    private var lineFeed: Int? {
        let span = bytes.span
        var place = start
        while place < span.count {
            if span[place] == UInt8(ascii: "\n") { return place }
            place += 1
        }
        return nil
    }

    /// Asked after the last line: the tail without a line feed, if there is one.
    var cut: CodeProblem? {
        start == bytes.count
            ? nil
            : CodeProblem(.packageCut, at: UInt64(start), "\(file) line \(number + 1) ends without a line feed")
    }

    func problem(_ code: CodeProblem.Code = .packageLine, at offset: Int, _ detail: String) -> CodeProblem {
        CodeProblem(code, at: UInt64(offset), "\(file) line \(number): \(detail)")
    }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
}

/// An MD5 as two numbers: a third of the room an array takes.
struct MD5Digest: Hashable, Sendable {
    let high: UInt64
    let low: UInt64

    /// Reads 32 hexadecimal digits; nil for anything else.
    init?(hexadecimal digits: Span<UInt8>) {
        guard digits.count == 32 else { return nil }
        var halves: (UInt64, UInt64) = (0, 0)
        for index in digits.indices {
            let digit: UInt8
            switch digits[index] {
            case let byte where byte >= 0x30 && byte <= 0x39: digit = byte - 0x30
            case let byte where byte >= 0x61 && byte <= 0x66: digit = byte - 0x57
            case let byte where byte >= 0x41 && byte <= 0x46: digit = byte - 0x37
            default: return nil
            }
            if index < 16 { halves.0 = halves.0 << 4 | UInt64(digit) } else { halves.1 = halves.1 << 4 | UInt64(digit) }
        }
        (high, low) = halves
    }

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
            for index in 0..<16 {
                let half = index < 8 ? high : low
                buffer.initializeElement(at: index, to: UInt8(truncatingIfNeeded: half >> (56 - 8 * (index & 7))))
            }
            count = 16
        }
    }
}
