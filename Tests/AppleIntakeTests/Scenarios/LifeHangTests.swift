// SPDX-License-Identifier: Apache-2.0

// The complaint that comes first: no network while the extension hangs, or after it has died.

import FlowModel
import Foundation
import NetworkSimulation
import Testing

@testable import AppleIntake
@testable import NetworkExtension

@Suite(.timeLimit(.minutes(2))) struct LifeHangTests {
    @Test func `A request is carried through the whole provider, and nothing of it stays`() async throws {
        let rig = MacRig()
        try await rig.serve()
        try await rig.proxy.start()
        let socket = try await rig.app.ask()
        #expect(socket.way == .claimed(by: "weir"))
        socket.close()
        try await rig.nothingIsLeft()
        await rig.proxy.stop(.userInitiated)
        #expect(rig.weir.calls("close") == 1)
    }
}
