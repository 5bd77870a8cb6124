// SPDX-License-Identifier: Apache-2.0

// Why the system could not connect, as the application hears it.

internal import FlowEngine
internal import NIOCore

/// The error of a connection by the system's number, as `Network.NWError` has it.
enum DialError: Error, Equatable {
    case posix(Int32)
    /// A `DNSServiceErrorType` of dns_sd.h.
    case dns(Int32)
    /// An `OSStatus` of Secure Transport.
    case tls(Int32)
    case other
}

extension ConnectFailure {
    /// What a failed dial means to the application.
    init(dialling error: any Error) {
        switch error {
        case let failure as ConnectFailure: self = failure
        case ChannelError.connectTimeout: self = .timedOut
        case DialError.posix(let code): self.init(errno: code)
        case DialError.dns(let code): self.init(dns: code)
        default: self = .hostUnreachable
        }
    }

    /// The numbers are those of dns_sd.h; most that can be wrong with a look-up is that there is no such name.
    private init(dns code: Int32) {
        switch code {
        case -65568: self = .timedOut
        case -65570, -65571: self = .denied
        case -65563, -65569: self = .unavailable
        default: self = .nameNotFound
        }
    }
}
