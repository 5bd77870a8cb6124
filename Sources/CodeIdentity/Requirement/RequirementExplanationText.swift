// SPDX-License-Identifier: Apache-2.0

// How atoms and hostile bytes are shown to people.

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

    /// An object identifier in dotted form; hexadecimal if it is none.
    static func objectIdentifier(_ content: [UInt8]) -> String {
        var arcs: [UInt64] = []
        var arc: UInt64 = 0
        guard content.count <= 64, content.last.map({ $0 < 0x80 }) == true else { return hex(content) }
        for byte in content {
            guard arc < 1 << 56 else { return hex(content) }
            arc = arc << 7 | UInt64(byte & 0x7F)
            if byte < 0x80 {
                arcs.append(arc)
                arc = 0
            }
        }
        let top = min(arcs[0] / 40, 2)
        return ([top, arcs[0] - top * 40] + arcs.dropFirst()).map { String($0) }.joined(separator: ".")
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        "0x" + Hexadecimal.text(bytes.prefix(64)) + (bytes.count > 64 ? "…" : "")
    }

    /// The text of a moment; a bare number of seconds outside of the years 0 to 9999.
    static func time(_ seconds: Int64) -> String { RequirementTimestamp.text(seconds) ?? "\(seconds) s after 2001" }

    /// One atom, close to the requirement language but not meant to be read back.
    static func atom(_ expression: RequirementExpression) -> String {
        switch expression {
        case .and, .or, .not: ""
        case .never: "never"
        case .always: "always"
        case .identifier(let name): "identifier \(quoted(name))"
        case .appleAnchor: "anchor apple"
        case .appleGenericAnchor: "anchor apple generic"
        case .certificateHash(let slot, let hash): "\(certificate(slot)) = \(Self.hash(hash))"
        case .legacyInfoValue(let key, let value): "info[\(quoted(key))]\(match(.equal(value)))"
        case .cdhash(let hash): "cdhash \(Self.hash(hash))"
        case .info(let key, let match): "info[\(quoted(key))]\(Self.match(match))"
        case .entitlement(let key, let match): "entitlement[\(quoted(key))]\(Self.match(match))"
        case .certificateField(let slot, let name, let match): "\(certificate(slot))[\(key(name))]\(Self.match(match))"
        case .certificateExtension(let slot, let oid, let match):
            "\(certificate(slot))[field.\(objectIdentifier(oid))]\(Self.match(match))"
        case .certificatePolicy(let slot, let oid, let match):
            "\(certificate(slot))[policy.\(objectIdentifier(oid))]\(Self.match(match))"
        case .certificateTimestamp(let slot, let oid, let match):
            "\(certificate(slot))[timestamp.\(objectIdentifier(oid))]\(Self.match(match))"
        case .certificateTrusted(let slot): "\(certificate(slot)) trusted"
        case .anchorTrusted: "anchor trusted"
        case .namedAnchor(let name): "anchor apple \(quoted(name))"
        case .namedCode(let name): "(\(quoted(name)))"
        case .platform(let number): "platform = \(number)"
        case .notarized: "notarized"
        case .legacyDeveloperID: "legacy"
        case .unknown(let opcode, _), .skipped(let opcode, _, _): "opcode 0x\(String(opcode, radix: 16))"
        case .osAnchor: "anchor os"
        case .package(let name): "package \(quoted(name))"
        case .unit(let name): "unit \(quoted(name))"
        case .path(let match): "path\(Self.match(match))"
        case .digest(let hash): "digest \(Self.hash(hash))"
        case .interpreter: "interpreter"
        case .user(let number): "user \(number)"
        }
    }

    private static func certificate(_ slot: Int32) -> String { "certificate \(Self.slot(Int(slot)))" }

    private static func key(_ name: [UInt8]) -> String {
        SubjectField.objectIdentifier(name) == nil ? quoted(name) : String(decoding: name, as: UTF8.self)
    }

    private static func match(_ match: RequirementMatch) -> String {
        switch match {
        case .exists: " exists"
        case .absent: " absent"
        case .equal(let value): " = \(quoted(value))"
        case .contains(let value): " ~ \(quoted(value))"
        case .beginsWith(let value): " = \(quoted(value))*"
        case .endsWith(let value): " = *\(quoted(value))"
        case .less(let value): " < \(quoted(value))"
        case .greater(let value): " > \(quoted(value))"
        case .lessOrEqual(let value): " <= \(quoted(value))"
        case .greaterOrEqual(let value): " >= \(quoted(value))"
        case .on(let moment): " = timestamp \"\(time(moment))\""
        case .before(let moment): " < timestamp \"\(time(moment))\""
        case .after(let moment): " > timestamp \"\(time(moment))\""
        case .onOrBefore(let moment): " <= timestamp \"\(time(moment))\""
        case .onOrAfter(let moment): " >= timestamp \"\(time(moment))\""
        case .unknown(let code, _): " match 0x\(String(code, radix: 16))"
        }
    }
}
