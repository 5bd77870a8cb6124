// SPDX-License-Identifier: Apache-2.0

// One request and its answer, while they are under way.

import FlowModel
import FlowPolicy
import NIOCore

/// What the HTTP stage knows of the exchange under way.
struct HTTP1Exchange {
    let number: Int
    let request: HTTP1Head
    /// The flow's facts with the origin and host of this request.
    var facts: FlowFacts
    var verdict: Verdict
    var profile: Profile?
    var notes: [Reason] = []
    var status = 0
    /// A byte of a final answer has gone to the application: it can no longer be replaced by one of ours.
    var isAnswerBegun = false
    var requestIsComplete = false
    var answerIsComplete = false
    /// The connection ends after this exchange.
    var closes = false

    var method: String { request.method }
    var host: String { facts.displayHost }

    mutating func note(_ reason: Reason) {
        if notes.count < 8, !notes.contains(reason) { notes.append(reason) }
    }
}
