// SPDX-License-Identifier: Apache-2.0

// Both tables of errors.

import FlowEngine
import Foundation
import NIOCore
import Testing

@testable import AppleIntake
@testable import NetworkExtension

@Suite struct FlowFailureTests {
    @Test(
        arguments: [
            (ConnectFailure.refused, NEAppProxyFlowError.Code.refused), (.denied, .refused), (.reset, .peerReset),
            (.timedOut, .timedOut), (.hostUnreachable, .hostUnreachable), (.networkUnreachable, .hostUnreachable),
            (.nameNotFound, .hostUnreachable), (.unavailable, .aborted),
        ])
    func `Each failure to connect has a code of the flow's own domain`(
        _ failure: ConnectFailure, _ code: NEAppProxyFlowError.Code
    ) {
        let stream = ScriptedStream()
        stream.flow.refuse(failure)
        let errors = (stream.readCloses + stream.writeCloses).compactMap { $0.map { $0 as NSError } }
        #expect(errors.map(\.domain) == [NEAppProxyErrorDomain, NEAppProxyErrorDomain])
        #expect(errors.map(\.code) == [code.rawValue, code.rawValue])
    }

    @Test(
        arguments: zip(
            NEAppProxyFlowError.Code.allCases,
            [
                ENOTCONN, ECONNRESET, EHOSTUNREACH, EINVAL, ECONNABORTED, ECONNREFUSED, ETIMEDOUT, EIO, EMSGSIZE, EBUSY,
            ]))
    func `Each error of a flow means an errno, as itself and as a bare NSError`(
        _ code: NEAppProxyFlowError.Code, _ errno: CInt
    ) {
        #expect(IOError(flow: NEAppProxyFlowError(code)).errnoCode == errno)
        #expect(IOError(flow: NSError(domain: NEAppProxyErrorDomain, code: code.rawValue)).errnoCode == errno)
    }

    @Test func `What is not known is an input or output error`() {
        #expect(IOError(flow: NSError(domain: NEAppProxyErrorDomain, code: 4711)).errnoCode == EIO)
        #expect(IOError(flow: NSError(domain: NSPOSIXErrorDomain, code: .max)).errnoCode == EIO)
        #expect(IOError(flow: NSError(domain: "another", code: 1)).errnoCode == EIO)
        #expect(IOError(flow: CancellationError()).errnoCode == EIO)
    }

    @Test func `Only a lack of buffer space is worth another try`() {
        #expect(IOError(flow: POSIXError(.ENOBUFS)).isShortage)
        #expect(IOError(flow: NSError(domain: NSPOSIXErrorDomain, code: Int(ENOBUFS))).isShortage)
        #expect(!IOError(flow: POSIXError(.EPIPE)).isShortage)
        #expect(!IOError(flow: NSError(domain: NEAppProxyErrorDomain, code: Int(ENOBUFS))).isShortage)
    }
}
