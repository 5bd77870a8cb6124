// SPDX-License-Identifier: Apache-2.0

// Payment card numbers (ISO/IEC 7812-1): issuer range, length, Luhn digit, groups and neighbours.

import FlowModel

/// Confirms payment card numbers.
///
/// | written | length usual for the issuer | otherwise |
/// |---|---|---|
/// | in groups, one separator throughout | proved | high |
/// | bare | proved | medium; high beside a word such as "card" |
/// | bare JSON number, or after a slash | medium; high beside such a word | the same |
/// | bare, with a hyphen beside it; or one of a row of groups of four | medium | medium |
///
/// The last rows are what identifiers look like: one 16-digit number in forty passes issuer range and Luhn by chance.
enum PaymentCard {
    private static let lengths = 13...19

    static func confirm(at trigger: Int, in window: Window, isJSON: Bool) throws(Undecided) -> Match? {
        // In `%204111…` the first two digits are an escaped space.
        let isEscape = window.behind(trigger - 1) == UInt8(ascii: "%")
        let start = isEscape ? trigger + 2 : trigger
        guard window.isBoundary(before: start), !isDecimal(before: start, in: window) else { return nil }
        var prefix = 0
        for offset in start..<start + 4 {
            guard let digit = try window.byte(offset), digit.isDigit else { return nil }
            // No issuer's range begins with another digit, and a held year would be a pity.
            if offset == start, !(0x32...0x36).contains(digit) { return nil }
            prefix = prefix * 10 + Int(digit & 15)
        }
        guard let lengths = CardLengths.of(prefix: prefix) else { return nil }
        let run = try window.run(from: start, limit: Self.lengths.upperBound + 1) { $0.isDigit }
        if run == 4 { return try grouped(from: start, lengths, in: window) }
        guard Self.lengths.contains(run), lengths.isAllowed(run) else { return nil }
        return try bare(start..<start + run, lengths, in: window, isJSON: isJSON)
    }

    // MARK: Bare numbers

    private static func bare(
        _ range: Range<Int>, _ lengths: CardLengths, in window: Window, isJSON: Bool
    ) throws(Undecided) -> Match? {
        guard let digits = luhn(range, in: window), try isEnd(range.upperBound, in: window) else { return nil }
        let context = try NumberContext(around: range, in: window, isJSON: isJSON)
        var confidence = Confidence.proved
        if !lengths.isUsual(digits.count) || context.isValue || window.behind(range.lowerBound - 1) == UInt8(ascii: "/")
        {
            confidence = hasCardWord(before: range.lowerBound, in: window) ? .high : .medium
        }
        if try isHyphenated(range, in: window) { confidence = .medium }
        return Match(
            detector: .paymentCard, range: range, confidence: confidence,
            masked: Mask.card(window.bytes(range), asNumber: context.isNumber), normalised: digits)
    }

    private static func isHyphenated(_ range: Range<Int>, in window: Window) throws(Undecided) -> Bool {
        let hyphen = UInt8(ascii: "-")
        if window.behind(range.lowerBound - 1) == hyphen { return true }
        guard try window.byte(range.upperBound) == hyphen else { return false }
        return try !window.isBoundary(after: range.upperBound + 1)
    }

    /// Words that stand beside card numbers, the short ones between other bytes than letters.
    private static let words: [(text: [UInt8], isShort: Bool)] = [
        ("card", false), ("visa", false), ("master", false), ("maestro", false), ("amex", false), ("credit", false),
        ("debit", false), ("pan", true), ("cc", true),
    ].map { (Array($0.0.utf8), $0.1) }

    private static func hasCardWord(before offset: Int, in window: Window) -> Bool {
        let near = (offset - 48..<offset).compactMap { window.behind($0) }.map { $0.isLetter ? $0 | 0x20 : $0 }
        return words.contains { word in
            guard near.count >= word.text.count else { return false }
            return (0...near.count - word.text.count).contains { at in
                let after = at + word.text.count
                guard near[at..<after].elementsEqual(word.text) else { return false }
                return !word.isShort
                    || ((at == 0 || !near[at - 1].isLetter) && (after == near.count || !near[after].isLetter))
            }
        }
    }

    // MARK: Grouped numbers

