// SPDX-License-Identifier: Apache-2.0

// Whether the signature names all code directories of the file, not just the one in slot 0.

/// The rules of the hash agility attributes (`verifyCDHashes` and `setSignature` of Security).
///
/// Without them an alternate directory, which is the one that counts when its digest is better, is signed by nobody:
/// Apple's check then takes it anyway, Weir refuses.
struct AgilityCheck {
    private let attributes: SignedAttributes

    init(_ attributes: SignedAttributes) { self.attributes = attributes }

    /// The cdhashes of the first attribute, and whether both attributes name exactly these directories.
    func verify(_ digests: [DirectoryDigest]) -> (cdhashes: [[UInt8]]?, ProofOutcome) {
        let cdhashes: [[UInt8]]?
        do {
            cdhashes = try readCDHashes()
        } catch {
            return (nil, .refused(error))
        }
        guard cdhashes != nil || attributes.agilityV2 != nil else {
            guard digests.count <= 1 else {
                return (
                    nil,
                    .refused(
                        CodeProblem(
                            .agilityMissing,
                            "\(digests.count) code directories, and the signature names only that in slot 0"))
                )
            }
            return (nil, .absent)
        }
        let sorted = digests.sorted { $0.hashType.rawValue < $1.hashType.rawValue }
        if let cdhashes, cdhashes != sorted.map(\.cdhash.bytes) {
            return (
                cdhashes,
                .refused(CodeProblem(.agilityMismatch, "the signed cdhashes are not those of the code directories"))
            )
        }
        if let entries = attributes.agilityV2 {
            // A set has no order, so both sides are counted.
            var wanted: [SignedAttributes.DirectoryEntry: Int] = [:]
            for digest in digests {
                wanted[.init(algorithm: Self.algorithm(of: digest.hashType), digest: digest.full), default: 0] += 1
            }
            var signed: [SignedAttributes.DirectoryEntry: Int] = [:]
            for entry in entries { signed[entry, default: 0] += 1 }
            guard wanted == signed else {
                return (
                    cdhashes,
                    .refused(CodeProblem(.agilityMismatch, "the signed digests are not those of the code directories"))
                )
            }
        }
        return (cdhashes, .proved)
    }

    /// A dictionary whose `cdhashes` is an array of data.
    private func readCDHashes() throws(CodeProblem) -> [[UInt8]]? {
        guard let bytes = attributes.agilityV1 else { return nil }
        guard let hashes = try PropertyList.readXML(bytes)["cdhashes"]?.array else {
            throw CodeProblem(.agilityMismatch, "the signed property list has no array of cdhashes")
        }
        var cdhashes: [[UInt8]] = []
        for hash in hashes {
            guard let data = hash.data else {
                throw CodeProblem(.agilityMismatch, "a signed cdhash is not data")
            }
            cdhashes.append(data)
        }
        return cdhashes
    }

    private static func algorithm(of type: CodeHashType) -> [UInt8] {
        switch type {
        case .sha1: ObjectIdentifiers.sha1
        case .sha256, .sha256Truncated: ObjectIdentifiers.sha256
        case .sha384: ObjectIdentifiers.sha384
        }
    }
}
