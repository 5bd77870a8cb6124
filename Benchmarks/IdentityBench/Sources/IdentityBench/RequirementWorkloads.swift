// SPDX-License-Identifier: Apache-2.0

// Requirements: read from text, and evaluated against what they are asked of.

import CodeIdentity

/// The shape of the designated requirement of every program signed with a Developer ID.
private let developerID = #"""
    identifier "sh.astral.uv" and anchor apple generic and certificate 1[field.1.2.840.113635.100.6.2.6] exists
    and certificate leaf[field.1.2.840.113635.100.6.1.13] exists and certificate leaf[subject.OU] = "2DC432GLL2"
    """#

/// Operands of several kinds: texts, a version, property lists and a date.
private let mixed = #"""
    info[CFBundleShortVersionString] >= "2.10" and entitlement["com.apple.security.cs.allow-jit"] exists
    and certificate leaf[subject.CN] = "Developer ID"* and ! certificate leaf[subject.O] = *"Apple"*
    and certificate leaf[timestamp.1.2.840.113635.100.6.1.33] >= timestamp "20120101000000Z"
    """#

private let service = #"""
    anchor os and unit "systemd-timesyncd.service" and package "systemd-timesyncd" and path = "/usr/lib/systemd/"*
    and ! interpreter and user 100
    """#

func requirementWorkloads(_ inputs: Inputs) -> [Workload] {
    [
        Workload(name: "requirement-developer-id") { try evaluation(developerID, signedCode(inputs)) },
        Workload(name: "requirement-mixed") { try evaluation(mixed, signedCode(inputs)) },
        Workload(name: "requirement-linux") { try evaluation(service, .linux(timeService)) },
        Workload(name: "requirement-compile") { try compilation(developerID) },
    ]
}

private func evaluation(_ text: String, _ subject: RequirementSubject) throws -> Prepared {
    let requirement = try CompiledRequirement(Requirement(text: text).expression)
    return Prepared { rounds in
        var right = 0
        for _ in 0..<rounds where requirement.evaluate(subject) == .true { right += 1 }
        return right
    }
}

/// From text to tree and Apple's binary form.
private func compilation(_ text: String) throws -> Prepared {
    let size = try Requirement(text: text).blob?.count
    return Prepared { rounds in
        var right = 0
        for _ in 0..<rounds where try Requirement(text: text).blob?.count == size { right += 1 }
        return right
    }
}

/// The arm64 slice of the universal file, with the property lists that a bare tool lacks.
private func signedCode(_ inputs: Inputs) throws -> RequirementSubject {
    let report = try CodeExaminer(now: 0, hashesPages: true).examine(path: inputs.universal)
    guard var code = report.slices.compactMap(\.verified?.subject).last else {
        throw BenchProblem("no slice of \(inputs.universal) is verified")
    }
    code.info = ["CFBundleIdentifier": .string("sh.astral.uv"), "CFBundleShortVersionString": .string("2.10.1")]
    code.entitlements = ["com.apple.security.cs.allow-jit": .boolean(true)]
    return .apple(code)
}

/// A service of the operating system, as `LinuxIdentityReader` gives it.
let timeService = LinuxIdentity(
    process: ProcessInstance(pid: 512, startTicks: 1_500), user: 100,
    executable: LinuxExecutable(
        path: "/usr/lib/systemd/systemd-timesyncd", key: FileKey(device: 1, inode: 2, changed: 3, size: 4),
        sha256: [UInt8](repeating: 7, count: 32),
        claim: PackageClaim(
            package: "systemd-timesyncd", architecture: "amd64", version: "252.39-1~deb12u1", verdict: .intact),
        rootOwnedChain: true),
    context: RunContext(
        cgroup: "/system.slice/systemd-timesyncd.service",
        unit: RunContext.Unit(
            name: "systemd-timesyncd.service", system: true, file: "/usr/lib/systemd/system/systemd-timesyncd.service",
            claim: PackageClaim(
                package: "systemd-timesyncd", architecture: "amd64", version: "252.39-1~deb12u1", verdict: .intact))))
