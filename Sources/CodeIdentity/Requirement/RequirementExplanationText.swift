// SPDX-License-Identifier: Apache-2.0

// How hostile bytes are shown to people.

import FlowModel

enum ExplanationText {
    /// Bytes as quoted text, or as hexadecimal if a terminal would act on them; cut at `explanationText`.
    static func quoted(_ bytes: some Collection<UInt8>) -> String {
        let most = CodeIdentityLimits.explanationText.value
        var shown = Array(bytes.prefix(most))
        let ending = bytes.count > most ? "… (\(bytes.count) bytes)" : ""
        // A cut inside a character takes off up to three bytes.
        for _ in 0..<(ending.isEmpty ? 0 : 3) where String(validating: shown, as: UTF8.self) == nil {
            shown.removeLast()
        }
        guard let text = String(validating: shown, as: UTF8.self), text.unicodeScalars.allSatisfy(isHarmless) else {
            return "0x" + Hexadecimal.text(bytes.prefix(most / 2))
                + (bytes.count > most / 2 ? "… (\(bytes.count) bytes)" : "")
        }
        return "\"" + text.unicodeScalars.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined() + "\""
            + ending
    }

    /// An atom's text, cut where it would be longer than any that shows its values cut.
    static func cut(_ text: String) -> String {
        let most = 4 * CodeIdentityLimits.explanationText.value
        return text.utf8.count <= most ? text : String(text.unicodeScalars.prefix(most)) + "…"
    }

    /// Not a control, format, private or unassigned character, nor a line or paragraph separator.
    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .privateUse, .unassigned, .surrogate, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }

    static func hash(_ bytes: [UInt8]) -> String {
        "H\"\(Hexadecimal.text(bytes.prefix(64)))\(bytes.count > 64 ? "…" : "")\""
    }

    static func slot(_ slot: Int) -> String {
        switch slot {
        case 0: "leaf"
        case -1: "root"
        default: String(slot)
        }
    }

    /// The text of a moment; a bare number of seconds outside of the years 0 to 9999.
    static func time(_ seconds: Int64) -> String { RequirementTimestamp.text(seconds) ?? "\(seconds) s after 2001" }
}
