// SPDX-License-Identifier: Apache-2.0

// Names of systemd units: validity, templates, escapes (systemd.unit(5)).

import FlowModel

/// A valid unit name, taken apart.
struct UnitName: Hashable {
    static let types: Set<String> = [
        "service", "socket", "device", "mount", "automount", "swap", "target", "path", "timer", "slice", "scope",
    ]

    /// The whole name.
    let text: String
    /// What stands before the `@` or the type.
    let prefix: String
    /// What stands between `@` and the type: empty for a template, nil for a plain unit.
    let instance: String?
    /// The suffix without its dot.
    let type: String

    /// Nil unless it is one: at most 255 of the allowed characters, a prefix and a known type.
    init?(_ text: some StringProtocol) {
        let allowed = { (byte: UInt8) -> Bool in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            // - . : @ \ _
            case 0x2D, 0x2E, 0x3A, 0x40, 0x5C, 0x5F: true
            default: false
            }
        }
        guard text.utf8.count <= 255, text.utf8.allSatisfy(allowed), let dot = text.lastIndex(of: ".") else {
            return nil
        }
        let type = String(text[text.index(after: dot)...])
        let stem = text[..<dot]
        let parts = stem.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard Self.types.contains(type), let prefix = parts.first, !prefix.isEmpty else { return nil }
        self.text = String(text)
        self.prefix = String(prefix)
        self.instance = parts.count == 2 ? String(parts[1]) : nil
        self.type = type
    }

    /// The template of an instance: `getty@.service` for `getty@tty1.service`.
    var template: String? { instance.map { $0.isEmpty ? nil : "\(prefix)@.\(type)" } ?? nil }

    /// The folders, without `.d`, whose drop-ins apply to the unit, the most specific first.
    ///
    /// The name, its template, the same with the prefix cut after each dash (`foo-bar.service`: `foo-.service`), and
    /// the type alone.
    var dropInNames: [String] {
        var names = [text]
        if let template { names.append(template) }
        var rest = prefix[...]
        while names.count < CodeIdentityLimits.unitNames.value {
            if rest.last == "-" { rest = rest.dropLast() }
            guard let dash = rest.lastIndex(of: "-") else { break }
            rest = rest[...dash]
            if let instance {
                names.append("\(rest)@\(instance).\(type)")
                names.append("\(rest)@.\(type)")
            } else {
                names.append("\(rest).\(type)")
            }
        }
        names.append(type)
        return names
    }

    /// A name with systemd's `\xNN` read back; what is no escape stays as it is.
    static func unescaped(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.first {
            if rest.begins(with: "\\x"), rest.count >= 4, let value = Hexadecimal.bytes(rest.dropFirst(2).prefix(2)) {
                bytes += value
                rest = rest.dropFirst(4)
            } else {
                bytes.append(byte)
                rest = rest.dropFirst()
            }
        }
        return ProcFields.text(bytes)
    }
}
