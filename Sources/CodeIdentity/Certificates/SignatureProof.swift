// SPDX-License-Identifier: Apache-2.0

// What a signature claims, and beside it what of that was proved.

/// Whether one thing holds.
public enum ProofOutcome: Hashable, Sendable {
    case proved
    /// There is nothing to prove, and nothing that needed it.
    case absent
    case refused(CodeProblem)

    public var problem: CodeProblem? { if case .refused(let problem) = self { problem } else { nil } }
}

/// What the team identifier of a code directory is worth.
public enum TeamBinding: Hashable, Sendable {
    /// The directory names no team.
    case absent
    /// The chain is none that Apple binds to a team, or the signature does not hold: the identifier is what its author
    /// wrote.
    case claimed
    /// Apple issued the signer's certificate to this team.
    case proved
    case refused(CodeProblem)

    public var problem: CodeProblem? { if case .refused(let problem) = self { problem } else { nil } }
}

/// The result of verifying the signature of one slice.
public struct SignatureProof: Hashable, Sendable {
    // What is claimed.

    /// Leaf first: the path that was found, as far as it goes; empty when the signer's certificate is missing.
    public let chain: [CertificateFacts]
    /// The certificates in the order of the signature.
    public let certificates: [CertificateFacts]
    public let digestAlgorithm: DigestAlgorithm
    /// Seconds since 1970-01-01 UTC by the signer's own clock.
    public let signingTime: Int64?
    /// The cdhashes of the first agility attribute, as they stand there.
    public let agilityV1: [[UInt8]]?
    /// The entries of the second.
    public let agilityV2: [SignedAttributes.DirectoryEntry]?

    // What holds of it.

    /// The signed digest is that of the code directory in slot 0.
    public let messageDigest: ProofOutcome
    /// The signer's key signed the attributes.
    public let signature: ProofOutcome
    /// The signature names the code directories of the file, all and no others.
    ///
    /// Absent when there is one directory and neither attribute, as old signatures have it.
    public let agility: ProofOutcome
    /// A path of certificates leads to a self-signed one and keeps the rules; it says nothing about trust.
    public let path: ProofOutcome
    /// A timestamp authority countersigned the signature.
    public let timestamp: ProofOutcome
    public let team: TeamBinding

    private let endsAtApple: Bool
    private let timestampTime: Int64?
    /// What is worth reporting and refuses nothing: certificates that cannot be read, a weak digest.
    public let remarks: [CodeProblem]

    /// Whether everything holds that `codesign --verify` asks of a signature; still nothing about trust.
    public var isValid: Bool { problems.isEmpty }

    /// Why it does not hold, the root of the matter first.
    public var problems: [CodeProblem] {
        [
            messageDigest.problem, signature.problem, agility.problem, path.problem, timestamp.problem, team.problem,
        ].compactMap(\.self)
    }

    /// Whether the signature is valid and its chain ends at an Apple root.
    public var anchoredAtApple: Bool { isValid && endsAtApple }

    /// When the code was signed at the latest: seconds since 1970-01-01 UTC, proved by a timestamp authority.
    ///
    /// Nil for a timestamp that does not hold, whatever it says.
    public var secureTimestamp: Int64? { timestamp == .proved ? timestampTime : nil }

    /// Who stands behind it; nil unless the signature is valid.
    public var signerClass: SignerClass? {
        isValid ? SignerClass(chain: chain, anchoredAtApple: endsAtApple) : nil
    }

    init(
        cms: CMSSignature, chain: CertificateChain?, agilityV1: [[UInt8]]?, messageDigest: ProofOutcome,
        signature: ProofOutcome, agility: ProofOutcome, path: ProofOutcome, timestamp: ProofOutcome, team: TeamBinding
    ) {
        let data = cms.signedData
        let attributes = data.signer.signedAttributes
        self.chain = chain?.path.map(\.facts) ?? []
        certificates = data.certificates
        digestAlgorithm = data.signer.digestAlgorithm
        signingTime = attributes.signingTime
        self.agilityV1 = agilityV1
        agilityV2 = attributes.agilityV2
        self.messageDigest = messageDigest
        self.signature = signature
        self.agility = agility
        self.path = path
        self.timestamp = timestamp
        self.team = team
        endsAtApple = chain?.endsAtApple ?? false
        timestampTime = (try? cms.timestamp?.get())?.time
        let weak =
            data.signer.digestAlgorithm == .sha1
            ? [CodeProblem(.cmsWeakDigest, "the code directory is signed by its SHA-1 digest")] : []
        remarks = data.problems + weak
    }
}
