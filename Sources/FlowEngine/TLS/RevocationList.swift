// SPDX-License-Identifier: Apache-2.0

// Reads certificate revocation lists (RFC 5280 section 5).

import SwiftASN1
import X509

#if canImport(FoundationEssentials)
import struct FoundationEssentials.Date
#else
import struct Foundation.Date
#endif

/// The serial numbers that an issuer revoked.
///
/// It holds a 64-bit hash of each, seeded anew in every process: a false match is as likely as a guess of 64 bits, and a
/// list of a megabyte stays small. Lists that speak for another issuer, are partial, or have run out are refused.
struct RevocationList: Sendable {
    struct Fault: Error {}

    /// When the issuer publishes the next one; this one counts until then.
    let nextUpdate: Date
    private let revoked: Set<Int>
    private let kind: Kind

    /// The certificates a list speaks of.
    private enum Kind { case all, endEntities, authorities }

    /// Reads a list that was fetched from `url`, and checks that `issuer` signed it and that it is the newest at `now`.
    init(der: [UInt8], url: String, issuer: Certificate, now: Date) throws {
        var outer = try Self.fields(DER.parse(der), .sequence)
        let body = try Self.next(&outer)
        let algorithm = try Self.algorithm(try Self.next(&outer))
        let signature = try ASN1BitString(derEncoded: Self.next(&outer))
        let maySign = (try issuer.extensions.keyUsage).map(\.cRLSign) ?? true
        guard outer.next() == nil, maySign,
            issuer.publicKey.isValidSignature(signature.bytes, for: body.encodedBytes, signatureAlgorithm: algorithm)
        else { throw Fault() }

        var fields = try Self.fields(body, .sequence)
        var node = try Self.next(&fields)
        if node.identifier == .integer { node = try Self.next(&fields) }  // the version; `node` is now the algorithm
        guard try Self.algorithm(node) == algorithm,
            try DistinguishedName(derEncoded: Self.next(&fields)) == issuer.subject,
            // The same hour of grace that OCSP answers get, for clocks that differ.
            try Self.date(Self.next(&fields)) <= now.addingTimeInterval(3_600)
        else { throw Fault() }
        nextUpdate = try Self.date(Self.next(&fields))
        guard nextUpdate > now else { throw Fault() }

        var revoked: Set<Int> = []
        var rest = fields.next()
        if let entries = rest, entries.identifier == .sequence {
            var iterator = try Self.fields(entries, .sequence)
            while let entry = iterator.next() {
                var parts = try Self.fields(entry, .sequence)
                revoked.insert(Self.hash(try Self.primitive(Self.next(&parts), .integer)))
            }
            rest = fields.next()
        }
        self.revoked = revoked
        kind = try rest.map { try Self.kind(extensions: $0, url: url) } ?? .all
        guard fields.next() == nil else { throw Fault() }
    }

    /// Whether the list speaks of certificates of this one's kind.
    func covers(_ certificate: Certificate) -> Bool {
        switch kind {
        case .all: return true
        case .endEntities, .authorities:
            let isAuthority =
                if case .isCertificateAuthority? = try? certificate.extensions.basicConstraints { true } else { false }
            return isAuthority == (kind == .authorities)
        }
    }

    func contains(_ serial: Certificate.SerialNumber) -> Bool { revoked.contains(Self.hash(serial.bytes)) }

    /// The addresses of the lists that cover a certificate fully (RFC 5280 section 4.2.1.13), those over HTTP only.
    static func urls(of certificate: Certificate) -> [String] {
        guard let value = certificate.extensions[oid: [2, 5, 29, 31]]?.value,
            var points = try? fields(DER.parse(value), .sequence)
        else { return [] }
        var urls: [String] = []
        while let point = points.next() {
            guard var parts = try? fields(point, .sequence), let name = parts.next(), parts.next() == nil else {
                continue  // for some reasons only, or signed by another
            }
            urls += (try? fullNames(name)) ?? []
        }
        return urls.filter { $0.lowercased().hasPrefix("http://") }
    }

    // MARK: - Parts

