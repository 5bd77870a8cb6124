// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing

@testable import MacControl

@Suite struct ControlClientTests {
    let service = ControlService(FakeTarget(), administrators: FakeDirectory(), now: { 0 })

    /// Gives one wire after the other, then none.
    private final class Wires: Sendable {
        let rest: Mutex<[FakeWire]>
        let made = Mutex<[FakeWire]>([])

        init(_ wires: [FakeWire]) { rest = Mutex(wires) }

        func next() -> FakeWire? {
            let wire = rest.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            if let wire { made.withLock { $0.append(wire) } }
            return wire
        }
    }

    private func client(_ wires: Wires, clock: any Clock<Duration> = ContinuousClock()) -> ControlClient {
        ControlClient(wait: .seconds(60), clock: clock) { wires.next() }
    }

    @Test func `One connection serves many requests`() async throws {
        let wires = Wires([.to(service), .to(service)])
        let client = client(wires)
        for _ in 0..<3 { #expect(try await client.ask(.state) == .state(.sample())) }
        #expect(wires.made.withLock { $0.count } == 1)
    }

    @Test func `When the extension was replaced the request goes to the new one`() async throws {
        let dead = FakeWire { _ in throw CocoaError(.xpcConnectionInterrupted) }
        let wires = Wires([dead, .to(service)])
        #expect(try await client(wires).ask(.rearm) == .done)
        #expect(dead.isClosed)
    }

    @Test func `An extension that is gone is unreachable after one more try`() async {
        let dead = { FakeWire { _ in throw CocoaError(.xpcConnectionInvalid) } }
        let wires = Wires([dead(), dead(), dead()])
        await #expect(throws: ControlFailure.unreachable) { try await self.client(wires).ask(.state) }
        #expect(wires.made.withLock { $0.count } == 2)
        await #expect(throws: ControlFailure.unreachable) { try await self.client(Wires([])).ask(.state) }
    }

    @Test func `An extension that never answers is hung, and its connection is given up`() async throws {
        let hung = FakeWire.hung()
        let wires = Wires([hung, .to(service)])
        let client = client(wires, clock: ImpatientClock())
        await #expect(throws: ControlFailure.hung) { try await client.ask(.state) }
        #expect(hung.isClosed)
    }

    @Test func `A refusal is thrown in the extension's words`() async {
        let wires = Wires([.to(service, user: 501)])
        await #expect {
            try await self.client(wires).ask(.off)
        } throws: { error in
            guard case ControlFailure.refused(let refusal) = error else { return false }
            return refusal.code == .needsAdministrator
        }
    }

    @Test func `An answer in another language is unreadable`() async {
        let wires = Wires([FakeWire { _ in Data("<plist/>".utf8) }])
        await #expect(throws: ControlFailure.unreadable) { try await self.client(wires).ask(.state) }
    }
}
