// SPDX-License-Identifier: Apache-2.0

// The programs of the demonstration's Mac, and what its kernel and its examiner say of them.

internal import CodeIdentity
internal import Foundation
internal import NetworkExtension
internal import Synchronization

extension SimulatedProgram {
    private static let held: KernelCodeStatus = [.valid, .signed, .hard, .kill]

    /// A daemon of the sealed system, or a tool that comes with it.
    private static func system(_ name: String) -> SimulatedProgram {
        SimulatedProgram(
            name, signingIdentifier: "com.apple.\(name)", isPlatform: true,
            kernelBits: held.union(.platformBinary).rawValue)
    }

    /// Programs by the user name that a client gives at the door.
    static let all: [SimulatedProgram] = [
        system("apsd"), system("trustd"), system("mDNSResponder"), system("curl"),
        SimulatedProgram(
            "editor", signingIdentifier: "com.example.editor", kernelBits: held.union(.runtime).rawValue,
            team: "AB12CD34EF"),
        // Anybody may sign with any identifier, to himself.
        SimulatedProgram(
            "impostor", signingIdentifier: "com.apple.apsd", kernelBits: held.union(.adhoc).rawValue),
        stuck,
    ]

    /// A program for which the kernel does not answer while `StuckCall` is armed.
    static let stuck = SimulatedProgram("stuck", kernelBits: held.rawValue)

    /// What an inventory of this system found that it runs itself; curl is there for people.
    static let inventory = OSProgramSet(
        identifiers: ["com.apple.apsd", "com.apple.trustd", "com.apple.mDNSResponder"])
}

/// A call of the kernel that does not return: it keeps the provider's queue, as a hang does.
final class StuckCall: Sendable {
    private let isArmed = Mutex(false)
    private let entered = DispatchSemaphore(value: 0)
    private let released = DispatchSemaphore(value: 0)

    func arm() { isArmed.withLock { $0 = true } }

    /// Where the call is stuck.
    func pass() {
        guard isArmed.withLock({ $0 }) else { return }
        entered.signal()
        released.wait()
    }

    /// Waits until a call is stuck; holds the calling thread.
    func isReached() -> Bool { entered.wait(timeout: .now() + 10) == .success }

    /// Lets it go: its process has ended.
    func release() {
        isArmed.withLock { $0 = false }
        released.signal()
    }
}

/// Rung one: the kernel's own word.
struct TableKernel: CodeSigningKernel {
    let processes: ProcessTable
    let stuck: StuckCall

    func status(of token: AuditToken) -> Result<KernelStatus, KernelStatusError> {
        guard let program = processes.process(named: Data(token.bytes))?.program else { return .failure(.exited) }
        if program == .stuck { stuck.pass() }
        return .success(
            KernelStatus(
                bits: KernelCodeStatus(rawValue: program.kernelBits), cdhash: CDHash(program.cdhash),
                claimedIdentifier: program.signingIdentifier, claimedTeam: program.team))
    }
}

/// Rung two: a team's signature satisfies the requirement for teams, and nothing else does.
struct TableOracle: CodeSigningOracle {
    let processes: ProcessTable

    func verify(_ token: AuditToken, requirements: [String]) throws(CodeSigningError) -> CodeExamination {
        guard let program = processes.process(named: Data(token.bytes))?.program else { return CodeExamination() }
        let outcomes = requirements.map { text in
            (text, text == AppleRequirements.team && program.team != nil ? RequirementOutcome.satisfied : .unsatisfied)
        }
        return CodeExamination(
            outcomes: Dictionary(outcomes) { first, _ in first },
            facts: StaticCodeFacts(
                path: "/Applications/\(program.name)", identifier: program.signingIdentifier, team: program.team,
                cdhash: CDHash(program.cdhash)))
    }
}
