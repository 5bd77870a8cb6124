// SPDX-License-Identifier: Apache-2.0

// Takes XML apart as far as property lists need it: prolog, comments, tags, text.

/// A place in XML text, and the readers of what may stand there.
struct XMLScanner {
    struct Tag {
        enum Form { case opening, closing, empty }
        let element: PropertyListElement
        let form: Form
        let offset: Int
    }

    private let bytes: [UInt8]
    private(set) var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    func syntax(_ detail: String) -> CodeProblem { CodeProblem(.propertyListSyntax, at: UInt64(position), detail) }

    // MARK: Prolog

    /// Reads byte order mark, declaration and document type.
    mutating func prolog(encoding: String) throws(CodeProblem) {
        _ = take("\u{FEFF}")
        if take("<?xml") { try declaration(encoding: encoding) }
        try skipMiscellany()
        guard take("<!DOCTYPE") else { return }
        try requireSpace()
        guard take("plist") else { throw syntax("the document type is not plist") }
        try requireSpace()
        if take("PUBLIC") {
            try requireSpace()
            _ = try quoted()
        } else if !take("SYSTEM") {
            throw syntax("the document type names neither PUBLIC nor SYSTEM")
        }
        try requireSpace()
        _ = try quoted()
        skipSpace()
        // An internal subset could declare entities.
        guard take(">") else { throw syntax("the document type goes on; an internal subset is not read") }
        try skipMiscellany()
    }

    private mutating func declaration(encoding: String) throws(CodeProblem) {
        try requireSpace()
        guard take("version"), try pseudoAttribute() == "1.0" else { throw syntax("the XML version is not 1.0") }
        if skipSpace(), take("encoding") {
            guard try pseudoAttribute().lowercased() == encoding else {
                throw CodeProblem(.propertyListFormat, at: UInt64(position), "the encoding declared is not \(encoding)")
            }
            skipSpace()
        }
        if take("standalone") {
            guard ["yes", "no"].contains(try pseudoAttribute()) else { throw syntax("standalone is yes or no") }
            skipSpace()
        }
        guard take("?>") else { throw syntax("the XML declaration does not end") }
    }

    private mutating func pseudoAttribute() throws(CodeProblem) -> String {
        skipSpace()
        guard take("=") else { throw syntax("= is wanted") }
        skipSpace()
        return try quoted()
    }

