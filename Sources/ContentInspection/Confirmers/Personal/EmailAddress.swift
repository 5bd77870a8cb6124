// SPDX-License-Identifier: Apache-2.0

// E-mail addresses (RFC 5321), found from their `@` or `%40`, with the local part behind it.

import FlowModel

/// Confirms e-mail addresses of the form that people use: a dot-atom before the `@`, a host name behind it.
enum EmailAddress {
    static func confirm(at trigger: Int, floor: Int, in window: Window) throws(Undecided) -> Match? {
        let isEscaped = window.behind(trigger) == UInt8(ascii: "%")
        if isEscaped, try !window.matches("%40", at: trigger) { return nil }
        guard let local = localPart(before: trigger, floor: floor, in: window) else { return nil }
        let host = trigger + (isEscaped ? 3 : 1)
        let limit = ContentLimits.emailDomain.value + 1
        var run = try window.run(from: host, limit: limit) {
            $0.isAlphanumeric || $0.isOne(of: ".-")
        }
        guard run < limit else { return nil }
        // A full stop or a hyphen behind an address belongs to the sentence.
        while run > 0, let last = window.behind(host + run - 1), !last.isAlphanumeric { run -= 1 }
        let range = local..<host + run
        let domain = window.bytes(host..<host + run)
        guard try window.byte(range.upperBound) != UInt8(ascii: "_"), isHostName(domain) else { return nil }
        let address = window.bytes(range)
        let masked = Mask.all(address.prefix(trigger - local)) + address.dropFirst(trigger - local)
        guard masked != address else { return nil }
        return Match(
            detector: .email, range: range, confidence: .high, masked: masked,
            normalised: address.prefix(trigger - local) + [UInt8(ascii: "@")]
                + domain.map { $0.isUpper ? $0 | 0x20 : $0 })
    }

    /// Where the local part of an address begins whose `@` stands, or may come, at an offset; nil when there is none.
    ///
    /// Never before `floor`, where an earlier match ends.
    static func openLocalPart(before at: Int, floor: Int, in window: Window) -> Int? {
        var start = at
        let limit = ContentLimits.emailLocalPart.value
        while at - start <= limit, start > floor, let byte = window.behind(start - 1), isLocal(byte) { start -= 1 }
        return (1...limit).contains(at - start) ? start : nil
    }

    private static func localPart(before at: Int, floor: Int, in window: Window) -> Int? {
        guard var start = openLocalPart(before: at, floor: floor, in: window) else { return nil }
        // What an escape leaves behind is not of the address: `%3D`, `\n`. After another `@` it is a host name, after
        // `//` a user name in a URL.
        if start > floor {
            switch window.behind(start - 1) {
            case UInt8(ascii: "@"): return nil
            case UInt8(ascii: "/") where window.behind(start - 2) == UInt8(ascii: "/"): return nil
            case UInt8(ascii: "%"):
                if window.bytes(start..<start + 2).elementsEqual("40".utf8) { return nil }
                start += 2
            case UInt8(ascii: "\\") where window.behind(start)?.isSpaceEscape == true: start += 1
            default: break
            }
        }
        while start < at, window.behind(start)?.isAlphanumeric != true { start += 1 }
        return start < at && window.behind(at - 1) != UInt8(ascii: ".") ? start : nil
    }

    private static func isLocal(_ byte: UInt8) -> Bool { byte.isWord || byte.isOne(of: ".-+") }

    /// Endings of file names that follow an `@` in source code, such as `icon@2x.png`.
    private static let fileEndings: Set<String> = [
        "png", "jpg", "jpeg", "gif", "svg", "webp", "ico", "js", "mjs", "css", "html", "json", "ts", "map",
    ]

    private static func isHostName(_ name: [UInt8]) -> Bool {
        let labels = name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.count >= 2, let last = labels.last, (2...63).contains(last.count) else { return false }
        for label in labels {
            guard (1...63).contains(label.count), label.first != UInt8(ascii: "-"), label.last != UInt8(ascii: "-")
            else { return false }
        }
        let ending = String(decoding: last, as: UTF8.self).lowercased()
        return (last.allSatisfy(\.isLetter) || ending.hasPrefix("xn--")) && !fileEndings.contains(ending)
    }
}
