// SPDX-License-Identifier: Apache-2.0

// The words and signs of requirement text.

/// The words that mean something by themselves, everywhere; a string with this spelling needs quotes.
///
/// The words of Linux terms are not among them: they count only where a term begins, so that Apple's texts keep their
/// meaning. Source: `RequirementKeywords.h`.
enum RequirementKeyword: String, CaseIterable, Sendable {
    case guest, host, designated, library, plugin
    case or, and
    case always, `true`, never, `false`
    case identifier, cdhash, platform, notarized, legacy
    case anchor, apple, generic, certificate, cert, trusted, info, entitlement
    case exists, absent, leaf, root, timestamp

    /// The kind of requirement that the word names in a set.
    var kind: RequirementKind? {
        switch self {
        case .host: .host
        case .guest: .guest
        case .designated: .designated
        case .library: .library
        case .plugin: .plugin
        default: nil
        }
    }
}

/// The words of Linux terms, special only where a term begins.
enum RequirementLinuxWord: String, CaseIterable, Sendable {
    case package, unit, path, digest, interpreter, user

    init?(_ word: [UInt8]) { self.init(rawValue: String(decoding: word, as: UTF8.self)) }
}

/// One word or sign of a requirement text.
struct RequirementToken: Sendable {
    enum Symbol: String, Sendable {
        case arrow = "=>"
        case semicolon = ";"
        case leftParenthesis = "("
        case rightParenthesis = ")"
        case leftBracket = "["
        case rightBracket = "]"
        case less = "<"
        case greater = ">"
        case lessOrEqual = "<="
        case greaterOrEqual = ">="
        /// Apple's lexer knows it; no rule uses it.
        case comma = ","
        case equal = "="
        case doubleEqual = "=="
        case contains = "~"
        case minus = "-"
        case not = "!"
        case star = "*"
    }

    enum Kind: Hashable, Sendable {
        case keyword(RequirementKeyword)
        /// A bare word that is no keyword (Apple's DOTKEY).
        case word([UInt8])
        /// What stood between quotes, its escapes resolved.
        case string([UInt8])
        case integer(digits: [UInt8])
        case hash(digits: [UInt8])
        case hexadecimal(digits: [UInt8])
        case pathname
        case symbol(Symbol)
        case end
    }

    let kind: Kind
    /// Bytes from the start of the text.
    let offset: Int

    /// The token as a message names it, cut short.
    var name: String {
        switch kind {
        case .keyword(let keyword): "the keyword `\(keyword.rawValue)`"
        case .word(let word): "the word `\(Self.short(word))`"
        case .string: "a string"
        case .integer(let digits): "the number \(Self.short(digits))"
        case .hash: "a hash"
        case .hexadecimal: "a hexadecimal value"
        case .pathname: "a path"
        case .symbol(let symbol): "`\(symbol.rawValue)`"
        case .end: "the end"
        }
    }

    private static func short(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.prefix(40), as: UTF8.self) + (bytes.count > 40 ? "…" : "")
    }
}
