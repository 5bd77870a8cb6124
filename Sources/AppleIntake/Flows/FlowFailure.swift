// SPDX-License-Identifier: Apache-2.0

// Errors in both directions: what an application shall see, and what a flow's error means.

internal import FlowEngine
internal import Foundation
internal import NIOCore
internal import NetworkExtension

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

extension NEAppProxyFlow {
    /// Closes a claimed flow so that the application's connect, or its next call, fails with this.
    func refuse(_ failure: ConnectFailure) { close(NEAppProxyFlowError(failure.flowCode)) }

    /// Closes both directions, so that the application sees `error`, or an orderly end.
    func close(_ error: NEAppProxyFlowError?) {
        closeReadWithError(error)
        closeWriteWithError(error)
    }
}

extension ConnectFailure {
    /// The code of a flow whose errno says this to the application.
    ///
    /// The system knows no other codes and makes one errno of all foreign errors, so what has no code of its own gets
    /// that of its nearest relative.
    ///
    /// | failure | errno of the application |
    /// |---|---|
    /// | refused | `ECONNREFUSED` |
    /// | denied | `ECONNREFUSED`: final, so that nobody waits or tries again |
    /// | reset | `ECONNRESET` |
    /// | timed out | `ETIMEDOUT` |
    /// | host or network unreachable, name not found | `EHOSTUNREACH` |
    /// | unavailable | `ECONNABORTED`: ours, and worth another try |
    var flowCode: NEAppProxyFlowError.Code {
        switch self {
        case .refused, .denied: .refused
        case .reset: .peerReset
        case .timedOut: .timedOut
        case .hostUnreachable, .networkUnreachable, .nameNotFound: .hostUnreachable
        case .unavailable: .aborted
        }
    }
}

extension IOError {
    /// What an error of a flow means to the engine: the error that a socket would have given.
    ///
    /// | code of the flow | errno |
    /// |---|---|
    /// | not connected: never opened, or the application has closed | `ENOTCONN` |
    /// | peer reset | `ECONNRESET` |
    /// | host unreachable | `EHOSTUNREACH` |
    /// | invalid argument | `EINVAL` |
    /// | aborted | `ECONNABORTED` |
    /// | refused | `ECONNREFUSED` |
    /// | timed out | `ETIMEDOUT` |
    /// | datagram too large | `EMSGSIZE` |
    /// | read already pending | `EBUSY` |
    /// | internal, and what we do not know | `EIO` |
    init(flow error: any Error) {
        let error = error as NSError
        let code: CInt
        switch error.domain {
        case NEAppProxyErrorDomain: code = NEAppProxyFlowError.Code(rawValue: error.code)?.errno ?? EIO
        case NSPOSIXErrorDomain: code = CInt(exactly: error.code) ?? EIO
        default: code = EIO
        }
        self.init(errnoCode: code, reason: "flow of the system")
    }

    /// Whether the system had no room, which passes.
    var isShortage: Bool { errnoCode == ENOBUFS }
}

extension NEAppProxyFlowError.Code {
    fileprivate var errno: CInt {
        switch self {
        case .notConnected: ENOTCONN
        case .peerReset: ECONNRESET
        case .hostUnreachable: EHOSTUNREACH
        case .invalidArgument: EINVAL
        case .aborted: ECONNABORTED
        case .refused: ECONNREFUSED
        case .timedOut: ETIMEDOUT
        case .datagramTooLarge: EMSGSIZE
        case .readAlreadyPending: EBUSY
        case .internal: EIO
        @unknown default: EIO
        }
    }
}
