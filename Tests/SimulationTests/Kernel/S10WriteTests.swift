// SPDX-License-Identifier: Apache-2.0

// S10: writing to an application.

import Foundation
import Testing

@testable import NetworkExtension

@Suite("S10: writing", .timeLimit(.minutes(1)))
struct S10WriteTests {
    @Test("Writes complete in order, each when the application's buffer has taken it")
    func order() async throws {
        let open = try await OpenFlow()
        let done = Gate<[Int]>([])
        let chunk = StreamState.receiveBuffer / 2
        for number in 0..<6 {
            open.flow.write(Data(repeating: UInt8(number), count: chunk)) { error in
                if error == nil { done.change { $0.append(number) } }
            }
        }
        #expect(await done.wait { $0.count == 2 ? $0 : nil } == [0, 1])
        _ = await open.proxy.send(Data())
        #expect(done.read { $0 } == [0, 1])
        let first = try await open.socket.receive(exactly: chunk)
        #expect(first.allSatisfy { $0 == 0 })
        #expect(await done.wait { $0.count == 3 ? $0 : nil } == [0, 1, 2])
        let rest = try await open.socket.receive(exactly: chunk * 5)
        #expect(rest.last == 5 && rest.count == chunk * 5)
        #expect(await done.wait { $0.count == 6 ? $0 : nil } == [0, 1, 2, 3, 4, 5])
    }

    @Test("Empty data is an invalid argument")
    func empty() async throws {
        let open = try await OpenFlow()
        #expect(await open.flow.write(Data()) as? NEAppProxyFlowError == NEAppProxyFlowError(.invalidArgument))
    }

    @Test("After closeWrite, or after the application closed, a write is not connected")
    func notConnected() async throws {
        let open = try await OpenFlow()
        open.flow.closeWriteWithError(nil)
        #expect(await open.flow.write(Data([1])) as? NEAppProxyFlowError == NEAppProxyFlowError(.notConnected))
        let other = try await OpenFlow()
        other.socket.close()
        #expect(await other.flow.write(Data([1])) as? NEAppProxyFlowError == NEAppProxyFlowError(.notConnected))
    }

    @Test("Pending writes fail with peerReset when the application closes")
    func pending() async throws {
        let open = try await OpenFlow()
        async let first = open.flow.write(Data(count: StreamState.receiveBuffer))
        #expect(await first == nil)
        let outcome = Gate<NEAppProxyFlowError?>(nil)
        open.flow.write(Data([1])) { error in outcome.change { $0 = error as? NEAppProxyFlowError } }
        open.socket.close()
        #expect(await outcome.wait { $0 } == NEAppProxyFlowError(.peerReset))
    }

    @Test("closeWrite waits for what is pending: the application reads all of it, then the end")
    func drains() async throws {
        let open = try await OpenFlow()
        let all = Data((0..<400_000).map { UInt8(truncatingIfNeeded: $0 >> 5) })
        let wasWritten = Gate(false)
        open.flow.write(all) { error in wasWritten.change { $0 = error == nil } }
        open.flow.closeWriteWithError(nil)
        #expect(try await open.socket.receive(exactly: all.count) == all)
        #expect(try await open.socket.receive() == Data())
        #expect(await wasWritten.wait { $0 ? true : nil } == true)
    }

    @Test("Now and then a write fails with ENOBUFS and nothing of it is taken")
    func noBuffers() async throws {
        let open = try await OpenFlow(Knobs { $0.writeENOBUFS = true })
        var failures = 0
        for number in 0..<6 as Range<UInt8> {
            while let error = await open.flow.write(Data([number])) {
                #expect((error as? POSIXError)?.code == .ENOBUFS)
                failures += 1
            }
        }
        #expect(failures == 2)
        #expect(try await open.socket.receive(exactly: 6) == Data([0, 1, 2, 3, 4, 5]))
    }
}
