// SPDX-License-Identifier: Apache-2.0

// Signs code directories as Apple's tools do, with certificates of its own: for what no real file can be had.

import Crypto

@testable import CodeIdentity

/// A signer with its chain and a timestamp authority, all under one root that may stand for Apple's.
///
/// Change what is to be wrong, then `sign`.
struct SyntheticSigner: Sendable {
    var root: SyntheticCertificate
    var intermediate: SyntheticCertificate
    var leaf: SyntheticCertificate
    var timestampAuthority: SyntheticCertificate
    var timestampLeaf: SyntheticCertificate

    // What is in the signature.

    var contentType = ObjectIdentifiers.data
    var digest = DigestAlgorithm.sha256
    var signingTime: String? = "250101000000Z"
    /// Whether the agility attributes are there.
    var agility: Set<Int> = [1, 2]
    /// Whole attributes added to the signed ones.
    var moreAttributes: [[UInt8]] = []
    var signedAttributes = true
    /// Names the digest only in digestAlgorithm, as Apple's timestamps do.
    var plainRSA = false
    var byKeyIdentifier: [UInt8]?
    /// What stands in the SET, from leaf, intermediate and root; by itself intermediate, root, leaf, as Apple has it.
    var arrange: @Sendable ([[UInt8]]) throws -> [[UInt8]] = { Array($0.dropFirst() + $0.prefix(1)) }
    var signers = 1
    /// Encloses the content.
    var encloses = false
    /// The time of the token; nil leaves it out.
    var timestamp: String? = "20250101000001Z"
    /// What the token stamps instead of the signature.
    var timestamped: [UInt8]?
    /// Changes the token after it was made.
    var editToken: @Sendable ([UInt8]) -> [UInt8] = { $0 }
    /// The same for the token, from its leaf, authority and root; by itself without the root.
    var arrangeToken: @Sendable ([[UInt8]]) throws -> [[UInt8]] = { Array($0.prefix(2)) }
    /// Writes the outermost values with indefinite lengths, as `codesign` does.
    var indefinite = false

    /// A Developer ID of this team.
    static func developerID(
        team: String = "TEAM123456", key: SyntheticKey = .p256()
    ) -> SyntheticSigner {
        SyntheticSigner(
            root: .authority("Synthetic Root", key: .p256()),
            intermediate: .authority(
                "Developer ID Certification Authority", markers: [AppleMarkers.developerIDAuthority], key: .p256()),
            leaf: .leaf(
                "Developer ID Application: Synthetic (\(team))", usage: ObjectIdentifiers.codeSigning, units: [team],
                markers: [AppleMarkers.developerIDApplication], key: key),
            timestampAuthority: .authority(
                "Timestamp Authority", markers: [AppleMarkers.timestampAuthority], key: .p256()),
            timestampLeaf: .leaf("Timestamp Signer", usage: ObjectIdentifiers.timeStamping, key: .p256()))
    }

    /// The chain that Apple's own macOS software has: what `anchor apple` accepts when the root stands for Apple's.
    static func appleSoftware() -> SyntheticSigner {
        var signer = developerID()
        signer.intermediate = .authority("Apple Code Signing Certification Authority", key: .p256())
        signer.leaf = .leaf(
            "Software Signing", usage: ObjectIdentifiers.codeSigning, units: ["Apple Software"],
            markers: [AppleMarkers.macOSSoftwareSigning], key: .p256())
        return signer
    }

    /// A signature and what belongs to it.
    struct Signed: Sendable {
        /// The content of the CMS blob.
        let cms: [UInt8]
        /// Leaf, intermediate, root.
        let chain: [[UInt8]]
        /// SHA-256 of the root: what to pass as the roots that stand for Apple's.
        let appleRoots: Set<[UInt8]>
    }

    /// Signs the directory in slot 0 and names the others.
    ///
    /// Each call makes new certificates of the same keys, since ECDSA signatures differ from one to the next.
    func sign(_ directories: SyntheticDirectories) throws -> Signed {
        let rootDER = try root.der()
        let chain = [try leaf.der(by: intermediate), try intermediate.der(by: root), rootDER]
        let cms = try cms(over: directories.slotZero, digests: directories.digests, chain: chain)
        return Signed(cms: cms, chain: chain, appleRoots: [Array(SHA256.hash(data: rootDER))])
    }

    private func cms(over content: [UInt8], digests: [DirectoryDigest], chain: [[UInt8]]) throws -> [UInt8] {
        var attributes = standardAttributes(digest.hash(content))
        if agility.contains(1) {
            let hashes = digests.sorted { $0.hashType.rawValue < $1.hashType.rawValue }.map(\.cdhash.bytes)
            attributes.append(
                attribute(ObjectIdentifiers.agilityV1, DERWriter.octets(PlainPropertyList.write(hashes))))
        }
        if agility.contains(2) {
            let entries = digests.flatMap {
                DERWriter.sequence(
                    DERWriter.oid($0.hashType == .sha1 ? ObjectIdentifiers.sha1 : ObjectIdentifiers.sha256),
                    DERWriter.octets($0.full))
            }
            attributes.append(attribute(ObjectIdentifiers.agilityV2, entries))
        }
        attributes += moreAttributes
        let signature = try leaf.key.sign(
            DERWriter.value(0x31, attributes.flatMap(\.self)), sha1: digest == .sha1)
        var unsigned: [UInt8] = []
        if let timestamp {
            let token = try token(over: timestamped ?? signature, at: timestamp, root: chain[2])
            unsigned = DERWriter.context(1, attribute(ObjectIdentifiers.timestampToken, editToken(token)))
        }
        let signer = DERWriter.sequence(
            DERWriter.integer(1),
            byKeyIdentifier.map { DERWriter.value(0x80, $0) } ?? leaf.issuerAndSerial(intermediate),
            algorithm(digest.identifier),
            signedAttributes ? DERWriter.context(0, attributes.flatMap(\.self)) : [],
            plainRSA ? algorithm(ObjectIdentifiers.rsaEncryption) : leaf.key.algorithm(),
            DERWriter.octets(signature), unsigned)
        return signedData(
            content: encloses ? content : nil, certificates: try arrange(chain),
            signers: Array(repeating: signer, count: signers), type: contentType, indefinite: indefinite)
    }

