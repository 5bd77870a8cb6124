// SPDX-License-Identifier: Apache-2.0

// A certificate as read: its facts, and what is needed to check who signed it.

import Crypto
import FlowModel
import SwiftASN1
import X509

/// A certificate with its signature.
///
/// Everything comes from one parse of the DER, so the facts are those of the bytes whose signature is checked. X509 is
/// asked for keys and signatures only: a certificate that it refuses still has facts.
struct SignedCertificate: Hashable, Sendable {
    let facts: CertificateFacts
    /// The bytes that the signature covers.
    private let signed: [UInt8]
    /// Nil when the algorithm is none that can be checked.
    private let scheme: SignatureScheme?
    private let signature: [UInt8]
    /// The DER of SubjectPublicKeyInfo.
    private let keyInfo: [UInt8]

    /// Throws `certificateMalformed`, or `limit` for one that is too large or has too many parts.
    ///
    /// Offsets in problems count from the start of the array that `der` is a slice of.
    init(der: ArraySlice<UInt8>) throws(CodeProblem) {
        guard der.count <= CodeIdentityLimits.certificateBytes.value else {
            throw CodeProblem(
                .limit, at: UInt64(der.startIndex),
                "certificate.bytes: a certificate of \(der.count) bytes; it is not read")
        }
        let root: ASN1Node
        do {
            root = try DER.parse(der)
        } catch {
            throw CodeProblem(.certificateMalformed, at: UInt64(der.startIndex), "a certificate is not DER")
        }
        var certificate = try ASN1Fields(root, "a Certificate", or: .certificateMalformed)
        let body = try certificate.next(.sequence, "tbsCertificate")
        let algorithmNode = try certificate.next(.sequence, "signatureAlgorithm")
        let algorithm = try AlgorithmName(algorithmNode, or: .certificateMalformed)
        let signatureNode = try certificate.next(.bitString, "signatureValue")
        try certificate.end()

        let (facts, innerAlgorithm, keyInfo) = try CertificateFacts.read(body, der: Array(der))
        // RFC 5280 4.1.1.2: only one of the two names is covered by the signature.
        guard innerAlgorithm == algorithm else {
            throw ASN1Fields.problem(
                .certificateMalformed, algorithmNode, "the certificate names two different signature algorithms")
        }
        do {
            let bits = try ASN1BitString(derEncoded: signatureNode)
            guard bits.paddingBits == 0 else { throw ASN1Error.invalidASN1Object(reason: "unused bits") }
            signature = Array(bits.bytes)
        } catch {
            throw ASN1Fields.problem(.certificateMalformed, signatureNode, "the signature is not whole octets")
        }
        self.facts = facts
        self.keyInfo = keyInfo
        signed = Array(body.encodedBytes)
        scheme = algorithm.parameterised ? nil : SignatureScheme(identifier: algorithm.identifier)
    }

    var selfIssued: Bool { facts.subjectDER == facts.issuerDER }

    /// Whether this key made the signature over `bytes`; throws `chainUnsupported` for a key that cannot be used.
    func verifies(_ signature: [UInt8], over bytes: [UInt8], _ scheme: SignatureScheme) throws(CodeProblem) -> Bool {
        let key: Certificate.PublicKey
        do {
            key = try Certificate.PublicKey(derEncoded: keyInfo)
        } catch {
            throw CodeProblem(
                .chainUnsupported,
                "the key of \(facts.printableSubject) cannot be used (RSA under 2048 bits, or a curve)")
        }
        guard let algorithm = scheme.x509 else { return false }
        return key.isValidSignature(signature, for: bytes, signatureAlgorithm: algorithm)
    }

    /// Throws unless `issuer` signed this certificate.
    ///
    /// SHA-1 is taken only from before 2017, when Apple's first intermediates were made: since then a collision can
    /// be bought, so a certificate that a CA signs with SHA-1 today may have a twin.
    func checkSignature(by issuer: SignedCertificate) throws(CodeProblem) {
        guard let scheme else {
            throw CodeProblem(
                .chainUnsupported, "the signature algorithm of \(facts.printableSubject) cannot be checked")
        }
        guard scheme.digest != .sha1 || facts.notBefore < 1_483_228_800 else {
            throw CodeProblem(.chainUnsupported, "\(facts.printableSubject) was signed with SHA-1 after 2016")
        }
        guard try issuer.verifies(signature, over: signed, scheme) else {
            throw CodeProblem(
                .chainSignatureWrong, "\(facts.printableSubject) is not signed by \(issuer.facts.printableSubject)")
        }
    }
}

extension CertificateFacts {
    /// Reads the facts of a certificate from its DER (RFC 5280 4.1).
    ///
    /// Throws `certificateMalformed`, or `limit` for one that is too large or has too many parts. Nothing is verified:
    /// a key of any kind and a signature by anybody will do.
    public init(der: [UInt8]) throws(CodeProblem) {
        self = try SignedCertificate(der: der[...]).facts
    }

