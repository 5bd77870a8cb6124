// SPDX-License-Identifier: Apache-2.0

// Dialling for an application that is connected already: it may speak, end or leave before its origin answers.

import FlowModel
import NIOCore

/// Holds what the application sends while its origin is dialled.
///
/// Nothing is asked for; bytes come all the same when the application ends its side, because NIO then drains the socket.
/// An application that ends its side still gets its answer; one that breaks off ends the flow at once.
final class DiallingStage: Stage {
    private let driver: FlowDriver
    private let next: (ByteBuffer) -> any Stage
    private var application = ByteBuffer()

    /// Makes a stage that becomes `next`, with the bytes that have come, once the origin is connected.
    init(_ driver: FlowDriver, next: @escaping (ByteBuffer) -> any Stage) {
        self.driver = driver
        self.next = next
    }

    func begin() { driver.dialOrEnd { self.driver.become(self.next(self.application)) } }

    func received(_ side: Side, _ buffer: ByteBuffer) { application.writeImmutableBuffer(buffer) }
    func readComplete(_ side: Side) {}
    func inputClosed(_ side: Side) {}
    func failed(_ side: Side, _ error: (any Error)?) { driver.finish(.reset) }
}
