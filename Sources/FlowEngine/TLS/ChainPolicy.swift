// SPDX-License-Identifier: Apache-2.0

// What a path from an origin's certificate to a root must satisfy, beside its signatures.

import FlowModel
import SwiftASN1
import Synchronization
@_spi(FixedExpiryValidationTime) import X509

#if canImport(FoundationEssentials)
import struct FoundationEssentials.Date
#else
import struct Foundation.Date
#endif

/// The policy for one chain at one time: RFC 5280, plus what the library leaves open, each fault with its own code.
struct ChainPolicy: VerifierPolicy {
    /// The first fault found and the path that has none.
    final class Findings: Sendable {
        private let state = Mutex<(problem: TrustProblem?, path: UnverifiedCertificateChain?)>((nil, nil))
        var problem: TrustProblem? { state.withLock { $0.problem } }
        var path: UnverifiedCertificateChain? { state.withLock { $0.path } }
        func note(_ problem: TrustProblem) { state.withLock { if $0.problem == nil { $0.problem = problem } } }
        func note(_ path: UnverifiedCertificateChain) { state.withLock { $0.path = path } }
    }

    let now: Date
    let findings: Findings
    private let rfc5280: RFC5280Policy
    let verifyingCriticalExtensions: [ASN1ObjectIdentifier]

    init(now: Date, findings: Findings) {
        self.now = now
        self.findings = findings
        rfc5280 = RFC5280Policy(fixedExpiryValidationTime: now)
        // Names and usages are checked here. Certificate policies need no work when the user asks for none and no
        // certificate demands one (RFC 5280 section 6.1.1 c to e); those that do (policy constraints) stay unhandled.
        verifyingCriticalExtensions =
            rfc5280.verifyingCriticalExtensions + [
                .X509ExtensionID.subjectAlternativeName, .X509ExtensionID.extendedKeyUsage, [2, 5, 29, 32],
            ]
    }

    mutating func chainMeetsPolicyRequirements(chain: UnverifiedCertificateChain) async -> PolicyEvaluationResult {
        if let problem = problem(of: chain) {
            findings.note(problem)
            return .failsToMeetPolicy(reason: problem.sentence)
        }
        let result = rfc5280.chainMeetsPolicyRequirements(chain: chain)
        switch result {
        case .meetsPolicy:
            findings.note(chain)
        case .failsToMeetPolicy:
            // The library's sentence quotes certificates at length, so ours stands in for it.
            findings.note(
                TrustProblem(
                    .notPermitted, "an authority in the chain is no authority, or may not issue for this name or depth")
            )
        }
        return result
    }

    private func problem(of chain: UnverifiedCertificateChain) -> TrustProblem? {
        for (depth, certificate) in chain.enumerated() {
            let isRoot = depth == chain.count - 1
            let place = depth == 0 ? "the certificate" : isRoot ? "the root" : "an intermediate certificate"
            if let problem = Self.validityProblem(of: certificate, place, now: now) { return problem }
            // A root is trusted for what it is: nobody checks its own signature.
            if !isRoot, let problem = Self.signatureProblem(of: certificate, place) { return problem }
            if !isRoot, let problem = Self.usageProblem(of: certificate, place) { return problem }
        }
        return nil
    }

    static func validityProblem(of certificate: Certificate, _ place: String, now: Date) -> TrustProblem? {
        if now > certificate.notValidAfter { return TrustProblem(.expired, "\(place) has expired") }
        if now < certificate.notValidBefore { return TrustProblem(.notYetValid, "\(place) is not valid yet") }
        return nil
    }

    static func signatureProblem(of certificate: Certificate, _ place: String) -> TrustProblem? {
        guard certificate.signatureAlgorithm == .sha1WithRSAEncryption else { return nil }
        return TrustProblem(.weakSignature, "\(place) is signed with SHA-1")
    }

    static func usageProblem(of certificate: Certificate, _ place: String) -> TrustProblem? {
        do {
            guard let usage = try certificate.extensions.extendedKeyUsage else { return nil }
            if usage.contains(.serverAuth) || usage.contains(.any) { return nil }
            return TrustProblem(.wrongUsage, "\(place) is not meant for servers")
        } catch {
            return TrustProblem(.unreadable, "the usages of \(place) cannot be read")
        }
    }
}

/// The certificates an origin sent along, with a bound on how often they are looked at.
///
/// A hostile origin can send certificates that sign each other in every order; trying all orders takes factorial time.
struct BoundedIntermediates: CustomCertificateStore {
    private final class Budget: Sendable {
        private let left: Atomic<Int>
        init(_ steps: Int) { left = Atomic(steps) }
        func spend() -> Bool { left.subtract(1, ordering: .relaxed).newValue >= 0 }
    }

    private var certificates: [DistinguishedName: [Certificate]]
    private let budget = Budget(TLSLimits.pathSteps.value)

    init(_ certificates: [Certificate]) {
        self.certificates = Dictionary(grouping: certificates, by: \.subject)
    }

    subscript(subject: DistinguishedName) -> [Certificate]? {
        get async { budget.spend() ? certificates[subject] : nil }
    }

    func contains(_ certificate: Certificate) async -> Bool {
        certificates[certificate.subject]?.contains(certificate) ?? false
    }

    mutating func append(contentsOf certificates: some Sequence<Certificate>) {
        for certificate in certificates { self.certificates[certificate.subject, default: []].append(certificate) }
    }

    static func == (a: Self, b: Self) -> Bool { a.certificates == b.certificates }
    func hash(into hasher: inout Hasher) { hasher.combine(certificates) }
}
