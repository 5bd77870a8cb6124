// SPDX-License-Identifier: Apache-2.0

// What a flow asks while it waits: identities of running programs that are known already.

import CodeIdentity

func runningCodeWorkloads() -> [Workload] {
    [
        Workload(name: "process-cached", prepare: cachedProcesses),
        Workload(name: "audit-token-cached", prepare: cachedTokens),
    ]
}

/// As many programs as talk to the network at a time, asked in an order that no cache can guess.
private let programs = 1_024

private func order() -> [Int] {
    var sequence = Sequence32()
    return (0..<65_536).map { _ in sequence.next(below: programs) }
}

private func cachedProcesses() -> Prepared {
    let cache = ProcessIdentityCache()
    let images = (0..<programs).map { number in
        ProcessImage(
            process: ProcessInstance(pid: Int32(400 + number), startTicks: UInt64(number)),
            executable: FileKey(device: 1, inode: UInt64(number), changed: 3, size: 4),
            layout: ImageLayout(code: 0x5555_0000, stack: 0x7fff_0000))
    }
    for image in images {
        var identity = timeService
        identity.process = image.process
        cache.store(ExaminedProcess(image: image, identity: identity), now: 1_000)
    }
    let asked = order().map { images[$0] }
    return Prepared { rounds in
        var right = 0
        for round in 0..<rounds {
            let image = asked[round & 65_535]
            let identity = cache.identity(of: image, now: 2_000, maximumAge: 60_000)
            if identity?.process == image.process { right += 1 }
        }
        return right
    }
}

private func cachedTokens() throws -> Prepared {
    let hash = CDHash([UInt8](repeating: 9, count: 20))
    let status = KernelStatus(
        bits: [.valid, .signed, .hard, .kill, .runtime], cdhash: hash, claimedIdentifier: "sh.astral.uv",
        claimedTeam: "2DC432GLL2")
    let resolver = AppleIdentityResolver(
        kernel: StillKernel(status: status), oracle: StillOracle(cdhash: hash), settings: try .init(), wake: {})
    let tokens = (0..<programs).map { number in
        AuditToken(fields: SIMD8(501, 501, 20, 501, 20, UInt32(400 + number), 100_000, UInt32(number)))
    }
    let now = ContinuousClock().now
    for token in tokens {
        _ = resolver.immediate(token, now: now)
        resolver.resolvePending { now }
    }
    let asked = order().map { tokens[$0] }
    return Prepared { rounds in
        var right = 0
        for round in 0..<rounds {
            let answer = resolver.immediate(asked[round & 65_535], now: now)
            if answer.standing == .settled, answer.summary.codeClass == .known(.thirdParty) { right += 1 }
        }
        return right
    }
}

/// Says the same of each program.
private struct StillKernel: CodeSigningKernel {
    let status: KernelStatus
    func status(of token: AuditToken) -> Result<KernelStatus, KernelStatusError> { .success(status) }
}

/// Finds each program valid, and signed by a team.
private struct StillOracle: CodeSigningOracle {
    let cdhash: CDHash?
    func verify(_ token: AuditToken, requirements: [String]) throws(CodeSigningError) -> CodeExamination {
        CodeExamination(
            outcomes: Dictionary(uniqueKeysWithValues: requirements.map { ($0, .satisfied) }),
            facts: StaticCodeFacts(
                path: "/opt/homebrew/bin/uv", identifier: "sh.astral.uv", team: "2DC432GLL2", cdhash: cdhash))
    }
}
