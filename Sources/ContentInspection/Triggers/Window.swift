// SPDX-License-Identifier: Apache-2.0

// The part of a stream that confirmers can see.

/// Thrown by a read beyond the bytes that have come.
struct Undecided: Error {}

/// Kept bytes followed by those of the current call, addressed by their offsets in the stream.
///
/// This is why cuts do not matter: a confirmer is a pure function that reads through a window, from `lookBehind` bytes
/// before its trigger on. Reading past the last byte throws `Undecided` and the confirmer is asked again when there is
/// more, so an answer, once given, never depended on where the bytes were cut.
struct Window {
    private let kept: UnsafeBufferPointer<UInt8>
    let fresh: UnsafeBufferPointer<UInt8>
    private let start: Int
    /// The offset of the first fresh byte.
    let border: Int
    let end: Int
    /// Whether the field ends with these bytes.
    let isLast: Bool

    init(kept: UnsafeBufferPointer<UInt8>, fresh: UnsafeBufferPointer<UInt8>, border: Int, isLast: Bool) {
        self.kept = kept
        self.fresh = fresh
        self.border = border
        self.isLast = isLast
        start = border - kept.count
        end = border + fresh.count
    }

    /// The byte at an offset; nil before the start of the field and after its end.
    @inline(__always)
    func byte(_ offset: Int) throws(Undecided) -> UInt8? {
        if offset >= end {
            if isLast { return nil }
            throw Undecided()
        }
        return behind(offset)
    }

    /// The byte at an offset that has come; nil for all others.
    @inline(__always)
    func behind(_ offset: Int) -> UInt8? {
        guard offset >= start, offset < end else { return nil }
        return offset < border ? kept[offset - start] : fresh[offset - border]
    }

    /// The bytes of a range that has come.
    func bytes(_ range: Range<Int>) -> [UInt8] { range.compactMap { behind($0) } }

    /// Whether `literal` stands at an offset.
    func matches(_ literal: some Collection<UInt8>, at offset: Int) throws(Undecided) -> Bool {
        var position = offset
        for expected in literal {
            guard try byte(position) == expected else { return false }
            position += 1
        }
        return true
    }

    func matches(_ literal: StaticString, at offset: Int) throws(Undecided) -> Bool {
        for index in 0..<literal.utf8CodeUnitCount {
            guard try byte(offset + index) == literal.utf8Start[index] else { return false }
        }
        return true
    }

    /// How many bytes from an offset on satisfy a condition, counted up to a limit.
    @inline(__always)
    func run(from offset: Int, limit: Int, _ belongs: (UInt8) -> Bool) throws(Undecided) -> Int {
        var count = 0
        while count < limit, let next = try byte(offset + count), belongs(next) { count += 1 }
        return count
    }
}
