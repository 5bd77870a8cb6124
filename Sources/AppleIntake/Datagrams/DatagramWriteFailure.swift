// SPDX-License-Identifier: Apache-2.0

// What it means when datagrams could not be written to an application.

internal import Foundation
internal import NetworkExtension

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// Whom a failed write concerns.
enum DatagramWriteFailure: Equatable {
    /// One datagram is larger than what the application has room for.
    case tooLarge
    /// These datagrams only.
    case notTaken
    /// The application is gone.
    case flowIsOver

    init(_ error: any Error) {
        if let error = error as? NEAppProxyFlowError {
            switch error.code {
            case .datagramTooLarge: self = .tooLarge
            case .invalidArgument: self = .notTaken
            default: self = .flowIsOver
            }
        } else {
            // The socket that all flows share with the kernel can be full for a moment.
            let error = error as NSError
            let isFull =
                error.domain == NSPOSIXErrorDomain
                && [ENOBUFS, ENOMEM, EAGAIN].contains { Int($0) == error.code }
            self = isFull ? .notTaken : .flowIsOver
        }
    }
}
