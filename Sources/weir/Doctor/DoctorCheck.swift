// SPDX-License-Identifier: Apache-2.0

// A check of the self-test, and how all of them run at once with an end.

import Dispatch
import EngineAssembly
import Foundation
import Synchronization

/// One question to the machine or its network.
struct DoctorCheck: Sendable {
    enum Outcome: String, Sendable, Encodable {
        case ok, warn, fail
        /// What it would look at is not built yet.
        case notInThisBuild = "not-in-this-build"
    }

    /// What came out.
    struct Answer: Sendable {
        let outcome: Outcome
        /// What was seen.
        let seen: String
        /// What to do; empty when there is nothing to do.
        let advice: String

        static func ok(_ seen: String) -> Answer { Answer(outcome: .ok, seen: seen, advice: "") }
        static func warn(_ seen: String, _ advice: String) -> Answer {
            Answer(outcome: .warn, seen: seen, advice: advice)
        }
        /// A failure where the check is required, else a warning.
        static func fail(_ seen: String, _ advice: String, isRequired: Bool = true) -> Answer {
            Answer(outcome: isRequired ? .fail : .warn, seen: seen, advice: advice)
        }
    }

    /// Stable, for programs.
    let name: String
    /// Whether silence is a failure.
    var isRequired = true
    /// Called on a thread of its own; may be left behind when it does not end in time.
    let ask: @Sendable (ProbeDeadline) -> Answer
}

/// A check with its answer, as a line of JSON.
struct DoctorResult: Encodable {
    let kind = "check"
    let check: String
    let outcome: DoctorCheck.Outcome
    let seen: String
    let advice: String
    let milliseconds: Int

    init(_ check: DoctorCheck, _ answer: DoctorCheck.Answer, _ milliseconds: Int) {
        self.check = check.name
        outcome = answer.outcome
        seen = answer.seen.terminalSafe
        advice = answer.advice.terminalSafe
        self.milliseconds = milliseconds
    }
}

extension DoctorCheck {
    private final class Answers: Sendable {
        let byPlace = Mutex<[Int: (Answer, Int)]>([:])
    }

    /// Runs all checks at once, each on a thread of its own, and gives their results in the same order.
    ///
    /// Takes no longer than `patience`: resolvers and file systems can hang where nothing can wake them, so a check that
    /// has not answered by then is left behind.
    static func run(_ checks: [DoctorCheck], within patience: Duration) -> [DoctorResult] {
        let start = ContinuousClock.now
        let deadline = ProbeDeadline(start + patience)
        let answers = Answers()
        let group = DispatchGroup()
        let milliseconds = { @Sendable in Int((ContinuousClock.now - start) / .milliseconds(1)) }
        for (place, check) in checks.enumerated() {
            group.enter()
            Thread.detachNewThread {
                let answer = check.ask(deadline)
                answers.byPlace.withLock { $0[place] = (answer, milliseconds()) }
                group.leave()
            }
        }
        // A moment more, for checks that end by themselves at the deadline.
        _ = group.wait(timeout: .now() + .milliseconds(Int(deadline.milliseconds) + 100))
        let found = answers.byPlace.withLock { $0 }
        return checks.enumerated().map { place, check in
            let (answer, time) =
                found[place]
                ?? (
                    .fail(
                        "no answer in time", "look at what it asks: a resolver or a file system that hangs",
                        isRequired: check.isRequired), milliseconds()
                )
            return DoctorResult(check, answer, time)
        }
    }
}
