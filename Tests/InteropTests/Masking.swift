// SPDX-License-Identifier: Apache-2.0

// What goes out in the tests, and how it must arrive.

import TestKit
import Testing

/// Bodies with sensitive data in them.
enum Payload {
    /// What `redact` masks.
    static let secrets = [Sample.card, Sample.iban, Sample.token]

    static let json = """
        {"order": 1017, "note": "Grüße, please charge \(Sample.card) today", "refund": "\(Sample.iban)",
         "ci": {"token": "\(Sample.token)"}, "contact": "\(Sample.email)", "total": 1234.50}

        """

    static let form = "comment=see+below&iban=\(Sample.iban)&token=\(Sample.token)&last=1"

    /// Text of any length with the secrets at both ends and in the middle.
    static func long(_ count: Int) -> String {
        let filler = String(
            repeating: "All work and no play makes a dull body, line by line.\n", count: count / 108 + 1)
        return json + filler + json + filler + json
    }
}

/// Expects the bytes that were sent, each secret masked where it stood and nothing else changed.
func expectMasked(
    _ sent: String, _ received: [UInt8], secrets: [String] = Payload.secrets,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let sent = Array(sent.utf8)
    #expect(received.count == sent.count, "the length changed", sourceLocation: sourceLocation)
    guard received.count == sent.count else { return }
    var outside = [Bool](repeating: true, count: sent.count)
    for secret in secrets {
        let ranges = occurrences(of: Array(secret.utf8), in: sent)
        #expect(!ranges.isEmpty, "the test sends no \(secret.prefix(4))…", sourceLocation: sourceLocation)
        for range in ranges {
            for index in range { outside[index] = false }
            let changed = range.count { sent[$0] != received[$0] }
            // Separators and a few last characters may stay, for people to recognise the value by.
            #expect(changed * 2 >= range.count, "\(secret.prefix(4))… is not masked", sourceLocation: sourceLocation)
        }
    }
    let strays = sent.indices.filter { outside[$0] && sent[$0] != received[$0] }
    #expect(strays.isEmpty, "bytes changed that are no secret, at \(strays.prefix(5))", sourceLocation: sourceLocation)
}

/// Expects equal bytes without printing megabytes when they are not.
func expectSame(_ received: [UInt8], _ sent: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) {
    let same = received == sent
    #expect(
        same, "\(sent.count) bytes sent, \(received.count) received, or not the same ones",
        sourceLocation: sourceLocation)
}

func occurrences(of needle: [UInt8], in text: [UInt8]) -> [Range<Int>] {
    guard let first = needle.first, text.count >= needle.count else { return [] }
    var found: [Range<Int>] = []
    var index = 0
    while index + needle.count <= text.count {
        if text[index] == first, text[index..<index + needle.count].elementsEqual(needle) {
            found.append(index..<index + needle.count)
            index += needle.count
        } else {
            index += 1
        }
    }
    return found
}
