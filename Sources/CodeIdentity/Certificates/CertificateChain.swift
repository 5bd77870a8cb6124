// SPDX-License-Identifier: Apache-2.0

// From a signer's certificate to a self-signed one, by name and signature, within bounds.

import FlowModel

/// What a chain is to be good for.
enum ChainPurpose: Sendable {
    case codeSigning
    case timeStamping
}

/// A path of certificates, leaf first, and whether it holds.
struct CertificateChain: Sendable {
    let path: [SignedCertificate]
    /// Nil when every rule is kept.
    let problem: CodeProblem?
    /// Whether the path ends at one of the roots that stand for Apple's.
    let endsAtApple: Bool

    /// Finds the best path from `leaf` through `pool`.
    ///
    /// Anchors are implicit, as on macOS: any self-signed certificate ends a path, so a good path proves who issued what
    /// to whom and not that anybody should be trusted. One to an Apple root is preferred to another, and a good one to
    /// a bad one. X509's own path search is not used: its bound is the number of certificates, not of signatures.
    ///
    /// - Parameter time: seconds since 1970-01-01 UTC at which all certificates must be valid; nil tolerates any dates.
    static func find(
        from leaf: SignedCertificate, in pool: [SignedCertificate], for purpose: ChainPurpose, at time: Int64?,
        appleRoots: Set<[UInt8]>
    ) -> CertificateChain {
        var search = ChainSearch(pool: pool, purpose: purpose, time: time, appleRoots: appleRoots)
        search.extend([leaf])
        return search.best
            ?? CertificateChain(
                path: [leaf],
                problem: CodeProblem(.chainIncomplete, "no certificate leads from \(leaf.facts.printableSubject) up"),
                endsAtApple: false)
    }
}

private struct ChainSearch {
    /// The certificates by subject, so that a search does not compare all with all.
    let bySubject: [[UInt8]: [SignedCertificate]]
    let purpose: ChainPurpose
    let time: Int64?
    let appleRoots: Set<[UInt8]>
    var checksLeft = CodeIdentityLimits.chainSignatureChecks.value
    private(set) var best: CertificateChain?

    init(pool: [SignedCertificate], purpose: ChainPurpose, time: Int64?, appleRoots: Set<[UInt8]>) {
        var seen: Set<[UInt8]> = []
        bySubject = Dictionary(
            grouping: pool.filter { seen.insert($0.facts.sha256).inserted }, by: \.facts.subjectDER)
        self.purpose = purpose
        self.time = time
        self.appleRoots = appleRoots
    }

    /// Follows every issuer of the path's end; as deep as `chain.length`, as wide as `chain.signature-checks`.
    mutating func extend(_ path: [SignedCertificate]) {
        guard let end = path.last else { return }
        // The bytes of a known root are known, so its signature over itself would prove nothing more; Apple Root CA's
        // is SHA-1.
        if appleRoots.contains(end.facts.sha256) { return offer(path, end: nil) }
        var refusal: CodeProblem?
        if end.selfIssued {
            guard let problem = check(end, by: end) else { return offer(path, end: nil) }
            refusal = problem
        }
        let issuers = (bySubject[end.facts.issuerDER] ?? []).filter { issuer in
            !path.contains { $0.facts.sha256 == issuer.facts.sha256 }
        }
        guard issuers.isEmpty || path.count < CodeIdentityLimits.chainLength.value else {
            return offer(path, end: CodeProblem(.limit, "chain.length: more than \(path.count) certificates in a path"))
        }
        var extended = false
        for issuer in issuers where !isDone {
            if let problem = check(end, by: issuer) {
                refusal = refusal ?? problem
            } else {
                extended = true
                extend(path + [issuer])
            }
        }
        guard !extended else { return }
        offer(
            path,
            end: refusal
                ?? CodeProblem(.chainIncomplete, "the issuer of \(end.facts.printableSubject) is not in the signature"))
    }

    private var isDone: Bool { best.map { $0.problem == nil && $0.endsAtApple } ?? false }