    private static func grouped(from start: Int, _ lengths: CardLengths, in window: Window) throws(Undecided) -> Match?
    {
        guard let separator = try Separator.read(at: start + 4, in: window) else { return nil }
        // Groups of four, the last of one to four digits; or 4-6-4 and 4-6-5.
        var counts = [4]
        var ends = [start + 4]
        var offset = start + 4
        while counts.count < 5, try window.matches(separator.text, at: offset) {
            let run = try window.run(from: offset + separator.length, limit: 7) { $0.isDigit }
            let fits =
                counts.last == 6 ? run == 4 || run == 5 : (1...4).contains(run) || (run == 6 && counts.count == 1)
            guard fits else { break }
            offset += separator.length + run
            counts.append(run)
            ends.append(offset)
            if run != 6, run != 4 || counts.contains(6) { break }
        }
        // The usual length first: "4111 1111 1111 1111 123" is a number and its security code.
        for wantsUsual in [true, false] {
            for index in counts.indices.reversed() {
                let length = counts[...index].reduce(0, +)
                guard lengths.isAllowed(length), lengths.isUsual(length) == wantsUsual else { continue }
                let range = start..<ends[index]
                guard let digits = luhn(range, in: window, separator), try isEnd(range.upperBound, in: window) else {
                    continue
                }
                let row = try row(around: range, separator, in: window)
                guard row != .longerToken else { return nil }
                return Match(
                    detector: .paymentCard, range: range,
                    confidence: row == .moreGroups ? .medium : wantsUsual ? .proved : .high,
                    masked: Mask.card(window.bytes(range), asNumber: false), normalised: digits)
            }
        }
        return nil
    }

    private enum Row { case none, moreGroups, longerToken }

    /// Whether the groups go on, before or behind, with the same separator.
    ///
    /// A group with a letter counts too, as in tables of hexadecimal numbers; a word beside a number does not.
    private static func row(
        around range: Range<Int>, _ separator: Separator, in window: Window
    ) throws(Undecided) -> Row {
        var neighbours: [[UInt8]] = []
        if try window.matches(separator.text, at: range.upperBound) {
            let start = range.upperBound + separator.length
            let run = try window.run(from: start, limit: 5) { $0.isAlphanumeric }
            neighbours.append(window.bytes(start..<start + run))
        }
        let end = range.lowerBound - separator.length
        if window.behind(end) != nil, try window.matches(separator.text, at: end) {
            var run = 0
            while run < 5, window.behind(end - 1 - run)?.isAlphanumeric == true { run += 1 }
            neighbours.append(window.bytes(end - run..<end))
        }
        let groups = neighbours.filter { $0.contains(where: \.isDigit) }
        if separator == .hyphen, !groups.isEmpty { return .longerToken }
        return groups.contains { $0.count == 4 } ? .moreGroups : .none
    }

    // MARK: Digits

    /// Whether a number may end at an offset: no word byte and no decimal fraction follows.
    private static func isEnd(_ offset: Int, in window: Window) throws(Undecided) -> Bool {
        guard try window.isBoundary(after: offset) else { return false }
        guard try window.byte(offset) == UInt8(ascii: "."), let next = try window.byte(offset + 1) else { return true }
        return !next.isDigit
    }

    /// Whether digits from here are a fraction: `0.4111`, `.4111`, but not `No.4111`.
    private static func isDecimal(before offset: Int, in window: Window) -> Bool {
        guard window.behind(offset - 1) == UInt8(ascii: ".") else { return false }
        return window.behind(offset - 2)?.isLetter != true
    }

    /// The digits of a range when their last one is right (ISO/IEC 7812-1 annex B); nil otherwise.
    private static func luhn(_ range: Range<Int>, in window: Window, _ separator: Separator? = nil) -> [UInt8]? {
        var digits: [UInt8] = []
        digits.reserveCapacity(range.count)
        var offset = range.lowerBound
        while offset < range.upperBound, let byte = window.behind(offset) {
            if byte.isDigit {
                digits.append(byte)
                offset += 1
            } else {
                // `%20` has digits of its own.
                offset += separator?.length ?? 1
            }
        }
        var sum = 0
        for (index, digit) in digits.reversed().enumerated() {
            let value = Int(digit & 15) << (index & 1)
            sum += value > 9 ? value - 9 : value
        }
        return sum % 10 == 0 ? digits : nil
    }
}