    /// Refuses delta lists and lists for other certificates than an issuer's own (sections 5.2.4 and 5.2.5).
    private static func kind(extensions node: ASN1Node, url: String) throws -> Kind {
        var kind = Kind.all
        var tagged = try fields(node, context(0))
        var list = try fields(next(&tagged), .sequence)
        while let item = list.next() {
            let found = try Certificate.Extension(derEncoded: item)
            guard found.critical else { continue }
            guard found.oid == [2, 5, 29, 28] else { throw Fault() }
            var scope = try fields(DER.parse(found.value), .sequence)
            while let part = scope.next() {
                switch part.identifier.tagNumber {
                case 0: guard try fullNames(part).contains(url) else { throw Fault() }
                case 1: kind = .endEntities
                case 2: kind = .authorities
                default: throw Fault()
                }
            }
        }
        return kind
    }

    /// The URIs in `DistributionPointName`, `[0] { fullName [0] { [6] URI … } }`.
    private static func fullNames(_ node: ASN1Node) throws -> [String] {
        var outer = try fields(node, context(0))
        var names = try fields(next(&outer), context(0))
        var urls: [String] = []
        while let name = names.next() {
            guard name.identifier == context(6), case .primitive(let bytes) = name.content else { continue }
            urls.append(String(decoding: bytes, as: UTF8.self))
        }
        return urls
    }

    private static func context(_ number: UInt) -> ASN1Identifier {
        ASN1Identifier(tagWithNumber: number, tagClass: .contextSpecific)
    }

    private static func fields(_ node: ASN1Node, _ identifier: ASN1Identifier) throws -> ASN1NodeCollection.Iterator {
        guard node.identifier == identifier, case .constructed(let nodes) = node.content else { throw Fault() }
        return nodes.makeIterator()
    }

    private static func next(_ iterator: inout ASN1NodeCollection.Iterator) throws -> ASN1Node {
        guard let node = iterator.next() else { throw Fault() }
        return node
    }

    private static func primitive(_ node: ASN1Node, _ identifier: ASN1Identifier) throws -> ArraySlice<UInt8> {
        guard node.identifier == identifier, case .primitive(let bytes) = node.content else { throw Fault() }
        return bytes
    }

    private static func hash(_ serial: ArraySlice<UInt8>) -> Int {
        var hasher = Hasher()
        hasher.combine(serial.drop { $0 == 0 })
        return hasher.finalize()
    }

    private static func algorithm(_ node: ASN1Node) throws -> Certificate.SignatureAlgorithm {
        var parts = try fields(node, .sequence)
        switch try ASN1ObjectIdentifier(derEncoded: next(&parts)) {
        case [1, 2, 840, 113549, 1, 1, 11]: return .sha256WithRSAEncryption
        case [1, 2, 840, 113549, 1, 1, 12]: return .sha384WithRSAEncryption
        case [1, 2, 840, 113549, 1, 1, 13]: return .sha512WithRSAEncryption
        case [1, 2, 840, 10045, 4, 3, 2]: return .ecdsaWithSHA256
        case [1, 2, 840, 10045, 4, 3, 3]: return .ecdsaWithSHA384
        case [1, 2, 840, 10045, 4, 3, 4]: return .ecdsaWithSHA512
        default: throw Fault()
        }
    }

    private static func date(_ node: ASN1Node) throws -> Date {
        if node.identifier == .utcTime {
            let time = try UTCTime(derEncoded: node)
            return date(time.year, time.month, time.day, time.hours, time.minutes, time.seconds)
        }
        let time = try GeneralizedTime(derEncoded: node)
        return date(time.year, time.month, time.day, time.hours, time.minutes, time.seconds)
    }

    /// Days since 1970 of the proleptic Gregorian calendar, counted in years that begin in March.
    private static func date(_ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ second: Int) -> Date {
        let march = month > 2 ? year : year - 1
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let days = march * 365 + march / 4 - march / 100 + march / 400 + dayOfYear - 719_468
        return Date(timeIntervalSince1970: Double(days * 86_400 + hour * 3_600 + minute * 60 + second))
    }
}