    private mutating func check(_ certificate: SignedCertificate, by issuer: SignedCertificate) -> CodeProblem? {
        guard checksLeft > 0 else {
            return CodeProblem(.limit, "chain.signature-checks: too many certificates of the same names")
        }
        checksLeft -= 1
        do {
            try certificate.checkSignature(by: issuer)
            return nil
        } catch {
            return error
        }
    }

    /// Keeps the path if it is better than the best so far: good before bad, Apple's before others, else the longer.
    private mutating func offer(_ path: [SignedCertificate], end: CodeProblem?) {
        let chain = CertificateChain(
            path: path, problem: end ?? ChainRules.problem(in: path, for: purpose, at: time),
            endsAtApple: end == nil && path.last.map { appleRoots.contains($0.facts.sha256) } ?? false)
        guard let best else {
            self.best = chain
            return
        }
        let rank = { (chain: CertificateChain) in
            (chain.problem == nil ? 4 : 0) + (chain.endsAtApple ? 2 : 0) + (chain.path.count > best.path.count ? 1 : 0)
        }
        if rank(chain) > rank(best) { self.best = chain }
    }
}

/// The rules of RFC 5280 and of Apple's code signing policy that a path must keep.
enum ChainRules {
    /// Extensions whose meaning is looked at here, or does not restrict anything for code.
    private static let understood: Set<[UInt8]> = [
        ObjectIdentifiers.keyUsage, ObjectIdentifiers.basicConstraints, ObjectIdentifiers.extendedKeyUsage,
        ObjectIdentifiers.certificatePolicies, ObjectIdentifiers.subjectKeyIdentifier,
    ]

    /// The first rule that is broken; nil for a good path.
    static func problem(in path: [SignedCertificate], for purpose: ChainPurpose, at time: Int64?) -> CodeProblem? {
        if let problem = path.first.flatMap({ usage(of: $0.facts, purpose) }) { return problem }
        var intermediates = 0
        for (index, certificate) in path.enumerated() {
            let facts = certificate.facts
            // For refusals only: making a name printable costs more than all the rules.
            var name: String { facts.printableSubject }
            if let unknown = facts.extensions.first(where: {
                $0.critical && !understood.contains($0.identifier) && !$0.identifier.starts(with: AppleMarkers.arc)
            }) {
                return CodeProblem(
                    .chainCriticalExtension, "\(name) has \(ObjectIdentifiers.text(unknown.identifier)), critical")
            }
            if let time, !facts.isValid(at: time) {
                return CodeProblem(
                    .chainValidity, "\(name) is valid from \(facts.notBefore) to \(facts.notAfter), not at \(time)")
            }
            guard index > 0 else { continue }
            guard let constraints = facts.basicConstraints, constraints.isAuthority else {
                return CodeProblem(.chainConstraint, "\(name) issued a certificate and is no authority")
            }
            guard constraints.pathLength.map({ intermediates <= $0 }) ?? true else {
                return CodeProblem(.chainConstraint, "\(name) allows fewer intermediates below it than there are")
            }
            guard facts.keyUsage?.contains(.keyCertSign) ?? true else {
                return CodeProblem(.chainConstraint, "the key of \(name) may not sign certificates")
            }
            // RFC 5280 6.1.4 (l): what issued itself does not count.
            if !certificate.selfIssued { intermediates += 1 }
        }
        return nil
    }

    private static func usage(of leaf: CertificateFacts, _ purpose: ChainPurpose) -> CodeProblem? {
        let usages = leaf.extendedKeyUsages ?? []
        switch purpose {
        case .codeSigning where !usages.contains(ObjectIdentifiers.codeSigning):
            return CodeProblem(.chainUsage, "\(leaf.printableSubject) is not issued for code signing")
        // RFC 3161 2.3: for this and for nothing else.
        case .timeStamping where usages != [ObjectIdentifiers.timeStamping]:
            return CodeProblem(.chainUsage, "\(leaf.printableSubject) is not issued for timestamps alone")
        case .codeSigning, .timeStamping: break
        }
        guard leaf.keyUsage.map({ !$0.isDisjoint(with: [.digitalSignature, .nonRepudiation]) }) ?? true else {
            return CodeProblem(.chainUsage, "the key of \(leaf.printableSubject) may not sign content")
        }
        return nil
    }
}
