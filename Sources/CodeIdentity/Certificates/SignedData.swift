// SPDX-License-Identifier: Apache-2.0

// CMS SignedData (RFC 5652) in the forms that code signatures and their timestamps use.

import FlowModel
import SwiftASN1

/// A SignedData with one signer, as it claims to be.
///
/// BER with indefinite lengths is read, since `codesign` writes it; signed attributes and certificates are DER.
public struct SignedData: Hashable, Sendable {
    /// DER content octets of eContentType.
    public let contentType: [UInt8]
    /// The content when it is enclosed; nil for a detached signature.
    public let content: [UInt8]?
    let signedCertificates: [SignedCertificate]
    public let signer: SignerInfo
    /// Certificates that could not be read: they cannot be part of a chain, the rest can.
    public let problems: [CodeProblem]

    /// The readable certificates in the order of the SET, which says nothing about the chain.
    public var certificates: [CertificateFacts] { signedCertificates.map(\.facts) }

    init(contentInfo node: ASN1Node) throws(CodeProblem) {
        var info = try ASN1Fields(node, "a ContentInfo", or: .cmsMalformed)
        let typeNode = try info.next(.objectIdentifier, "contentType")
        guard case .primitive(let type) = typeNode.content, type.elementsEqual(ObjectIdentifiers.signedData) else {
            throw ASN1Fields.problem(.cmsUnsupported, typeNode, "the content is not SignedData")
        }
        var tagged = try ASN1Fields(
            try info.next(.context(0), "content"), tag: .context(0), "the content's tag", or: .cmsMalformed)
        try info.end()
        var data = try ASN1Fields(try tagged.next(.sequence, "SignedData"), "SignedData", or: .cmsMalformed)
        try tagged.end()

        _ = try data.next(.integer, "version")
        // A hint for one-pass readers; only the signer's own digestAlgorithm counts.
        _ = try data.next(.set, "digestAlgorithms")
        (contentType, content) = try Self.readContent(try data.next(.sequence, "encapContentInfo"))
        (signedCertificates, problems) = try Self.readCertificates(data.optional(.context(0)))
        _ = data.optional(.context(1))  // revocation lists: nobody asks them
        let signersNode = try data.next(.set, "signerInfos")
        try data.end()

        var signers = try ASN1Fields(signersNode, tag: .set, "signerInfos", or: .cmsMalformed)
        guard let first = signers.next(), signers.next() == nil else {
            throw ASN1Fields.problem(
                .cmsSignerCount, signersNode, "exactly one signer is wanted: readers would differ in whom they believe")
        }
        signer = try SignerInfo(first)
    }

    private static func readContent(_ node: ASN1Node) throws(CodeProblem) -> (type: [UInt8], content: [UInt8]?) {
        var fields = try ASN1Fields(node, "encapContentInfo", or: .cmsMalformed)
        let type = try fields.content(.objectIdentifier, "eContentType")
        var content: [UInt8]?
        if let tag = fields.optional(.context(0)) {
            var tagged = try ASN1Fields(tag, tag: .context(0), "eContent's tag", or: .cmsMalformed)
            content = try tagged.octets("eContent")
            try tagged.end()
        }
        try fields.end()
        return (type, content)
    }

    private static func readCertificates(
        _ set: ASN1Node?
    ) throws(CodeProblem) -> ([SignedCertificate], [CodeProblem]) {
        guard let set else { return ([], []) }
        var nodes = try ASN1Fields(set, tag: .context(0), "certificates", or: .cmsMalformed)
        var certificates: [SignedCertificate] = []
        var problems: [CodeProblem] = []
        var count = 0
        while let node = nodes.next() {
            count += 1
            guard count <= CodeIdentityLimits.cmsCertificates.value else {
                throw ASN1Fields.problem(.limit, node, "cms.certificates: more than \(count - 1) certificates")
            }
            // The other choices (attribute certificates, obsolete forms) have context tags and play no part.
            guard node.identifier == .sequence else { continue }
            do {
                certificates.append(try SignedCertificate(der: node.encodedBytes))
            } catch {
                problems.append(error)
            }
        }
        return (certificates, problems)
    }
}

/// How a signer is named.
public enum SignerIdentifier: Hashable, Sendable {
    /// The DER of the issuer's name, and the content octets of the serial number.
    case issuerAndSerial(issuer: [UInt8], serial: [UInt8])
    case subjectKeyIdentifier([UInt8])

    func names(_ certificate: CertificateFacts) -> Bool {
        switch self {
        case .issuerAndSerial(let issuer, let serial):
            certificate.issuerDER == issuer && certificate.serialNumber == serial
        case .subjectKeyIdentifier(let identifier):
            // The extension holds an OCTET STRING, so its content has a tag and a length of its own.
            certificate.extension(ObjectIdentifiers.subjectKeyIdentifier)
                .flatMap { try? ASN1OctetString(derEncoded: $0.value) }
                .map { $0.bytes.elementsEqual(identifier) } ?? false
        }
    }
}

