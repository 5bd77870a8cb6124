// SPDX-License-Identifier: Apache-2.0

// For a program that carries no datagrams: claimed UDP flows are refused.

internal import AppleIntake
internal import FlowEngine
package import FlowModel
package import NIOCore

package struct NoDatagramEgress: DatagramEgress {
    package init() {}

    package func open(for facts: FlowFacts, on loop: any EventLoop) -> EventLoopFuture<any Channel> {
        loop.makeFailedFuture(ConnectFailure.unavailable)
    }
}
