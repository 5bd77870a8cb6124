// SPDX-License-Identifier: Apache-2.0

// Requirement trees as text.

/// Which text a tree is printed as.
public enum RequirementTextStyle: Sendable, Hashable {
    /// Apple's text, mended where it could not be read again, with the terms of Linux.
    ///
    /// What text cannot say, and what Weir does not know, prints so that no reader takes it for something else:
    /// an identifier, name or key that is not printable, an `unknown`, a negative platform, a time before the year 0000 or
    /// after 9999, an object identifier that is none. A right-nested chain of `and` or `or` prints as the left-nested
    /// one, and `legacyInfoValue` as `info`: keep blobs, not text, as identity.
    case canonical
    /// What `csreq -t` and `codesign -d -r-` print, its faults included.
    ///
    /// Apple's words for a date are not proved. After an `unknown`, Apple's tool prints the bytes of the operand as if
    /// they were the next expression; this does not.
    case apple
}

/// Prints requirement trees (Apple's `reqdumper.cpp`).
public enum RequirementPrinter {
    /// The text of one requirement, on one line.
    public static func text(
        _ expression: RequirementExpression, style: RequirementTextStyle = .canonical
    ) -> String {
        let text = line(expression, style)
        return style == .apple && text.first == " " ? String(text.dropFirst()) : text
    }

    /// `kind => requirement` and a line feed: one entry of a set.
    static func entry(_ kind: UInt32, _ text: String, style: RequirementTextStyle) -> String {
        let name: String
        switch (RequirementKind(rawValue: kind), style) {
        case (let known?, _): name = String(describing: known)
        case (nil, .apple) where kind == 0: name = "invalid"
        case (nil, .apple): name = "/*unknown type*/ \(Int32(bitPattern: kind))"
        case (nil, .canonical): name = "/*unknown type*/ \(kind)"
        }
        return "\(name) => \(text)\n"
    }

    /// Without Apple's mending of a space at the start, which it leaves out in sets.
    static func line(_ expression: RequirementExpression, _ style: RequirementTextStyle) -> String {
        var printer = Printer(style: style)
        printer.print(expression)
        // Everything printed is ASCII.
        return String(decoding: printer.output, as: UTF8.self)
    }

    /// What an expression may be without parentheses, by what stands around it.
    private enum Level: Int {
        case primary, conjunction, disjunction, top
    }

    private enum Work {
        case expression(RequirementExpression, Level)
        case text(String)
    }

    private struct Printer {
        let style: RequirementTextStyle
        var output: [UInt8] = []
        /// What is still to print, the next last: nothing here recurses.
        private var work: [Work] = []

        init(style: RequirementTextStyle) { self.style = style }

        mutating func print(_ expression: RequirementExpression) {
            work = [.expression(expression, .top)]
            while let next = work.popLast() {
                switch next {
                case .text(let text): put(text)
                case .expression(let expression, let level): node(expression, level)
                }
            }
        }

        private mutating func put(_ text: String) { output += text.utf8 }

        private mutating func node(_ expression: RequirementExpression, _ level: Level) {
            switch expression {
            case .and(let left, let right): binary(left, " and ", right, .conjunction, in: level)
            case .or(let left, let right): binary(left, " or ", right, .disjunction, in: level)
            case .not(let operand):
                put("! ")
                work.append(.expression(operand, .primary))
            case .skipped(let opcode, _, let next):
                if style == .apple {
                    put(" /* opcode \(opcode & ~RequirementOpcode.flags) */")
                } else {
                    put("OPCODE \(opcode) NOT UNDERSTOOD, SKIPPED FOR ")
                    work.append(.expression(next, .primary))
                }
            default: term(expression)
            }
        }

        private mutating func binary(
            _ left: RequirementExpression, _ word: String, _ right: RequirementExpression, _ own: Level, in level: Level
        ) {
            let enclosed = level.rawValue < own.rawValue
            if enclosed {
                put("(")
                work.append(.text(")"))
            }
            work += [.expression(right, own), .text(word), .expression(left, own)]
        }

        private mutating func term(_ expression: RequirementExpression) {
            switch expression {
            case .never: put("never")
            case .always: put("always")
            case .appleAnchor: put("anchor apple")
            case .appleGenericAnchor: put("anchor apple generic")
            case .anchorTrusted: put("anchor trusted")
            case .notarized: put("notarized")
            case .legacyDeveloperID: put("legacy")
            case .identifier(let identifier): put("identifier \(data(identifier))")
            case .cdhash(let hash): put("cdhash \(Self.hash(hash))")
            case .namedAnchor(let name): put("anchor apple \(data(name))")
            case .namedCode(let name): put("(\(data(name)))")
            case .platform(let number): put("platform = \(number)")
            case .certificateTrusted(let slot):
                put("certificate \(Self.slot(slot))\(style == .apple ? "" : " ")trusted")
            case .certificateHash(let slot, let hash): put("certificate \(Self.slot(slot)) = \(Self.hash(hash))")
            case .legacyInfoValue(let key, let value): put("info[\(self.key(key))] = \(data(value))")
            case .info(let key, let match): put("info[\(self.key(key))]\(suffix(match))")
            case .entitlement(let key, let match): put("entitlement[\(self.key(key))]\(suffix(match))")
            case .certificateField(let slot, let name, let match):
                put("certificate \(Self.slot(slot))[\(key(name))]\(suffix(match))")
            case .certificateExtension(let slot, let oid, let match): field(slot, "field.", oid, match)
            case .certificatePolicy(let slot, let oid, let match): field(slot, "policy.", oid, match)
            case .certificateTimestamp(let slot, let oid, let match): field(slot, "timestamp.", oid, match)
            case .unknown(let opcode, _):
                // In canonical text nothing stands for it: `false`, as Apple writes, would read as another requirement.
                put(
                    style == .apple
                        ? " false /* opcode \(opcode & ~RequirementOpcode.flags) */"
                        : "OPCODE \(opcode) NOT UNDERSTOOD")
            case .osAnchor: put("anchor os")
            case .package(let name): put("package \(data(name))")
            case .unit(let name): put("unit \(data(name))")
            case .path(.equal(let path)): put("path \(Self.quoted(path))")
            case .path(.beginsWith(let path)): put("path \(Self.quoted(path))*")
            case .path(let match): put("path\(suffix(match))")
            case .digest(let hash): put("digest \(Self.hash(hash))")
            case .interpreter: put("interpreter")
            case .user(let number): put("user \(number)")
            case .and, .or, .not, .skipped: break
            }
        }