    private func token(over signature: [UInt8], at time: String, root rootDER: [UInt8]) throws -> [UInt8] {
        let info = DERWriter.sequence(
            DERWriter.integer(1), DERWriter.oid([0x2a, 3]),
            DERWriter.sequence(
                algorithm(ObjectIdentifiers.sha256), DERWriter.octets(DigestAlgorithm.sha256.hash(signature))),
            DERWriter.integer(7), DERWriter.time(time))
        let attributes =
            attribute(ObjectIdentifiers.contentType, DERWriter.oid(ObjectIdentifiers.timestampInfo))
            + attribute(
                ObjectIdentifiers.messageDigest, DERWriter.octets(DigestAlgorithm.sha256.hash(info)))
        let signer = DERWriter.sequence(
            DERWriter.integer(1), timestampLeaf.issuerAndSerial(timestampAuthority),
            algorithm(ObjectIdentifiers.sha256), DERWriter.context(0, attributes), timestampLeaf.key.algorithm(),
            DERWriter.octets(try timestampLeaf.key.sign(DERWriter.value(0x31, attributes))))
        return signedData(
            content: info,
            certificates: try arrangeToken([
                timestampLeaf.der(by: timestampAuthority), timestampAuthority.der(by: root), rootDER,
            ]),
            signers: [signer], type: ObjectIdentifiers.timestampInfo, indefinite: false)
    }

    private func standardAttributes(_ digest: [UInt8]) -> [[UInt8]] {
        [attribute(ObjectIdentifiers.contentType, DERWriter.oid(contentType))]
            + (signingTime.map { [attribute(ObjectIdentifiers.signingTime, DERWriter.time($0))] } ?? [])
            + [attribute(ObjectIdentifiers.messageDigest, DERWriter.octets(digest))]
    }

    private func attribute(_ type: [UInt8], _ values: [UInt8]) -> [UInt8] {
        DERWriter.sequence(DERWriter.oid(type), DERWriter.set(values))
    }

    private func algorithm(_ type: [UInt8]) -> [UInt8] { DERWriter.sequence(DERWriter.oid(type), DERWriter.null) }

    private func signedData(
        content: [UInt8]?, certificates: [[UInt8]], signers: [[UInt8]], type: [UInt8], indefinite: Bool
    ) -> [UInt8] {
        let wrap = { (tag: UInt8, content: [UInt8]) in
            indefinite ? DERWriter.indefinite(tag, content) : DERWriter.value(tag, content)
        }
        let enclosed = DERWriter.oid(type) + (content.map { wrap(0xa0, DERWriter.octets($0)) } ?? [])
        let data =
            DERWriter.integer(1) + DERWriter.set(algorithm(ObjectIdentifiers.sha256)) + wrap(0x30, enclosed)
            + DERWriter.context(0, certificates.flatMap(\.self)) + DERWriter.value(0x31, signers.flatMap(\.self))
        return wrap(0x30, DERWriter.oid(ObjectIdentifiers.signedData) + wrap(0xa0, wrap(0x30, data)))
    }
}

/// Code directories made up for a test: any bytes, since CMS does not look inside.
struct SyntheticDirectories: Sendable {
    var slotZero: [UInt8]
    var digests: [DirectoryDigest]

    init(slotZero: [UInt8], digests: [DirectoryDigest]) {
        self.slotZero = slotZero
        self.digests = digests
    }

    /// One of SHA-256.
    static func one() -> SyntheticDirectories {
        let blob = Array("a code directory".utf8)
        return SyntheticDirectories(slotZero: blob, digests: [digest(blob, slot: 0, .sha256)].compactMap(\.self))
    }

    /// One of SHA-1 in slot 0 and one of SHA-256 beside it.
    static func two() -> SyntheticDirectories {
        let blob = Array("a code directory".utf8)
        let alternate = digest(Array("an alternate code directory".utf8), slot: 0x1000, .sha256)
        return SyntheticDirectories(
            slotZero: blob, digests: [alternate, digest(blob, slot: 0, .sha1)].compactMap(\.self))
    }

    static func digest(_ blob: [UInt8], slot: UInt32, _ type: CodeHashType) -> DirectoryDigest? {
        let full = (type == .sha1 ? DigestAlgorithm.sha1 : .sha256).hash(blob)
        return CDHash(full.prefix(20)).map { DirectoryDigest(slot: slot, hashType: type, full: full, cdhash: $0) }
    }
}