    /// A quoted string of plain ASCII, without anything that means something in XML.
    private mutating func quoted() throws(CodeProblem) -> String {
        guard let quote = peek, quote == 0x22 || quote == 0x27 else { throw syntax("a quoted string is wanted") }
        let start = position + 1
        position = start
        while let byte = peek, byte != quote {
            guard 0x20..<0x7F ~= byte, !"<>&[]".utf8.contains(byte) else { throw syntax("not for a quoted string") }
            position += 1
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard peek != nil else { throw syntax("the quoted string does not end") }
        position += 1
        return text
    }

    /// Reads `<plist>`, with or without its version.
    mutating func rootTag() throws(CodeProblem) {
        guard take("<plist") else { throw syntax("<plist> is wanted") }
        if skipSpace(), take("version") {
            guard try pseudoAttribute() == "1.0" else { throw syntax("the version of the property list is not 1.0") }
            skipSpace()
        }
        guard take(">") else { throw syntax("<plist> has an attribute besides its version, or no content") }
    }

    // MARK: Between tags

    /// Skips white space and comments.
    ///
    /// `<!-->`, `<!--->` and `--` in a comment are where readers disagree on its end, so they are refused.
    mutating func skipMiscellany() throws(CodeProblem) {
        skipSpace()
        while take("<!--") {
            guard peek != 0x3E, !isNext("->") else { throw syntax("readers disagree on where this comment ends") }
            let start = position
            while !take("--") {
                guard let byte = peek else { throw syntax("the comment does not end") }
                try checkCharacter(byte, carriageReturn: true)
                position += 1
            }
            _ = try PropertyListText.string(bytes[start..<position], at: start)
            guard take(">") else { throw syntax("-- stands inside a comment") }
            skipSpace()
        }
    }

    /// Reads the next tag, which must be of a known element without attributes.
    mutating func tag() throws(CodeProblem) -> Tag {
        let offset = position
        guard take("<") else { throw syntax(isAtEnd ? "the property list is cut" : "text stands between the elements") }
        let closes = take("/")
        let element = try elementName()
        skipSpace()
        let isEmpty = !closes && take("/")
        guard take(">") else { throw syntax("the tag has attributes or does not end") }
        return Tag(element: element, form: closes ? .closing : isEmpty ? .empty : .opening, offset: offset)
    }

    private mutating func elementName() throws(CodeProblem) -> PropertyListElement {
        let start = position
        // The longest name has seven letters.
        while let byte = peek, 0x61...0x7A ~= byte, position - start < 8 { position += 1 }
        let name = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let element = PropertyListElement(rawValue: name) else {
            position = start
            throw syntax("no element of a property list begins here")
        }
        return element
    }

    mutating func closeTag(_ element: PropertyListElement) throws(CodeProblem) {
        let offset = position
        let tag = try tag()
        guard tag.element == element, tag.form == .closing else {
            position = offset
            throw syntax("</\(element.rawValue)> is wanted")
        }
    }

    // MARK: Content

    /// The text of a `string` or `key`, its closing tag read.
    mutating func text(of element: PropertyListElement) throws(CodeProblem) -> String {
        let start = position
        var text: [UInt8] = []
        while let byte = peek {
            if byte == 0x3C {
                guard take("<![CDATA[") else {
                    try closeTag(element)
                    return try PropertyListText.string(text, at: start)
                }
                while !take("]]>") {
                    guard let byte = peek else { throw syntax("the CDATA section does not end") }
                    try checkCharacter(byte, carriageReturn: false)
                    text.append(byte)
                    position += 1
                }
            } else if byte == 0x26 {
                text.append(contentsOf: String(Character(try reference())).utf8)
            } else {
                guard byte != 0x5D || !isNext("]]>") else { throw syntax("]]> stands outside a CDATA section") }
                try checkCharacter(byte, carriageReturn: false)
                text.append(byte)
                position += 1
            }
        }
        throw syntax("</\(element.rawValue)> is wanted, the property list is cut")
    }

    /// What stands up to the closing tag, which is read, where neither references nor CDATA are expected.
    mutating func plainContent(of element: PropertyListElement) throws(CodeProblem) -> ArraySlice<UInt8> {
        let start = position
        while let byte = peek, byte != 0x3C { position += 1 }
        let end = position
        try closeTag(element)
        return bytes[start..<end]
    }

    private mutating func reference() throws(CodeProblem) -> Unicode.Scalar {
        let named: [(StaticString, Unicode.Scalar)] = [
            ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"), ("&quot;", "\""), ("&apos;", "'"),
        ]
        for (name, scalar) in named where take(name) { return scalar }
        let offset = position
        guard take("&#") else { throw syntax("an unknown entity, or an & that should be &amp;") }
        let radix = take("x") ? 16 : 10
        let start = position
        while let byte = peek, Character(Unicode.Scalar(byte)).isHexDigit, position - start < 8 { position += 1 }
        let digits = String(decoding: bytes[start..<position], as: UTF8.self)
        guard take(";"), let value = UInt32(digits, radix: radix), let scalar = Unicode.Scalar(value),
            value >= 0x20 || [9, 10, 13].contains(value), value != 0xFFFE, value != 0xFFFF
        else {
            position = offset
            throw syntax("a reference to a character that XML does not have")
        }
        return scalar
    }

    /// Refuses control characters, and the carriage return where some readers make it a line feed and some do not.
    private func checkCharacter(_ byte: UInt8, carriageReturn: Bool) throws(CodeProblem) {
        guard byte >= 0x20 || byte == 0x09 || byte == 0x0A || (byte == 0x0D && carriageReturn) else {
            throw CodeProblem(
                .propertyListText, at: UInt64(position), "the character \(byte) does not belong into text")
        }
    }

    // MARK: Bytes

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func isNext(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard bytes.count - position >= count else { return false }
        return text.withUTF8Buffer { wanted in
            for place in 0..<count where bytes[position + place] != wanted[place] { return false }
            return true
        }
    }

    private mutating func take(_ text: StaticString) -> Bool {
        guard isNext(text) else { return false }
        position += text.utf8CodeUnitCount
        return true
    }

    /// Skips white space; false when there was none.
    @discardableResult
    private mutating func skipSpace() -> Bool {
        let start = position
        while let byte = peek, PropertyListScalar.isSpace(byte) { position += 1 }
        return position > start
    }

    private mutating func requireSpace() throws(CodeProblem) {
        guard skipSpace() else { throw syntax("white space is wanted") }
    }
}
