// SPDX-License-Identifier: Apache-2.0

// The client's side of SOCKS version 5 (RFC 1928), as far as a proxy without authentication needs it.

import FlowModel
import NIOCore

/// Reads a SOCKS5 greeting and request out of any pieces.
///
/// | state | event | next | answer |
/// |---|---|---|---|
/// | greeting | complete, offers "no authentication" | request | `reply(05 00)` |
/// | greeting | complete, does not offer it | finished | `refused(05 FF)` |
/// | request | CONNECT, complete | finished | `connect(endpoint)` |
/// | request | another command, or an address that cannot be | finished | `refused(reply)` |
/// | any | too few bytes | same | `needsMore` |
struct SOCKS5Reader: ~Copyable {
    enum Answer: Equatable {
        case needsMore
        /// Send this and go on.
        case reply([UInt8])
        case connect(Endpoint)
        /// Send this and close.
        case refused([UInt8])
    }

    private enum State { case greeting, request, finished }
    private var state = State.greeting

    /// Reply codes of RFC 1928 section 6.
    enum Reply: UInt8 {
        case succeeded = 0
        case generalFailure = 1
        case notAllowed = 2
        case networkUnreachable = 3
        case hostUnreachable = 4
        case connectionRefused = 5
        case ttlExpired = 6
        case commandNotSupported = 7
        case addressTypeNotSupported = 8

        /// The whole reply; the bound address is not told, as most servers do.
        var bytes: [UInt8] { [5, rawValue, 0, 1, 0, 0, 0, 0, 0, 0] }
    }

    /// Takes what it needs from the front of `input`.
    mutating func read(_ input: inout ByteBuffer) -> Answer {
        switch state {
        case .greeting: return greeting(&input)
        case .request: return request(&input)
        case .finished: return .needsMore
        }
    }

    private mutating func greeting(_ input: inout ByteBuffer) -> Answer {
        let start = input.readerIndex
        guard let version = input.getInteger(at: start, as: UInt8.self),
            let count = input.getInteger(at: start + 1, as: UInt8.self),
            let methods = input.getBytes(at: start + 2, length: Int(count))
        else { return .needsMore }
        input.moveReaderIndex(forwardBy: 2 + Int(count))
        guard version == 5, methods.contains(0) else {
            state = .finished
            return .refused([5, 0xff])
        }
        state = .request
        return .reply([5, 0])
    }

    private mutating func request(_ input: inout ByteBuffer) -> Answer {
        var bytes = input
        guard let version: UInt8 = bytes.readInteger(), let command: UInt8 = bytes.readInteger(),
            let _: UInt8 = bytes.readInteger(), let kind: UInt8 = bytes.readInteger()
        else { return .needsMore }
        guard version == 5, command == 1 else { return refuse(.commandNotSupported) }
        let host: Host?
        switch kind {
        case 1:
            guard let value: UInt32 = bytes.readInteger() else { return .needsMore }
            host = .address(.v4(value))
        case 3:
            guard let length: UInt8 = bytes.readInteger(), let name = bytes.readBytes(length: Int(length)) else {
                return .needsMore
            }
            host = String(validating: name, as: UTF8.self).flatMap { Host($0) }
        case 4:
            guard let address = bytes.readBytes(length: 16) else { return .needsMore }
            host = IPAddress(v6Bytes: address).map(Host.address)
        default:
            return refuse(.addressTypeNotSupported)
        }
        guard let port: UInt16 = bytes.readInteger() else { return .needsMore }
        guard let host, port != 0 else { return refuse(.addressTypeNotSupported) }
        input = bytes
        state = .finished
        return .connect(Endpoint(host: host, port: port))
    }

    private mutating func refuse(_ reply: Reply) -> Answer {
        state = .finished
        return .refused(reply.bytes)
    }
}
