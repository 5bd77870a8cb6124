// SPDX-License-Identifier: Apache-2.0

// Identities of signed files, and the signatures in them.

import CodeIdentity

/// When the measured signatures are judged; asked only for code that is signed to expire.
private let judged: Int64 = 1_795_000_000

func signedFileWorkloads(_ inputs: Inputs) -> [Workload] {
    [
        Workload(name: "universal") { examination(of: inputs.universal) },
        Workload(name: "small-file") { examination(of: inputs.small) },
        Workload(name: "cms") { try verification(inputs) },
    ]
}

/// Everything that `weir identity` finds out: each page hashed, each seal and each signature verified.
private func examination(of path: String) -> Prepared {
    let examiner = CodeExaminer(now: judged)
    return Prepared { rounds in
        var right = 0
        for _ in 0..<rounds {
            let report = try examiner.examine(path: path)
            if report.isValid, report.slices.allSatisfy({ $0.verified?.provedTeam != nil }) { right += 1 }
        }
        return right
    }
}

/// A CMS signature with its chain and timestamp, read and verified.
private func verification(_ inputs: Inputs) throws -> Prepared {
    let signature = try inputs.bytes("developer-id.cms")
    let directory = try CodeDirectory(inputs.bytes("developer-id.codedirectory")[...], slot: 0)
    let code = SignedDirectories(
        slotZero: Array(directory.bytes), digests: [directory.digest], team: directory.team, flags: directory.flags)
    let verifier = CMSVerifier()
    return Prepared { rounds in
        var right = 0
        for _ in 0..<rounds {
            if verifier.verify(try CMSSignature.read(signature), over: code, now: judged).isValid { right += 1 }
        }
        return right
    }
}
