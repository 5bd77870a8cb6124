// SPDX-License-Identifier: Apache-2.0

// weir doctor: a self-test of the machine and its network; where it passes, the system's build counts as good.

import ArgumentParser
import EngineAssembly
import FlowModel
import FlowPolicy
import Foundation

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Test whether this system and its network work as they should.",
        discussion: """
            After an update of the system, Weir decides and takes nothing until this test has passed. All checks run at \
            once and directly, past any proxy. Exit status: 0 nothing failed, 1 something did.
            """)

    @Option(help: "text, or json: one line for each check, then one for the outcome.") var format = OutputFormat.text
    @Option(help: "Where Weir keeps the record of good systems; as for the other verbs.") var state: String?
    @Option(help: "The policy to look at: a file, or a preset.") var policy = "report"
    @Option(help: "Ask these servers instead of the built-in ones: a JSON file, see docs/doctor.md.")
    var targets: String?
    @Option(help: "Seconds that the checks may take, 1 to 15.") var timeout = DoctorLimits.patience.value
    @Option(help: ArgumentHelp("Another file than /etc/os-release, for tests.", visibility: .hidden))
    var osRelease: String?

    func run() throws {
        guard (1...15).contains(timeout) else { throw Problem.usage("--timeout \(timeout): give 1 to 15 seconds") }
        let targets = try DoctorTargets.load(targets)
        let state = StateDirectory.resolve(state)
        let permit = try StartPermit.judge(state: state, osRelease: osRelease)
        let results = DoctorCheck.run(
            [
                .build(permit), .knownBad(permit), .policy(policy), .names(targets.names), .time(targets.time),
                .push(targets.push), .certificateStatus(targets.certificateStatus), .captivePortal(targets.portal),
                .packages(), .path(environment: ProcessInfo.processInfo.environment), .kernelHooks(),
            ], within: .seconds(timeout))
        let outcome = DoctorOutcome(permit, results)
        if outcome.passed {
            do {
                try StateDirectory.create(state)
            } catch {
                throw Problem.refused("\(state): the state directory cannot be made; choose another with --state")
            }
            try BuildFile.write(permit.watch.passed(on: permit.facts.build, at: Runtime.now()), in: state)
        }
        var standard = StandardOutput()
        switch format {
        case .text: for line in outcome.text(results) { try standard.line(line) }
        case .json:
            for result in results { try standard.line(JSONLine.text(result)) }
            try standard.line(JSONLine.text(outcome))
        }
        try standard.flush()
        if !outcome.passed { throw ExitCode(1) }
    }
}

/// What the checks come to, as the last line of JSON.
struct DoctorOutcome: Encodable {
    let kind = "outcome"
    let passed: Bool
    /// The names of the checks that failed.
    let failed: [String]
    let build: String
    /// What a policy is held to from now on, and why; empty when it is not.
    let heldTo: String
    let because: String

    enum CodingKeys: String, CodingKey {
        case kind, passed, failed, build, because
        case heldTo = "held_to"
    }

    init(_ permit: StartPermit, _ results: [DoctorResult]) {
        failed = results.filter { $0.outcome == .fail }.map(\.check)
        passed = failed.isEmpty
        build = permit.facts.build.description
        // A combination that caps the mode has failed its check, so a test that passes leaves no cap.
        let cap = passed ? nil : permit.cap
        heldTo = cap?.mode.rawValue ?? ""
        because = cap?.cause.terminalSafe ?? ""
    }

    /// For people: a line for each check, what to do below it, and what it comes to.
    func text(_ results: [DoctorResult]) -> [String] {
        let width = (results.map(\.check.count).max() ?? 0) + 2
        var lines: [String] = []
        for result in results {
            let outcome = result.outcome == .notInThisBuild ? "-" : result.outcome.rawValue
            let seen = result.outcome == .notInThisBuild ? "not in this build: \(result.seen)" : result.seen
            lines.append(outcome.padded(to: 6) + result.check.padded(to: width) + seen)
            if !result.advice.isEmpty { lines.append("".padded(to: 6 + width) + "→ \(result.advice)") }
        }
        lines.append(
            passed
                ? "nothing failed: \(build) is recorded as good"
                : "\(failed.count == 1 ? "1 check" : "\(failed.count) checks") failed: "
                    + failed.joined(separator: ", "))
        if !heldTo.isEmpty { lines.append("policies are held to \(heldTo), because \(because)") }
        return lines
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
