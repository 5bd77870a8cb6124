// SPDX-License-Identifier: Apache-2.0

// The bounds of the self-test.

import EngineAssembly
import FlowModel

enum DoctorLimits {
    static let patience = Limit(
        "doctor.patience", 5, .seconds, metric: "limit_doctor_patience_total",
        "how long a check may take, all run at once; --timeout changes it, up to 15")
    static let answer = Limit(
        "doctor.answer", 64 * 1024, .bytes, metric: "limit_doctor_answer_total",
        "what is read of an answer over HTTP; the rest is left")
    static let addresses = Limit(
        "doctor.addresses", 8, .count, metric: "limit_doctor_addresses_total",
        "addresses of a name that are tried, each for a part of the time")
    static let file = AssemblyLimits.systemFile
    static let listing = Limit(
        "doctor.listing", 1 << 20, .bytes, metric: "limit_doctor_listing_total",
        "what is read of `nft list ruleset`; the rest is left")
    static let clockWarning = Limit(
        "doctor.clock-warning", 5, .seconds, metric: "limit_doctor_clock_warning_total",
        "a clock that is further off is worth a word")
    static let clockFailure = Limit(
        "doctor.clock-failure", 300, .seconds, metric: "limit_doctor_clock_failure_total",
        "a clock that is further off makes Kerberos (RFC 4120) and short certificates fail")
    static let indexAge = Limit(
        "doctor.index-age", 7, .days, metric: "limit_doctor_index_age_total",
        "an older package index knows nothing of a week of updates")

    static let all = [patience, answer, addresses, file, listing, clockWarning, clockFailure, indexAge]
}
