// SPDX-License-Identifier: Apache-2.0

// What a certificate says of itself: its names for people, what it may be used for, and when.

import SwiftASN1

extension CertificateFacts {
    /// The bits of keyUsage that matter for code (RFC 5280 4.2.1.3); bit 0 is the highest of the first octet.
    public struct KeyUsage: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let digitalSignature = Self(rawValue: 0x80)
        public static let nonRepudiation = Self(rawValue: 0x40)
        public static let keyCertSign = Self(rawValue: 0x04)
        public static let crlSign = Self(rawValue: 0x02)
    }

    /// What keyUsage allows; nil without the extension, empty when it cannot be read.
    public var keyUsage: KeyUsage? {
        guard let found = `extension`(ObjectIdentifiers.keyUsage) else { return nil }
        guard let bits = try? ASN1BitString(derEncoded: found.value) else { return [] }
        return KeyUsage(rawValue: bits.bytes.first ?? 0)
    }

    /// Whether a certificate may issue others (RFC 5280 4.2.1.9).
    public struct BasicConstraints: Hashable, Sendable {
        public let isAuthority: Bool
        /// How many intermediates may stand below it; nil when that is not bounded.
        public let pathLength: Int?
    }

    /// Nil without the extension; one that cannot be read makes no authority.
    public var basicConstraints: BasicConstraints? {
        guard let found = `extension`(ObjectIdentifiers.basicConstraints) else { return nil }
        let none = BasicConstraints(isAuthority: false, pathLength: nil)
        guard let root = try? DER.parse(found.value),
            var fields = try? ASN1Fields(root, "basicConstraints", or: .certificateMalformed)
        else { return none }
        guard let flag = fields.optional(.boolean), (try? Bool(derEncoded: flag)) == true else { return none }
        guard let length = fields.next() else { return BasicConstraints(isAuthority: true, pathLength: nil) }
        guard let value = try? Int(derEncoded: length), value >= 0 else { return none }
        return BasicConstraints(isAuthority: true, pathLength: value)
    }

    /// Whether `seconds` (since 1970-01-01 UTC) lies in the validity, both ends included.
    public func isValid(at seconds: Int64) -> Bool { notBefore <= seconds && seconds <= notAfter }

    /// The first attribute of this type in the subject: what the team rule reads.
    public func first(_ type: [UInt8]) -> [UInt8]? { subject.first { $0.type == type }?.value }

    /// The last attribute of this type in the subject: what `certificate S[subject.X]` reads.
    public func last(_ type: [UInt8]) -> [UInt8]? { subject.last { $0.type == type }?.value }

    /// The first common name as text.
    public var commonName: String? { first(ObjectIdentifiers.commonName).map { String(decoding: $0, as: UTF8.self) } }

    /// The subject for people: `UID=…, CN=…, OU=…, O=…, C=…`, attributes in the order of the certificate.
    ///
    /// Unknown types stand as dotted numbers; `,`, `+`, `\` and what is not printable are escaped as in RFC 4514, so
    /// that no value can pass for two. Never compare it: compare attributes.
    public var printableSubject: String {
        subject.map { "\(Self.typeName($0.type))=\(Self.escaped($0.value))" }.joined(separator: ", ")
    }

    /// The identifiers of extensions in Apple's marker arc 1.2.840.113635.100.6, ascending.
    public var appleMarkers: [[UInt8]] {
        extensions.map(\.identifier).filter { $0.starts(with: AppleMarkers.arc) }.sorted {
            $0.lexicographicallyPrecedes($1)
        }
    }

    /// The same as dotted numbers.
    public var appleMarkerTexts: [String] { appleMarkers.map(ObjectIdentifiers.text) }

    static func typeName(_ type: [UInt8]) -> String {
        switch type {
        case ObjectIdentifiers.commonName: "CN"
        case ObjectIdentifiers.country: "C"
        case ObjectIdentifiers.locality: "L"
        case ObjectIdentifiers.stateOrProvince: "ST"
        case ObjectIdentifiers.organization: "O"
        case ObjectIdentifiers.organizationalUnit: "OU"
        case ObjectIdentifiers.userID: "UID"
        default: ObjectIdentifiers.text(type)
        }
    }

    private static func escaped(_ value: [UInt8]) -> String {
        var text = ""
        for scalar in String(decoding: value, as: UTF8.self).unicodeScalars {
            switch scalar {
            case ",", "+", "\\", "\"", "<", ">", ";": text += "\\\(scalar)"
            case _ where scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format:
                for byte in String(scalar).utf8 { text += "\\" + Hexadecimal.text([byte]) }
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