/// One signer of a SignedData, as it claims to be.
public struct SignerInfo: Hashable, Sendable {
    public let identifier: SignerIdentifier
    public let digestAlgorithm: DigestAlgorithm
    public let signedAttributes: SignedAttributes
    let scheme: SignatureScheme
    public let signature: [UInt8]
    /// The values of the timestamp attribute; the signature does not cover them.
    let timestampToken: ASN1Node?

    init(_ node: ASN1Node) throws(CodeProblem) {
        var fields = try ASN1Fields(node, "a SignerInfo", or: .cmsMalformed)
        _ = try fields.next(.integer, "version")
        identifier = try Self.readIdentifier(try fields.next(nil, "sid"))
        let digestNode = try fields.next(.sequence, "digestAlgorithm")
        digestAlgorithm = try AlgorithmName(digestNode, or: .cmsMalformed).digest(at: digestNode)
        guard let attributes = fields.optional(.context(0)) else {
            // Without them the signature would be over the content itself, which could then be taken for attributes.
            throw ASN1Fields.problem(.cmsAttributeMissing, node, "the signer has no signed attributes")
        }
        signedAttributes = try SignedAttributes(attributes)
        let algorithmNode = try fields.next(.sequence, "signatureAlgorithm")
        let algorithm = try AlgorithmName(algorithmNode, or: .cmsMalformed)
        guard !algorithm.parameterised,
            let scheme = SignatureScheme(identifier: algorithm.identifier, digest: digestAlgorithm),
            scheme.digest == digestAlgorithm
        else {
            throw ASN1Fields.problem(
                .cmsUnsupported, algorithmNode,
                "signature algorithm \(ObjectIdentifiers.text(algorithm.identifier)) with \(digestAlgorithm.rawValue)")
        }
        self.scheme = scheme
        signature = try fields.octets("signature")
        timestampToken = try fields.optional(.context(1)).flatMap { node throws(CodeProblem) in
            let attributes = try Self.readAttributes(node, .context(1))
            guard let values = attributes[ObjectIdentifiers.timestampToken] else { return nil }
            return try Self.one(values, "the timestamp token", node)
        }
        try fields.end()
    }

    private static func readIdentifier(_ node: ASN1Node) throws(CodeProblem) -> SignerIdentifier {
        if node.identifier == .context(0) {
            guard case .primitive(let bytes) = node.content else {
                throw ASN1Fields.problem(.cmsMalformed, node, "the subject key identifier is not an octet string")
            }
            return .subjectKeyIdentifier(Array(bytes))
        }
        var fields = try ASN1Fields(node, "issuerAndSerialNumber", or: .cmsMalformed)
        let issuer = Array(try fields.next(.sequence, "issuer").encodedBytes)
        let serial = try fields.content(.integer, "serialNumber")
        try fields.end()
        return .issuerAndSerial(issuer: issuer, serial: serial)
    }

    /// The attributes of a SET by type; a type that stands twice is refused, since readers would differ in which counts.
    static func readAttributes(
        _ node: ASN1Node, _ identifier: ASN1Identifier
    ) throws(CodeProblem) -> [[UInt8]: [ASN1Node]] {
        let most = CodeIdentityLimits.cmsAttributes.value
        var attributes: [[UInt8]: [ASN1Node]] = [:]
        var set = try ASN1Fields(node, tag: identifier, "a set of attributes", or: .cmsMalformed)
        while let node = set.next() {
            var fields = try ASN1Fields(node, "an Attribute", or: .cmsMalformed)
            let type = try fields.content(.objectIdentifier, "type")
            var values = try ASN1Fields(
                try fields.next(.set, "values"), tag: .set, "an attribute's values", or: .cmsMalformed)
            try fields.end()
            var nodes: [ASN1Node] = []
            while nodes.count <= most, let value = values.next() { nodes.append(value) }
            guard nodes.count <= most, attributes.count < most else {
                throw ASN1Fields.problem(.limit, node, "cms.attributes: more than \(most) attributes or values")
            }
            guard attributes.updateValue(nodes, forKey: type) == nil else {
                throw ASN1Fields.problem(
                    .cmsAttributeRepeated, node, "attribute \(ObjectIdentifiers.text(type)) stands twice")
            }
        }
        return attributes
    }

    static func one(_ values: [ASN1Node], _ what: String, _ node: ASN1Node) throws(CodeProblem) -> ASN1Node {
        guard let first = values.first, values.count == 1 else {
            throw ASN1Fields.problem(
                .cmsAttributeRepeated, node, "\(what) has \(values.count) values, exactly one is wanted")
        }
        return first
    }
}
