// SPDX-License-Identifier: Apache-2.0

// Verifies the signature of a slice: content, signer, chain, code directories, timestamp and team.

/// What a CMS signature must be a signature of.
public struct SignedDirectories: Sendable {
    /// The whole blob in slot 0, header included, whatever its rank: the signature is over this one.
    public var slotZero: [UInt8]
    /// Every code directory of the slice, slot 0 among them.
    public var digests: [DirectoryDigest]
    /// The team identifier of the directory that counts, up to its NUL.
    public var team: [UInt8]?
    /// The flags of the directory that counts.
    public var flags: CodeSignatureFlags

    public init(slotZero: [UInt8], digests: [DirectoryDigest], team: [UInt8]?, flags: CodeSignatureFlags) {
        self.slotZero = slotZero
        self.digests = digests
        self.team = team
        self.flags = flags
    }
}

/// Verifies code signatures by Apple's rules; a bad signature is an outcome, not an error.
public struct CMSVerifier: Sendable {
    /// SHA-256 of the roots that stand for Apple's; a test may put its own here.
    public var appleRoots: Set<[UInt8]>

    public init(appleRoots: Set<[UInt8]> = AppleRoots.sha256) { self.appleRoots = appleRoots }

    /// Verifies a signature over the code directories of one slice.
    ///
    /// Certificates must be valid at the time of a secure timestamp. Without one, expired certificates are tolerated
    /// unless the code asks to expire (`CodeSignatureFlags.expires`). Source: `StaticCode.cpp` of Security.
    ///
    /// - Parameter now: seconds since 1970-01-01 UTC; asked only for code that expires.
    public func verify(_ cms: CMSSignature, over code: SignedDirectories, now: Int64) -> SignatureProof {
        let signer = SignerCheck(cms.signedData, content: code.slotZero, contentType: ObjectIdentifiers.data)
        var timestamp = verifyTimestamp(of: cms)
        let time = timestamp.time ?? (code.flags.contains(.expires) ? now : nil)
        let chain = signer.certificate.map {
            CertificateChain.find(
                from: $0, in: cms.signedData.signedCertificates, for: .codeSigning, at: time, appleRoots: appleRoots)
        }
        let endsAtApple = chain?.endsAtApple ?? false
        if case .proved = timestamp.outcome, endsAtApple, !timestamp.endsAtApple {
            timestamp.outcome = .refused(
                CodeProblem(.timestampAnchor, "the chain ends at an Apple root and the timestamp's does not"))
        }
        let (agilityV1, agility) = AgilityCheck(cms.signedData.signer.signedAttributes).verify(code.digests)
        let path = chain.map { $0.problem.map { .refused($0) } ?? .proved } ?? signer.signature
        let holds = [signer.messageDigest, signer.signature, agility, path, timestamp.outcome].allSatisfy {
            $0.problem == nil
        }
        return SignatureProof(
            cms: cms, chain: chain, agilityV1: agilityV1, messageDigest: signer.messageDigest,
            signature: signer.signature, agility: agility, path: path, timestamp: timestamp.outcome,
            team: TeamRule.binding(
                of: code.team, to: chain?.path.map(\.facts) ?? [], provedToApple: holds && endsAtApple))
    }

    /// The imprint, the authority's own signature and its chain at the time that it states.
    ///
    /// Apple's authority signs with SHA-1 to this day, so that is taken here without a remark.
    private func verifyTimestamp(of cms: CMSSignature) -> (outcome: ProofOutcome, time: Int64?, endsAtApple: Bool) {
        let token: TimestampToken
        switch cms.timestamp {
        case nil: return (.absent, nil, false)
        case .failure(let problem): return (.refused(problem), nil, false)
        case .success(let read): token = read
        }
        let signer = SignerCheck(
            token.signedData, content: token.content, contentType: ObjectIdentifiers.timestampInfo)
        guard token.imprintAlgorithm.hash(cms.signedData.signer.signature) == token.imprint else {
            return (
                .refused(CodeProblem(.timestampImprint, "the timestamp is for another signature")), nil, false
            )
        }
        guard let certificate = signer.certificate, signer.messageDigest == .proved, signer.signature == .proved else {
            let outcome = signer.messageDigest == .proved ? signer.signature : signer.messageDigest
            return (outcome, nil, false)
        }
        // A token may leave out what the signature brings anyway, the root above all.
        let chain = CertificateChain.find(
            from: certificate, in: token.signedData.signedCertificates + cms.signedData.signedCertificates,
            for: .timeStamping, at: token.time, appleRoots: appleRoots)
        if let problem = chain.problem { return (.refused(problem), nil, false) }
        return (.proved, token.time, chain.endsAtApple)
    }
}

/// The two checks that every SignerInfo needs (RFC 5652 5.4, 5.6).
private struct SignerCheck {
    let certificate: SignedCertificate?
    let messageDigest: ProofOutcome
    let signature: ProofOutcome

    init(_ data: SignedData, content: [UInt8], contentType: [UInt8]) {
        let signer = data.signer
        let attributes = signer.signedAttributes
        if attributes.contentType != contentType || data.contentType != contentType {
            messageDigest = .refused(
                CodeProblem(
                    .cmsUnsupported,
                    "the content is \(ObjectIdentifiers.text(data.contentType)), "
                        + "\(ObjectIdentifiers.text(contentType)) is wanted"))
        } else if signer.digestAlgorithm.hash(content) != attributes.messageDigest {
            messageDigest = .refused(CodeProblem(.cmsDigestMismatch, "the signature is over other content"))
        } else {
            messageDigest = .proved
        }

        // A second certificate of the same issuer and number can only make the signature fail.
        certificate = data.signedCertificates.first { signer.identifier.names($0.facts) }
        guard let certificate else {
            signature = .refused(CodeProblem(.cmsSignerUnknown, "the signer's certificate is not in the signature"))
            return
        }
        do {
            signature =
                try certificate.verifies(signer.signature, over: attributes.signedBytes, signer.scheme)
                ? .proved
                : .refused(
                    CodeProblem(
                        .cmsSignatureWrong, "the key of \(certificate.facts.printableSubject) did not sign this"))
        } catch {
            signature = .refused(error)
        }
    }
}
