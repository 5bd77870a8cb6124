// SPDX-License-Identifier: Apache-2.0

// What the signer's key signed: the attributes that name content, time and code directories.

import SwiftASN1

/// The signed attributes of one signer.
public struct SignedAttributes: Hashable, Sendable {
    /// One value of the second agility attribute: the whole digest of one code directory.
    public struct DirectoryEntry: Hashable, Sendable {
        /// DER content octets of the digest algorithm.
        public let algorithm: [UInt8]
        public let digest: [UInt8]
    }

    /// What the signature covers: the attributes as a DER SET OF.
    let signedBytes: [UInt8]
    /// DER content octets.
    public let contentType: [UInt8]
    public let messageDigest: [UInt8]
    /// Seconds since 1970-01-01 UTC by the signer's own clock: a claim.
    public let signingTime: Int64?
    /// The first agility attribute (1.2.840.113635.100.9.1): a property list with the cdhashes.
    public let agilityV1: [UInt8]?
    /// The second (1.2.840.113635.100.9.2), in the order of the attribute.
    public let agilityV2: [DirectoryEntry]?

    init(_ node: ASN1Node) throws(CodeProblem) {
        // RFC 5652 5.4: signed under the tag SET OF instead of [0].
        var bytes = Array(node.encodedBytes)
        guard !bytes.isEmpty, bytes[0] == 0xa0 else {
            throw ASN1Fields.problem(.cmsMalformed, node, "signed attributes have the tag [0]")
        }
        bytes[0] = 0x31
        guard (try? DER.parse(bytes)) != nil else {
            throw ASN1Fields.problem(
                .cmsUnsupported, node, "the signed attributes are not DER, which is what is signed")
        }
        signedBytes = bytes
        let attributes = try SignerInfo.readAttributes(node, .context(0))

        func value(_ type: [UInt8], _ what: String) throws(CodeProblem) -> ASN1Node? {
            try attributes[type].map { values throws(CodeProblem) in try SignerInfo.one(values, what, node) }
        }
        guard let type = try value(ObjectIdentifiers.contentType, "contentType"),
            let digest = try value(ObjectIdentifiers.messageDigest, "messageDigest")
        else {
            throw ASN1Fields.problem(.cmsAttributeMissing, node, "contentType and messageDigest must be signed")
        }
        guard type.identifier == .objectIdentifier, case .primitive(let typeBytes) = type.content else {
            throw ASN1Fields.problem(.cmsMalformed, type, "contentType is not an object identifier")
        }
        contentType = Array(typeBytes)
        messageDigest = try ASN1Fields.octets(digest, "messageDigest", or: .cmsMalformed)
        signingTime = try value(ObjectIdentifiers.signingTime, "signingTime").map { node throws(CodeProblem) in
            try node.time(or: .cmsMalformed)
        }
        agilityV1 = try value(ObjectIdentifiers.agilityV1, "agility").map { node throws(CodeProblem) in
            try ASN1Fields.octets(node, "the list of cdhashes", or: .cmsMalformed)
        }
        agilityV2 = try attributes[ObjectIdentifiers.agilityV2].map { values throws(CodeProblem) in
            var entries: [DirectoryEntry] = []
            for value in values {
                var fields = try ASN1Fields(value, "an agility entry", or: .cmsMalformed)
                let algorithm = try fields.content(.objectIdentifier, "digest algorithm")
                entries.append(DirectoryEntry(algorithm: algorithm, digest: try fields.octets("digest")))
                try fields.end()
            }
            return entries
        }
    }
}