    fileprivate static func read(
        _ body: ASN1Node, der: [UInt8]
    ) throws(CodeProblem) -> (CertificateFacts, signature: AlgorithmName, keyInfo: [UInt8]) {
        var fields = try ASN1Fields(body, "tbsCertificate", or: .certificateMalformed)
        _ = fields.optional(.context(0))  // version
        let serialNumber = try fields.content(.integer, "serialNumber")
        let algorithm = try AlgorithmName(try fields.next(.sequence, "signature"), or: .certificateMalformed)
        let issuer = try fields.next(.sequence, "issuer")
        var validity = try ASN1Fields(
            try fields.next(.sequence, "validity"), "validity", or: .certificateMalformed)
        let notBefore = try validity.next(nil, "notBefore").time(or: .certificateMalformed)
        let notAfter = try validity.next(nil, "notAfter").time(or: .certificateMalformed)
        try validity.end()
        let subject = try fields.next(.sequence, "subject")
        let keyInfo = try fields.next(.sequence, "subjectPublicKeyInfo")
        _ = fields.optional(.context(1))  // issuerUniqueID
        _ = fields.optional(.context(2))  // subjectUniqueID
        let extensions = try fields.optional(.context(3)).map { node throws(CodeProblem) in try readExtensions(node) }
        try fields.end()

        func identifiers(_ type: [UInt8]) throws(CodeProblem) -> [[UInt8]]? {
            guard let found = extensions?.first(where: { $0.identifier == type }) else { return nil }
            return try readIdentifiers(found.value)
        }
        let facts = CertificateFacts(
            der: der, sha1: DigestAlgorithm.sha1.hash(der), sha256: DigestAlgorithm.sha256.hash(der),
            subjectDER: Array(subject.encodedBytes), issuerDER: Array(issuer.encodedBytes), serialNumber: serialNumber,
            subject: try readName(subject), extensions: extensions ?? [],
            policies: try identifiers(ObjectIdentifiers.certificatePolicies) ?? [],
            extendedKeyUsages: try identifiers(ObjectIdentifiers.extendedKeyUsage), notBefore: notBefore,
            notAfter: notAfter)
        return (facts, algorithm, Array(keyInfo.encodedBytes))
    }

    /// The attributes of a Name, those of multi-valued RDNs one after the other.
    private static func readName(_ name: ASN1Node) throws(CodeProblem) -> [Attribute] {
        var attributes: [Attribute] = []
        var names = try ASN1Fields(name, "a Name", or: .certificateMalformed)
        while let node = names.next() {
            var set = try ASN1Fields(node, tag: .set, "a RelativeDistinguishedName", or: .certificateMalformed)
            while let node = set.next() {
                try checkCount(attributes.count, "name attributes", node)
                var pair = try ASN1Fields(node, "an AttributeTypeAndValue", or: .certificateMalformed)
                let type = try pair.content(.objectIdentifier, "type")
                let value = try pair.next(nil, "value")
                try pair.end()
                guard case .primitive(let octets) = value.content else {
                    throw ASN1Fields.problem(.certificateMalformed, value, "a name attribute is not a string")
                }
                attributes.append(Attribute(type: type, value: Array(octets)))
            }
        }
        return attributes
    }

    private static func readExtensions(_ tagged: ASN1Node) throws(CodeProblem) -> [Extension] {
        var outer = try ASN1Fields(tagged, tag: .context(3), "the extensions' tag", or: .certificateMalformed)
        var list = try ASN1Fields(try outer.next(.sequence, "list"), "extensions", or: .certificateMalformed)
        try outer.end()
        var extensions: [Extension] = []
        var seen: Set<[UInt8]> = []
        while let node = list.next() {
            try checkCount(extensions.count, "extensions", node)
            var fields = try ASN1Fields(node, "an Extension", or: .certificateMalformed)
            let identifier = try fields.content(.objectIdentifier, "extnID")
            // DEFAULT FALSE: whatever is written that is not false counts as critical, the safe side.
            let critical: Bool =
                if let flag = fields.optional(.boolean), case .primitive(let value) = flag.content {
                    value.contains { $0 != 0 }
                } else { false }
            let value = try fields.content(.octetString, "extnValue")
            try fields.end()
            // RFC 5280 4.2: readers that took the first and readers that took the last would see two certificates.
            guard seen.insert(identifier).inserted else {
                throw ASN1Fields.problem(
                    .certificateMalformed, node, "extension \(ObjectIdentifiers.text(identifier)) stands twice")
            }
            extensions.append(Extension(identifier: identifier, critical: critical, value: value))
        }
        return extensions
    }

    /// The object identifiers of extKeyUsage, or those that lead each entry of certificatePolicies.
    private static func readIdentifiers(_ der: [UInt8]) throws(CodeProblem) -> [[UInt8]] {
        let root: ASN1Node
        do { root = try DER.parse(der) } catch {
            throw CodeProblem(.certificateMalformed, "the content of an extension is not DER")
        }
        var list = try ASN1Fields(root, "the list in an extension", or: .certificateMalformed)
        var identifiers: [[UInt8]] = []
        while let node = list.next() {
            try checkCount(identifiers.count, "identifiers in an extension", node)
            if node.identifier == .objectIdentifier, case .primitive(let content) = node.content {
                identifiers.append(Array(content))
            } else {
                var entry = try ASN1Fields(node, "a policy", or: .certificateMalformed)
                identifiers.append(try entry.content(.objectIdentifier, "identifier"))
            }
        }
        return identifiers
    }

    private static func checkCount(_ count: Int, _ what: String, _ node: ASN1Node) throws(CodeProblem) {
        guard count < CodeIdentityLimits.certificateItems.value else {
            throw ASN1Fields.problem(
                .limit, node, "certificate.items: more than \(count) \(what); the certificate is not read")
        }
    }
}
