// SPDX-License-Identifier: Apache-2.0

// Every number that bounds the TLS parts of the engine.

public import FlowModel

/// The bounds of TLS takeover.
public enum TLSLimits {
    public static let clientHello = Limit(
        "tls.client-hello", 16_384, .bytes, metric: "tls_client_hello_limit_total",
        "One ClientHello message; BoringSSL takes no more either. Beyond it the hello is malformed.")
    public static let clientHelloRecords = Limit(
        "tls.client-hello-records", 17_408, .bytes, metric: "tls_client_hello_limit_total",
        "A ClientHello with its record headers; the margin allows for about two hundred records.")

    public static let leafContexts = Limit(
        "tls.leaf-contexts", 1_024, .count, metric: "tls_leaf_contexts_evicted_total",
        "Server contexts kept, one for each name and ALPN choice; at the limit the half not used lately is dropped.")
    public static let mintsInFlight = Limit(
        "tls.mints-in-flight", 256, .count, metric: "tls_mint_refused_total",
        "Names for which a leaf is being made; beyond it a takeover fails at once instead of queueing.")
    public static let leafLifetime = Limit(
        "tls.leaf-lifetime", 30, .days, metric: "tls_leaf_renewed_total",
        "Short, because a leaf costs nothing to renew; Apple's and browsers' ceilings for any root are well above.")
    public static let leafBackdate = Limit(
        "tls.leaf-backdate", 2, .days, metric: "tls_leaf_renewed_total",
        "How far back a leaf begins, so that a device with a slow clock takes it.")
    public static let authorityLifetime = Limit(
        "tls.authority-lifetime", 1_096, .days, metric: "tls_authority_created_total",
        "Three years for a root that Weir makes for itself.")
    public static let authorityFile = Limit(
        "tls.authority-file", 65_536, .bytes, metric: "tls_authority_refused_total",
        "A certificate chain or key file; a larger one is not what it claims to be.")

    public static let chainCertificates = Limit(
        "tls.chain-certificates", 12, .count, metric: "tls_chain_limit_total",
        "Certificates in a server's chain; real ones send two to four.")
    public static let chainBytes = Limit(
        "tls.chain-bytes", 65_536, .bytes, metric: "tls_chain_limit_total",
        "The bytes of a server's chain; a longer one is bad.")
    public static let pathSteps = Limit(
        "tls.path-steps", 32, .count, metric: "tls_chain_limit_total",
        "Steps in the search for a path to a root, because cross-signed chains can be made to search for ever.")
    public static let verdicts = Limit(
        "tls.trust-verdicts", 2_048, .count, metric: "tls_trust_verdicts_evicted_total",
        "Trust verdicts kept, one for each chain and host; at the limit the half not used lately is dropped.")
    public static let judgementsInFlight = Limit(
        "tls.judgements-in-flight", 256, .count, metric: "tls_trust_refused_total",
        "Chains being judged; beyond it a takeover fails at once instead of queueing.")
    public static let goodVerdictAge = Limit(
        "tls.good-verdict-age", 3_600, .seconds, metric: "tls_trust_renewed_total",
        "How long a good verdict stands, and so how late a revocation can be noticed.")
    public static let uncertainVerdictAge = Limit(
        "tls.uncertain-verdict-age", 300, .seconds, metric: "tls_trust_renewed_total",
        "How long a good verdict stands when revocation could not be looked up.")
    public static let badVerdictAge = Limit(
        "tls.bad-verdict-age", 60, .seconds, metric: "tls_trust_renewed_total",
        "How long a bad verdict stands: short, so that a repaired server is seen as such.")
    public static let rootsFile = Limit(
        "tls.roots-file", 8_388_608, .bytes, metric: "tls_roots_refused_total",
        "A bundle of root certificates; the common ones have about 220 KB.")

    public static let handshake = Limit(
        "tls.handshake", 15_000, .milliseconds, metric: "tls_handshake_timeout_total",
        "From the first byte to the origin until its handshake is complete; then the takeover has failed.")

    public static let revocationFetch = Limit(
        "tls.revocation-fetch", 2_000, .milliseconds, metric: "tls_revocation_unknown_total",
        "One answer about revocation; without it the certificate counts as not revoked, with a note.")
    public static let ocspResponse = Limit(
        "tls.ocsp-response", 65_536, .bytes, metric: "tls_revocation_unknown_total",
        "An OCSP response; common ones have 0.5 to 2 KB.")
    public static let revocationList = Limit(
        "tls.revocation-list", 1_048_576, .bytes, metric: "tls_revocation_unknown_total",
        "A revocation list; it is read in memory, which takes about ten times its size for a moment.")
    public static let revocationLists = Limit(
        "tls.revocation-lists", 32, .count, metric: "tls_revocation_lists_evicted_total",
        "Revocation lists kept until they end; at most about half a megabyte each.")
    public static let listsInFlight = Limit(
        "tls.lists-in-flight", 16, .count, metric: "tls_revocation_unknown_total",
        "Revocation lists being fetched; beyond it revocation is unknown.")

    /// All of them.
    public static let all = [
        clientHello, clientHelloRecords, leafContexts, mintsInFlight, leafLifetime, leafBackdate, authorityLifetime,
        authorityFile, chainCertificates, chainBytes, pathSteps, verdicts, judgementsInFlight, goodVerdictAge,
        uncertainVerdictAge, badVerdictAge, rootsFile, handshake, revocationFetch, ocspResponse, revocationList,
        revocationLists, listsInFlight,
    ]
}

extension Limit {
    /// The value as a time interval; meaningful for limits in time.
    var seconds: Double {
        switch unit {
        case .days: Double(value) * 86_400
        case .milliseconds: Double(value) / 1_000
        case .seconds, .bytes, .count: Double(value)
        }
    }
}
