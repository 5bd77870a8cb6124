// SPDX-License-Identifier: Apache-2.0

// After an answer of ours: ends our side and reads what still comes, so that no reset overtakes the answer.

import FlowModel
import NIOCore

/// Closes the application's connection in order after an answer that Weir gave.
///
/// Closing a socket with unread input makes the kernel send a reset, which may destroy the answer before it is read.
final class LingerStage: Stage {
    private let driver: FlowDriver
    private let outcome: FlowOutcome

    init(_ driver: FlowDriver, outcome: FlowOutcome) {
        self.driver = driver
        self.outcome = outcome
    }

    func begin() {
        guard let leg = driver.leg(.application) else { return driver.finish(outcome) }
        leg.closeOutput()
        if leg.inputEnded { return driver.finishWhenSent(outcome) }
        wait(for: leg)
        leg.read()
    }

    /// A reader that takes the answer slowly gets all of it: the wait counts from when it has gone.
    private func wait(for leg: Leg) {
        driver.after(EngineLimits.lingerWait) {
            if leg.isSending { self.wait(for: leg) } else { self.driver.finish(self.outcome) }
        }
    }

    func received(_ side: Side, _ buffer: ByteBuffer) {}
    func readComplete(_ side: Side) { driver.leg(side)?.read() }
    func inputClosed(_ side: Side) { driver.finishWhenSent(outcome) }
    func failed(_ side: Side, _ error: (any Error)?) { driver.finish(outcome) }
}