        private mutating func field(_ slot: Int32, _ prefix: String, _ oid: [UInt8], _ match: RequirementMatch) {
            let name =
                switch style {
                case .apple: RequirementObjectIdentifier.appleText(oid)
                // Octets that no text gives back print as none could be written.
                case .canonical:
                    RequirementObjectIdentifier.text(oid) ?? "0x\(Hexadecimal.text(oid))"
                }
            put("certificate \(Self.slot(slot))[\(prefix)\(name)]\(suffix(match))")
        }

        private func suffix(_ match: RequirementMatch) -> String {
            switch match {
            case .exists: " /* exists */"
            case .absent: " absent "
            case .equal(let value): " = \(data(value))"
            case .contains(let value): " ~ \(data(value))"
            case .beginsWith(let value): " = \(data(value))*"
            case .endsWith(let value): " = *\(data(value))"
            case .less(let value): " < \(data(value))"
            case .greater(let value): " > \(data(value))"
            case .lessOrEqual(let value): " <= \(data(value))"
            case .greaterOrEqual(let value): " >= \(data(value))"
            case .on(let seconds): " = \(time(seconds))"
            case .before(let seconds): " < \(time(seconds))"
            case .after(let seconds): " > \(time(seconds))"
            case .onOrBefore(let seconds): " <= \(time(seconds))"
            case .onOrAfter(let seconds): " >= \(time(seconds))"
            case .unknown(let code, _):
                style == .apple
                    ? "MATCH OPCODE \(Int32(bitPattern: code)) NOT UNDERSTOOD" : " MATCH OPCODE \(code) NOT UNDERSTOOD"
            }
        }

        private func time(_ seconds: Int64) -> String {
            switch style {
            case .apple: "<\(RequirementTimestamp.description(seconds) ?? "\(seconds)")>"
            case .canonical: "timestamp \"\(RequirementTimestamp.text(seconds) ?? "\(seconds)")\""
            }
        }

        private static func slot(_ slot: Int32) -> String {
            switch slot {
            case 0: "leaf"
            case -1: "root"
            default: String(slot)
            }
        }

        private static func hash(_ bytes: [UInt8]) -> String { "H\"\(Hexadecimal.text(bytes))\"" }

        // MARK: Strings

        private func data(_ bytes: [UInt8]) -> String { string(bytes, isBare: bytes.allSatisfy(Self.isAlphanumeric)) }

        /// A key in brackets, where a bare word may have dots.
        ///
        /// Apple prints any letters, digits and dots bare, also where they are no word (`a..b`).
        private func key(_ bytes: [UInt8]) -> String {
            string(bytes, isBare: bytes.allSatisfy { Self.isAlphanumeric($0) || $0 == UInt8(ascii: ".") })
        }

        private func string(_ bytes: [UInt8], isBare: Bool) -> String {
            switch style {
            case .canonical:
                if isBare, RequirementLexer.isWord(bytes) { return String(decoding: bytes, as: UTF8.self) }
                // No string in quotes holds a backslash.
                let printable = bytes.allSatisfy { Self.isPrintable($0) && $0 != UInt8(ascii: "\\") }
                return printable ? Self.quoted(bytes) : "0x\(Hexadecimal.text(bytes))"
            case .apple:
                let text = String(decoding: bytes, as: UTF8.self)
                if isBare, let first = bytes.first, !(0x30...0x39).contains(first),
                    RequirementKeyword(rawValue: text) == nil
                {
                    // Apple prints a bare word into a buffer of 256 bytes.
                    return String(text.prefix(255))
                }
                return bytes.allSatisfy(Self.isPrintable) ? Self.quoted(bytes) : "0x\(Hexadecimal.text(bytes))"
            }
        }

        /// In quotes whatever it holds; a backslash is written as two, which no reader takes.
        private static func quoted(_ bytes: [UInt8]) -> String {
            var text: [UInt8] = [UInt8(ascii: "\"")]
            for byte in bytes {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { text.append(UInt8(ascii: "\\")) }
                text.append(byte)
            }
            text.append(UInt8(ascii: "\""))
            return String(decoding: text, as: UTF8.self)
        }

        private static func isAlphanumeric(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF)
        }

        /// Graphic or white space in ASCII.
        private static func isPrintable(_ byte: UInt8) -> Bool {
            (0x20...0x7E).contains(byte) || (0x09...0x0D).contains(byte)
        }
    }
}
