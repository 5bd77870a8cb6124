// SPDX-License-Identifier: Apache-2.0

// Every number that bounds identity on macOS.

public import FlowModel

extension CodeIdentityLimits {
    public static let kernelIdentifier = Limit(
        "identity.apple.identifier", 1024, .bytes, metric: "limit_apple_identifier_total",
        "Longest signing identifier read from the kernel; a longer one counts as none.")
    public static let kernelTeam = Limit(
        "identity.apple.team", 64, .bytes, metric: "limit_apple_team_total",
        "xnu's own bound for a team identifier; a longer one counts as none.")
    public static let appleIdentities = Limit(
        "identity.apple.cache", 2048, .count, metric: "limit_apple_identities_total",
        "Identities kept by audit token; beyond it those not used lately are found out again.")
    public static let kernelStatusAge = Limit(
        "identity.apple.status-age", 1_000, .milliseconds, metric: "limit_apple_status_age_total",
        "How old the kernel's status of a known process may be: a debugger may come, or the signature may break.")
    public static let failedExaminationAge = Limit(
        "identity.apple.failure-age", 2_000, .milliseconds, metric: "limit_apple_failure_age_total",
        "How long a failure that may pass is believed, so that a broken service is not asked for each flow.")
    public static let examinationsWaiting = Limit(
        "identity.apple.queue", 256, .count, metric: "limit_apple_queue_total",
        "Processes waiting to be examined or being examined; beyond it the answer says busy.")
    public static let examinationsAtOnce = Limit(
        "identity.apple.workers", 4, .count, metric: "limit_apple_workers_total",
        "Examinations at once: more would only wait for the same trust daemon, and one may hash a very large program.")
    public static let examinationWait = Limit(
        "identity.apple.wait", 5_000, .milliseconds, metric: "limit_apple_wait_total",
        "From asking to answering; after it those who wait are told that it is not known.")
    public static let examinationWaiters = Limit(
        "identity.apple.waiters", 1024, .count, metric: "limit_apple_waiters_total",
        "Flows that wait for a later answer; beyond it the answer says busy.")
    public static let requirementsAsked = Limit(
        "identity.apple.requirements", 1024, .count, metric: "limit_apple_requirements_total",
        "Requirements evaluated for each process; a policy that names more is refused when it is loaded.")
    public static let entitlementDepth = Limit(
        "identity.apple.entitlement-depth", 16, .count, metric: "limit_apple_entitlement_depth_total",
        "Nesting of entitlements; what goes deeper is not identified.")
    public static let entitlementBytes = Limit(
        "identity.apple.entitlement-bytes", 64 * 1024, .bytes, metric: "limit_apple_entitlement_bytes_total",
        "Entitlements kept of one program; one with more is not identified, because a part would hide what it allows.")

    /// All of them.
    public static let apple: [Limit] = [
        kernelIdentifier, kernelTeam, appleIdentities, kernelStatusAge, failedExaminationAge, examinationsWaiting,
        examinationsAtOnce, examinationWait, examinationWaiters, requirementsAsked, entitlementDepth,
        entitlementBytes,
    ]
}
