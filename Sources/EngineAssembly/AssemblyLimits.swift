// SPDX-License-Identifier: Apache-2.0

// The bounds of what is read while an engine is put together.

package import FlowModel

package enum AssemblyLimits {
    package static let policyFile = Limit(
        "program.policy-file", 16 * 1024 * 1024, .bytes, metric: "limit_policy_file_total",
        "A file that a policy names, or a policy, a test or described flows; a larger one is refused.")
    package static let systemFile = Limit(
        "doctor.file", 64 * 1024, .bytes, metric: "limit_doctor_file_total",
        "the record of good builds, the targets, os-release and settings of the system; a longer file is not read")
}
