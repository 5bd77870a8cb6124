// SPDX-License-Identifier: Apache-2.0

// Relay: bytes pass untouched in both directions, half-closes and resets included.

import FlowModel
import NIOCore

/// Carries bytes between the two legs and looks at none.
///
/// | event | action |
/// |---|---|
/// | bytes of A | write to B; flush when A's read is complete; read A again while B is writable |
/// | A ends its output | end the output to B after what was written; the other direction goes on |
/// | both have ended | the flow is complete |
/// | A is reset or gone | reset B |
final class RelayStage: Stage {
    private let driver: FlowDriver
    private let initial: (application: ByteBuffer, origin: ByteBuffer)
    private let initialIsCounted: Bool

    /// Makes a relay that first sends what was already read *from* each side to the other.
    ///
    /// `counted` says that those bytes are in the record already.
    init(
        _ driver: FlowDriver, readFromApplication: ByteBuffer = ByteBuffer(), readFromOrigin: ByteBuffer = ByteBuffer(),
        counted: Bool = false
    ) {
        self.driver = driver
        initial = (readFromApplication, readFromOrigin)
        initialIsCounted = counted
    }

    func begin() {
        for (side, bytes) in [(Side.application, initial.application), (.origin, initial.origin)] {
            if bytes.readableBytes > 0 {
                if !initialIsCounted { driver.count(bytes.readableBytes, from: side) }
                driver.leg(side.other)?.write(bytes)
                driver.leg(side.other)?.flush()
            }
            if driver.leg(side)?.inputEnded == true { inputClosed(side) }
        }
        pump(.application)
        pump(.origin)
    }

    func received(_ side: Side, _ buffer: ByteBuffer) {
        driver.count(buffer.readableBytes, from: side)
        driver.leg(side.other)?.write(buffer)
    }

    func readComplete(_ side: Side) {
        driver.leg(side.other)?.flush()
        pump(side)
    }

    func writabilityChanged(_ side: Side) { pump(side.other) }

    func inputClosed(_ side: Side) {
        driver.leg(side.other)?.closeOutput()
        if driver.leg(.application)?.inputEnded != false, driver.leg(.origin)?.inputEnded != false {
            driver.finishWhenSent(.completed)
        }
    }

    func failed(_ side: Side, _ error: (any Error)?) {
        driver.leg(side.other)?.reset()
        driver.finish(.reset)
    }

    private func pump(_ side: Side) {
        if driver.leg(side.other)?.isWritable == true { driver.leg(side)?.read() }
    }
}
