// SPDX-License-Identifier: Apache-2.0

// The first stage: the vector code against the plain code, and both against the definition.

import CByteScan
import Testing

@testable import ContentInspection

@Suite("The first stage")
struct ByteScanTests {
    private typealias Find =
        (UnsafePointer<UInt8>?, Int, UInt32, UnsafeMutablePointer<UInt32>?, Int, UnsafeMutablePointer<Int>?) -> Int

    private func triggers(_ bytes: [UInt8], _ kinds: UInt32, _ find: Find) -> [Int] {
        var found = [UInt32](repeating: 0, count: Int(WEIR_TRIGGER_CAPACITY))
        var all: [Int] = []
        var start = 0
        while bytes.count - start >= Int(WEIR_TRIGGER_BYTES) {
            var scanned = 0
            let count = Array(bytes[start...]).withUnsafeBufferPointer {
                find($0.baseAddress, $0.count, kinds, &found, found.count, &scanned)
            }
            all += found.prefix(count).map { start + Int($0) }
            start += scanned
        }
        return all
    }

    /// The definition, one byte at a time.
    private func isTrigger(_ bytes: [UInt8], _ at: Int, _ kinds: UInt32) -> Bool {
        let has = { (kind: weir_trigger) in kinds & kind.rawValue != 0 }
        let b = Array(bytes[at..<at + 7])
        let digits = b.map(\.isDigit)
        let isPair = b[0].isLetter && b[1].isLetter && digits[2] && digits[3]
        let isUpper = b[0].isUpper && b[1].isUpper
        let hyphens = b.map { $0 == UInt8(ascii: "-") }
        let isRun = digits[..<4] == [true, true, true, true] && (at == 0 || !bytes[at - 1].isDigit)
        return has(WEIR_TRIGGER_DIGIT_RUN) && isRun
            || has(WEIR_TRIGGER_UPPER_PAIR) && isPair && isUpper || has(WEIR_TRIGGER_OTHER_PAIR) && isPair && !isUpper
            || has(WEIR_TRIGGER_DASHES) && hyphens[..<6] == [true, true, true, true, true, false]
            || has(WEIR_TRIGGER_GH) && b[0] == UInt8(ascii: "g")
                && (b[3] == UInt8(ascii: "_") || b[6] == UInt8(ascii: "_"))
            || has(WEIR_TRIGGER_AT)
                && (b[0] == UInt8(ascii: "@") || b[0] == UInt8(ascii: "%") && digits[1] && digits[2])
    }

    @Test("Vectors, plain code and definition agree", arguments: 0..<40)
    func agreement(_ seed: Int) {
        var chance = Chance(seed: UInt64(seed))
        let alphabet = Array("0123456789------ABab_gg@%%z. \u{e9}".utf8) + [0, 0x80, 0xff]
        let bytes = (0..<Int.random(in: 0...700, using: &chance)).map { _ in
            alphabet[Int.random(in: 0..<alphabet.count, using: &chance)]
        }
        for kinds in [63, 1, 2, 4, 8, 16, 32, UInt32.random(in: 0...63, using: &chance)] {
            let expected = (0..<max(0, bytes.count - 6)).filter { isTrigger(bytes, $0, kinds) }
            // A call knows nothing of the byte before it, so it may take the middle of a run of digits for its start.
            let extra = { (found: [Int]) in Set(found).subtracting(expected).filter { !bytes[$0].isDigit } }
            for find in [weir_find_triggers, weir_find_triggers_plain] as [Find] {
                let found = triggers(bytes, kinds, find)
                #expect(found == found.sorted())
                #expect(Set(expected).isSubset(of: found) && extra(found).isEmpty)
            }
            #expect(triggers(bytes, kinds, weir_find_triggers) == triggers(bytes, kinds, weir_find_triggers_plain))
        }
    }

    @Test("The ASCII prefix ends at the first NUL or high byte")
    func asciiPrefix() {
        for length in 0..<40 {
            for bad in [0, 0x80, 0xff] as [UInt8] {
                for good in [1, 0x41, 0x7f] as [UInt8] {
                    let bytes = Array(repeating: good, count: length) + [bad] + Array(repeating: good, count: 9)
                    #expect(weir_ascii_prefix(bytes, bytes.count) == length)
                    #expect(weir_ascii_prefix(bytes, length) == length)
                }
            }
        }
    }
}
