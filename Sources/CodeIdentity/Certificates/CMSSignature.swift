// SPDX-License-Identifier: Apache-2.0

// The signature of signed code, slot 0x10000, as the file claims it.

import FlowModel
import SwiftASN1

/// A detached CMS signature with its timestamp, read but not verified.
public struct CMSSignature: Hashable, Sendable {
    public let signedData: SignedData
    /// The RFC 3161 token in the unsigned attributes, or why it cannot be read; nil when there is none.
    public let timestamp: Result<TimestampToken, CodeProblem>?

    /// Reads the content of the CMS blob, that is without the eight bytes of its header.
    ///
    /// Throws `cmsMalformed`, `cmsUnsupported`, `cmsSignerCount`, `cmsAttributeMissing`, `cmsAttributeRepeated` or
    /// `limit`; offsets count from the first byte given. Source: RFC 5652; `CMSDecoder` of Security.
    public static func read(_ bytes: [UInt8]) throws(CodeProblem) -> CMSSignature {
        let data = try SignedData(contentInfo: try parse(bytes))
        guard data.content == nil else {
            throw CodeProblem(
                .cmsUnsupported, "the signature encloses content; one over a code directory is detached")
        }
        let timestamp = data.signer.timestampToken.map { node in
            Result { () throws(CodeProblem) in try TimestampToken(node) }
        }
        return CMSSignature(signedData: data, timestamp: timestamp)
    }

    private static func parse(_ bytes: [UInt8]) throws(CodeProblem) -> ASN1Node {
        guard bytes.count <= CodeIdentityLimits.cmsBytes.value else {
            throw CodeProblem(.limit, "cms.bytes: a signature of \(bytes.count) bytes; it is not read")
        }
        do {
            return try BER.parse(bytes)
        } catch {
            throw CodeProblem(.cmsMalformed, "not BER of one value without trailing bytes, at most 50 levels deep")
        }
    }
}

/// An RFC 3161 timestamp token, read but not verified.
public struct TimestampToken: Hashable, Sendable {
    public let signedData: SignedData
    /// What was stamped: the digest of the signature octets.
    public let imprintAlgorithm: DigestAlgorithm
    public let imprint: [UInt8]
    /// When the authority says that it stamped it: seconds since 1970-01-01 UTC.
    public let time: Int64

    /// The DER of TSTInfo: what the authority signed.
    let content: [UInt8]

    init(_ node: ASN1Node) throws(CodeProblem) {
        signedData = try SignedData(contentInfo: node)
        guard signedData.contentType == ObjectIdentifiers.timestampInfo, let content = signedData.content else {
            throw ASN1Fields.problem(.cmsMalformed, node, "the token encloses no TSTInfo")
        }
        self.content = content
        let root: ASN1Node
        do { root = try DER.parse(content) } catch {
            throw ASN1Fields.problem(.cmsMalformed, node, "TSTInfo is not DER")
        }
        // RFC 3161 2.4.2; what follows genTime (accuracy, ordering, nonce, tsa, extensions) decides nothing here.
        var fields = try ASN1Fields(root, "TSTInfo", or: .cmsMalformed)
        _ = try fields.next(.integer, "version")
        _ = try fields.next(.objectIdentifier, "policy")
        var stamped = try ASN1Fields(
            try fields.next(.sequence, "messageImprint"), "messageImprint", or: .cmsMalformed)
        let algorithmNode = try stamped.next(.sequence, "hashAlgorithm")
        imprintAlgorithm = try AlgorithmName(algorithmNode, or: .cmsMalformed).digest(at: algorithmNode)
        imprint = try stamped.octets("hashedMessage")
        try stamped.end()
        _ = try fields.next(.integer, "serialNumber")
        time = try fields.next(.generalizedTime, "genTime").time(or: .cmsMalformed)
    }
}
