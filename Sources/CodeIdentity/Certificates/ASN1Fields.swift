// SPDX-License-Identifier: Apache-2.0

// Reading ASN.1 structures field by field, so that each refusal says where and what.

import SwiftASN1

/// The fields of one constructed value, taken in order.
///
/// SwiftASN1 parses (at most 50 levels deep, lengths checked); this only walks. Offsets in problems count from the
/// start of the array that was parsed, so nested pieces are parsed as slices of it.
struct ASN1Fields {
    private var nodes: ASN1NodeCollection.Iterator
    private let what: String
    private let malformed: CodeProblem.Code
    private let start: Int

    /// Throws when the value is not constructed or has another tag.
    init(
        _ node: ASN1Node, tag identifier: ASN1Identifier = .sequence, _ what: String, or malformed: CodeProblem.Code
    ) throws(CodeProblem) {
        guard node.identifier == identifier, case .constructed(let nodes) = node.content else {
            throw Self.problem(malformed, node, "\(what) is expected here, found tag \(node.identifier.tagNumber)")
        }
        self.nodes = nodes.makeIterator()
        self.what = what
        self.malformed = malformed
        self.start = node.encodedBytes.startIndex
    }

    /// The next field, whatever it is; nil at the end.
    mutating func next() -> ASN1Node? { nodes.next() }

    /// The next field, which must have this tag when one is named.
    mutating func next(_ identifier: ASN1Identifier?, _ field: String) throws(CodeProblem) -> ASN1Node {
        guard let node = nodes.next() else {
            throw CodeProblem(malformed, at: UInt64(start), "\(what) ends before its \(field)")
        }
        guard identifier == nil || node.identifier == identifier else {
            throw Self.problem(
                malformed, node, "\(field) of \(what) is expected here, found tag \(node.identifier.tagNumber)")
        }
        return node
    }

    /// The next field if it has this tag.
    mutating func optional(_ identifier: ASN1Identifier) -> ASN1Node? {
        var ahead = nodes
        guard let node = ahead.next(), node.identifier == identifier else { return nil }
        nodes = ahead
        return node
    }

    /// The content octets of the next field, which must be primitive.
    mutating func content(_ identifier: ASN1Identifier, _ field: String) throws(CodeProblem) -> [UInt8] {
        let node = try next(identifier, field)
        guard case .primitive(let bytes) = node.content else {
            throw Self.problem(malformed, node, "\(field) of \(what) is constructed, it must be primitive")
        }
        return Array(bytes)
    }

    /// The octets of the next field, an OCTET STRING that BER may have cut into pieces.
    mutating func octets(_ field: String) throws(CodeProblem) -> [UInt8] {
        try Self.octets(try next(.octetString, field), "\(field) of \(what)", or: malformed)
    }

    /// Throws when a field is left.
    mutating func end() throws(CodeProblem) {
        if let node = nodes.next() { throw Self.problem(malformed, node, "\(what) has a field too many") }
    }

    static func octets(
        _ node: ASN1Node, _ what: String, or malformed: CodeProblem.Code
    ) throws(CodeProblem) -> [UInt8] {
        do {
            return Array(try ASN1OctetString(berEncoded: node).bytes)
        } catch {
            throw problem(malformed, node, "\(what) is not an octet string")
        }
    }

    static func problem(_ code: CodeProblem.Code, _ node: ASN1Node, _ detail: String) -> CodeProblem {
        CodeProblem(code, at: UInt64(node.encodedBytes.startIndex), detail)
    }
}

extension ASN1Identifier {
    /// The tag `[number]`.
    static func context(_ number: UInt) -> Self { Self(tagWithNumber: number, tagClass: .contextSpecific) }
}

extension ASN1Node {
    /// Seconds since 1970-01-01 UTC of a UTCTime or a GeneralizedTime; fractions are dropped.
    ///
    /// Only the form with seconds and `Z`, as RFC 5280 (4.1.2.5) and RFC 3161 want it.
    func time(or malformed: CodeProblem.Code) throws(CodeProblem) -> Int64 {
        var fields: [Int] = []
        do {
            if identifier == .utcTime {
                let time = try UTCTime(derEncoded: self)
                fields = [time.year, time.month, time.day, time.hours, time.minutes, time.seconds]
            } else {
                let time = try GeneralizedTime(derEncoded: self)
                fields = [time.year, time.month, time.day, time.hours, time.minutes, time.seconds]
            }
        } catch {
            fields = []
        }
        let parts = fields.map(Int64.init)
        guard parts.count == 6, let time = CivilTime(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]) else {
            throw ASN1Fields.problem(malformed, self, "a time YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ is expected here")
        }
        return time.secondsSince1970
    }
}
