// SPDX-License-Identifier: Apache-2.0

// The terms of requirement text, and the values in them.

extension RequirementParser {
    /// One condition, from its first word to its last.
    mutating func term() throws(CodeProblem) -> RequirementExpression {
        switch current.kind {
        case .word(let word):
            guard let word = RequirementLinuxWord(word) else { throw unexpected("a term such as `identifier`") }
            try advance()
            return try linuxTerm(word)
        case .keyword(let keyword):
            guard let term = try appleTerm(keyword) else { throw unexpected("a term such as `identifier`") }
            return term
        default: throw unexpected("a term such as `identifier`")
        }
    }

    /// Nil, and nothing taken, where the keyword begins no term.
    private mutating func appleTerm(_ keyword: RequirementKeyword) throws(CodeProblem) -> RequirementExpression? {
        switch keyword {
        case .always, .true, .never, .false, .notarized, .legacy, .identifier, .cdhash, .platform, .info, .entitlement,
            .anchor, .certificate, .cert:
            try advance()
        case .guest, .host, .designated, .library, .plugin, .or, .and, .apple, .generic, .trusted, .exists, .absent,
            .leaf, .root, .timestamp:
            return nil
        }
        switch keyword {
        case .always, .true: return .always
        case .never, .false: return .never
        case .notarized: return .notarized
        case .legacy: return .legacyDeveloperID
        case .identifier:
            try skipEqual()
            return .identifier(try string("an identifier"))
        case .cdhash:
            try skipEqual()
            return .cdhash(try hash(bytes: 20))
        case .platform:
            try skipEqual()
            return .platform(Int32(try integer(upTo: UInt64(Int32.max))))
        case .info: return .info(key: try key(), try match())
        case .entitlement: return .entitlement(key: try key(), try match())
        case .anchor: return try anchor()
        default:
            if try take(keyword: .trusted) { return .anchorTrusted }
            let slot = try slot()
            if try take(keyword: .trusted) { return .certificateTrusted(slot: slot) }
            return try certificate(slot)
        }
    }

    private mutating func linuxTerm(_ word: RequirementLinuxWord) throws(CodeProblem) -> RequirementExpression {
        if word == .interpreter { return .interpreter }
        try skipEqual()
        switch word {
        case .package: return .package(try string("the name of a package"))
        case .unit: return .unit(try string("the name of a unit"))
        case .digest: return .digest(try hash(bytes: 32))
        case .user: return .user(UInt32(try integer(upTo: UInt64(UInt32.max))))
        case .path, .interpreter:
            guard case .string(let path) = current.kind else { throw unexpected("a path in quotes") }
            guard path.first == UInt8(ascii: "/") else {
                throw problem(.requirementRelativePath, "a path begins with `/`: a program is named by its whole path")
            }
            try advance()
            return .path(try take(.star) ? .beginsWith(path) : .equal(path))
        }
    }

    // MARK: Certificates

    private mutating func anchor() throws(CodeProblem) -> RequirementExpression {
        switch current.kind {
        case .keyword(.trusted):
            try advance()
            return .anchorTrusted
        case .keyword(.generic):
            try advance()
            guard try take(keyword: .apple) else { throw unexpected("`apple`") }
            return .appleGenericAnchor
        case .keyword(.apple):
            try advance()
            if try take(keyword: .generic) { return .appleGenericAnchor }
            switch current.kind {
            case .word, .string: return .namedAnchor(try string("a name"))
            default: return .appleAnchor
            }
        // Apple's grammar takes a word here for a file to read, which is refused anyway.
        case .word(let word) where word == Array("os".utf8):
            try advance()
            return .osAnchor
        default: return try certificate(-1)
        }
    }

    private mutating func slot() throws(CodeProblem) -> Int32 {
        if try take(keyword: .leaf) { return 0 }
        if try take(keyword: .root) { return -1 }
        if try take(.minus) { return Int32(-Int64(try integer(upTo: 1 << 31))) }
        guard case .integer = current.kind else {
            throw unexpected("a certificate (`leaf`, `root` or a number) or `trusted`")
        }
        return Int32(try integer(upTo: UInt64(Int32.max)))
    }

    private mutating func certificate(_ slot: Int32) throws(CodeProblem) -> RequirementExpression {
        if case .symbol(.leftBracket) = current.kind {
            let start = current.offset
            let key = try key()
            return try field(slot, key, at: start, try match())
        }
        try skipEqual()
        switch current.kind {
        case .hash: return .certificateHash(slot: slot, try hash(bytes: 20))
        case .word, .string, .pathname:
            throw problem(
                .requirementFileReference,
                "a certificate is not read from a file: write its SHA-1 as H\"…\" (40 hexadecimal digits)")
        default: throw unexpected("the SHA-1 of a certificate (H\"…\") or a field in brackets")
        }
    }

    private func field(
        _ slot: Int32, _ key: [UInt8], at offset: Int, _ match: RequirementMatch
    ) throws(CodeProblem) -> RequirementExpression {
        if key.starts(with: "subject.".utf8) { return .certificateField(slot: slot, name: key, match) }
        for prefix in ["field.", "extension.", "policy.", "timestamp."] where key.starts(with: prefix.utf8) {
            guard let oid = RequirementObjectIdentifier.octets(key.dropFirst(prefix.utf8.count)) else {
                throw lexer.problem(
                    .requirementInvalidObjectIdentifier, at: offset,
                    "after `\(prefix)` stands an object identifier such as 1.2.840.113635.100.6.1.13")
            }
            switch prefix {
            case "policy.": return .certificatePolicy(slot: slot, oid: oid, match)
            case "timestamp.": return .certificateTimestamp(slot: slot, oid: oid, match)
            default: return .certificateExtension(slot: slot, oid: oid, match)
            }
        }
        throw lexer.problem(
            .requirementCertificateField, at: offset,
            "a field of a certificate begins with `subject.`, `field.`, `extension.`, `policy.` or `timestamp.`")
    }

