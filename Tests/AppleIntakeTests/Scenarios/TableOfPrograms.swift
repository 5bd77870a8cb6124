// SPDX-License-Identifier: Apache-2.0

// Both rungs of identity, as a simulated machine answers them.

import CodeIdentity
import Foundation
import NetworkExtension

/// Both rungs of identity, read from the simulated table of processes.
struct TableOfPrograms: CodeSigningKernel, CodeSigningOracle {
    static let osPrograms = OSProgramSet(identifiers: ["com.apple.trustd"])
    private let processes: ProcessTable
    private let beforeExamination: @Sendable () -> Void

    init(_ processes: ProcessTable, beforeExamination: @escaping @Sendable () -> Void) {
        self.processes = processes
        self.beforeExamination = beforeExamination
    }

    func status(of token: AuditToken) -> Result<KernelStatus, KernelStatusError> {
        guard let program = processes.process(named: Data(token.bytes))?.program else { return .failure(.exited) }
        let bits: KernelCodeStatus =
            program.isPlatform
            ? [.valid, .signed, .platformBinary, .hard, .kill] : [.valid, .signed, .runtime, .hard, .kill]
        return .success(
            KernelStatus(
                bits: bits, cdhash: CDHash(Array(program.cdhash)), claimedIdentifier: program.signingIdentifier,
                claimedTeam: program.team))
    }

    func verify(_ token: AuditToken, requirements: [String]) throws(CodeSigningError) -> CodeExamination {
        beforeExamination()
        guard let program = processes.process(named: Data(token.bytes))?.program else { throw .code(.noSuchCode) }
        return CodeExamination(
            outcomes: [
                AppleRequirements.apple: program.isPlatform ? .satisfied : .unsatisfied,
                AppleRequirements.team: program.team == nil ? .unsatisfied : .satisfied,
            ],
            facts: StaticCodeFacts(
                path: "/Applications/\(program.name)", identifier: program.signingIdentifier, team: program.team,
                cdhash: CDHash(Array(program.cdhash)), flags: [.runtime]))
    }
}
