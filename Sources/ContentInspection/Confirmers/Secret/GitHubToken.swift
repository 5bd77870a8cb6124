// SPDX-License-Identifier: Apache-2.0

// GitHub tokens: `ghp_` and its kin with a checksum, and `github_pat_`.

import CZlib
import FlowModel

/// Confirms GitHub tokens.
///
/// A classic token's last six characters are the CRC-32 of the thirty before, in base 62: right is proved, wrong is
/// medium. A fine-grained token has no published checksum and is high by its shape.
enum GitHubToken {
    static func confirm(at start: Int, in window: Window) throws(Undecided) -> Match? {
        guard window.isBoundary(before: start), try window.byte(start) == UInt8(ascii: "g") else { return nil }
        switch try window.byte(start + 1) {
        case UInt8(ascii: "h"): return try classic(start, in: window)
        case UInt8(ascii: "i"): return try fineGrained(start, in: window)
        default: return nil
        }
    }

    private static func classic(_ start: Int, in window: Window) throws(Undecided) -> Match? {
        guard let kind = try window.byte(start + 2), kind.isOne(of: "pousr"),
            try window.byte(start + 3) == UInt8(ascii: "_"), try isPart(start + 4, 36, in: window)
        else { return nil }
        let token = window.bytes(start..<start + 40)
        let isRight = token.suffix(6).elementsEqual(checksum(of: token[4..<34]))
        return match(token, at: start, isRight ? .proved : .medium, keeping: 4)
    }

    private static func fineGrained(_ start: Int, in window: Window) throws(Undecided) -> Match? {
        guard try window.matches("github_pat_", at: start),
            try window.run(from: start + 11, limit: 22, { $0.isAlphanumeric }) == 22,
            try window.byte(start + 33) == UInt8(ascii: "_"), try isPart(start + 34, 59, in: window)
        else { return nil }
        return match(window.bytes(start..<start + 93), at: start, .high, keeping: 11)
    }

    /// Whether exactly `count` letters and digits stand at an offset.
    private static func isPart(_ offset: Int, _ count: Int, in window: Window) throws(Undecided) -> Bool {
        guard try window.run(from: offset, limit: count, { $0.isAlphanumeric }) == count else { return false }
        return try window.isBoundary(after: offset + count)
    }

    private static func match(_ token: [UInt8], at start: Int, _ confidence: Confidence, keeping prefix: Int) -> Match?
    {
        let masked = Mask.alphanumerics(token, keeping: 0..<prefix)
        // What is masked already, by us or in a document, is no token.
        guard masked != token else { return nil }
        return Match(
            detector: .gitHubToken, range: start..<start + token.count, confidence: confidence, masked: masked,
            normalised: token)
    }

    private static func checksum(of body: ArraySlice<UInt8>) -> [UInt8] {
        let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
        var value = body.withUnsafeBufferPointer { Int(crc32(0, $0.baseAddress, UInt32($0.count))) }
        var digits: [UInt8] = []
        for _ in 0..<6 {
            digits.append(alphabet[value % 62])
            value /= 62
        }
        return digits.reversed()
    }
}