    // MARK: Matches

    private mutating func key() throws(CodeProblem) -> [UInt8] {
        guard try take(.leftBracket) else { throw unexpected("`[`") }
        let key = try string("a key")
        guard try take(.rightBracket) else { throw unexpected("`]`") }
        return key
    }

    private mutating func match() throws(CodeProblem) -> RequirementMatch {
        switch current.kind {
        case .keyword(.exists):
            try advance()
            return .exists
        case .keyword(.absent):
            try advance()
            return .absent
        case .symbol(let symbol):
            switch symbol {
            case .equal, .doubleEqual:
                try advance()
                return try equality()
            case .contains:
                try advance()
                return .contains(try value())
            case .less: return try comparison({ .less($0) }, { .before($0) })
            case .greater: return try comparison({ .greater($0) }, { .after($0) })
            case .lessOrEqual: return try comparison({ .lessOrEqual($0) }, { .onOrBefore($0) })
            case .greaterOrEqual: return try comparison({ .greaterOrEqual($0) }, { .onOrAfter($0) })
            default: return .exists
            }
        default: return .exists
        }
    }

    private mutating func equality() throws(CodeProblem) -> RequirementMatch {
        if let seconds = try timestamp() { return .on(seconds) }
        let starBefore = try take(.star)
        let value = try value()
        return switch (starBefore, try take(.star)) {
        case (false, false): .equal(value)
        case (false, true): .beginsWith(value)
        case (true, false): .endsWith(value)
        case (true, true): .contains(value)
        }
    }

    private mutating func comparison(
        _ strings: ([UInt8]) -> RequirementMatch, _ times: (Int64) -> RequirementMatch
    ) throws(CodeProblem) -> RequirementMatch {
        try advance()
        if let seconds = try timestamp() { return times(seconds) }
        return strings(try value())
    }

    /// Nil, and nothing taken, where no timestamp begins.
    private mutating func timestamp() throws(CodeProblem) -> Int64? {
        guard try take(keyword: .timestamp) else { return nil }
        guard case .string(let text) = current.kind else { throw unexpected("a time in quotes") }
        guard let seconds = RequirementTimestamp.seconds(text) else {
            throw problem(
                .requirementInvalidTimestamp, "a time is written \"YYYYMMDDHHMMSSZ\", with a date that exists")
        }
        try advance()
        return seconds
    }

    private mutating func value() throws(CodeProblem) -> [UInt8] {
        guard case .hexadecimal(let digits) = current.kind else { return try string("a value") }
        guard let bytes = Hexadecimal.bytes(digits) else {
            throw problem(
                .requirementInvalidHexadecimal, "an odd number of hexadecimal digits: write two for each byte")
        }
        try advance()
        return bytes
    }

    // MARK: Literals

    /// A bare word or a string in quotes.
    mutating func string(_ wanted: String) throws(CodeProblem) -> [UInt8] {
        switch current.kind {
        case .word(let bytes), .string(let bytes):
            try advance()
            return bytes
        case .keyword(let keyword):
            throw problem(
                .requirementReservedWord,
                "\(current.name) where \(wanted) is wanted: write \"\(keyword.rawValue)\" in quotes if it is meant")
        case .integer:
            throw problem(
                .requirementUnquotedNumber,
                "\(current.name) where \(wanted) is wanted: write it in quotes if it is meant")
        default: throw unexpected(wanted)
        }
    }

    private mutating func hash(bytes count: Int) throws(CodeProblem) -> [UInt8] {
        guard case .hash(let digits) = current.kind else { throw unexpected("a hash, H\"…\" with \(count * 2) digits") }
        guard digits.count == count * 2, let bytes = Hexadecimal.bytes(digits) else {
            throw problem(.requirementHashLength, "a hash of \(digits.count) digits where \(count * 2) are wanted")
        }
        try advance()
        return bytes
    }

    /// A number from 0 to `bound`; Apple's compiler would cut a larger one to 32 bits.
    mutating func integer(upTo bound: UInt64) throws(CodeProblem) -> UInt64 {
        guard case .integer(let digits) = current.kind else { throw unexpected("a number") }
        var number: UInt64 = 0
        for digit in digits {
            // The lexer gives digits only.
            guard let sum = number.times(10, plus: UInt64(digit & 0x0F)), sum <= bound else {
                throw problem(.requirementIntegerRange, "\(current.name) where at most \(bound) is possible")
            }
            number = sum
        }
        try advance()
        return number
    }

    private mutating func skipEqual() throws(CodeProblem) {
        if try !take(.equal) { _ = try take(.doubleEqual) }
    }

    // MARK: Optional tokens

    /// Takes the sign if it stands next.
    mutating func take(_ symbol: RequirementToken.Symbol) throws(CodeProblem) -> Bool {
        guard case .symbol(symbol) = current.kind else { return false }
        try advance()
        return true
    }

    /// Takes the keyword if it stands next.
    mutating func take(keyword: RequirementKeyword) throws(CodeProblem) -> Bool {
        guard case .keyword(keyword) = current.kind else { return false }
        try advance()
        return true
    }
}
