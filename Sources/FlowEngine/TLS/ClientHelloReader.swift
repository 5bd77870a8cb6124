// SPDX-License-Identifier: Apache-2.0

// Finds out whether a connection begins with TLS, and reads its ClientHello out of the records it comes in.

import FlowModel
public import NIOCore

/// What the bytes so far say.
public enum ClientHelloReading: Hashable, Sendable {
    case needsMore
    /// These bytes cannot begin a TLS connection.
    case notTLS
    case hello(ClientHello)
    /// TLS, but with a ClientHello that no server would take.
    case malformed(ClientHelloFault)
}

/// Reads a ClientHello from any number of pieces and records.
///
/// Give it each byte once, in order; it keeps at most one message (`TLSLimits.clientHello`) and takes time in
/// proportion to the bytes. It answers `notTLS` at the first byte that proves it. Once it has answered with anything
/// but `needsMore` it stays with that answer.
///
/// | state    | event                             | next     | answer      |
/// |----------|-----------------------------------|----------|-------------|
/// | header   | fewer than five bytes, all fit    | header   | `needsMore` |
/// | header   | the fifth byte                    | fragment | `needsMore` |
/// | header   | a byte that does not fit          | finished | `notTLS`; `malformed` in a later record |
/// | fragment | the message goes on               | fragment or header | `needsMore` |
/// | fragment | its first byte is no ClientHello  | finished | `notTLS`    |
/// | fragment | the message ends with the record  | finished | `hello` or `malformed` |
/// | fragment | the message ends before it        | finished | `malformed` |
/// | any      | a limit is reached                | finished | `malformed` |
public struct ClientHelloReader: ~Copyable {
    private enum State {
        case header
        case fragment(left: Int)
        case finished(ClientHelloReading)
    }

    private var state = State.header
    private var header: [UInt8] = []
    private var message: [UInt8] = []
    private var total = 0

    public init() {}

    /// Reads all bytes of a buffer at once, without a reader to keep.
    public static func read(_ buffer: ByteBuffer) -> ClientHelloReading {
        var reader = ClientHelloReader()
        return reader.read(buffer.readableBytesUInt8Span)
    }

    /// Takes the bytes that have come since the last call.
    public mutating func read(_ bytes: Span<UInt8>) -> ClientHelloReading {
        var index = 0
        while true {
            switch state {
            case .finished(let reading):
                return reading
            case .header:
                guard index < bytes.count else { return .needsMore }
                takeHeader(bytes[index])
                index += 1
            case .fragment(let left):
                guard index < bytes.count else { return .needsMore }
                let room = TLSLimits.clientHelloRecords.value - total
                let count = min(left, bytes.count - index, room)
                for offset in index..<(index + count) { message.append(bytes[offset]) }
                index += count
                takeFragment(count, left: left - count)
            }
            if case .finished = state { continue }
            if total >= TLSLimits.clientHelloRecords.value { state = .finished(.malformed(.tooLong)) }
        }
    }

    private mutating func takeHeader(_ byte: UInt8) {
        header.append(byte)
        total += 1
        let fits: Bool
        switch header.count {
        case 1: fits = byte == 22  // handshake
        case 2: fits = byte == 3  // SSL 3.0 and every TLS
        case 3: fits = byte <= 4
        case 4: fits = byte <= 0x40
        default: fits = (1...16_384).contains(Int(header[3]) << 8 | Int(byte))
        }
        guard fits else {
            state = .finished(message.isEmpty ? .notTLS : .malformed(.record))
            return
        }
        if header.count == 5 {
            state = .fragment(left: Int(header[3]) << 8 | Int(byte))
            header.removeAll(keepingCapacity: true)
        }
    }

    private mutating func takeFragment(_ count: Int, left: Int) {
        total += count
        if let type = message.first, type != 1 {
            state = .finished(.notTLS)
            return
        }
        if message.count >= 4 {
            let length = Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3])
            if length > TLSLimits.clientHello.value {
                state = .finished(.malformed(.tooLong))
                return
            }
            if message.count >= 4 + length {
                state = .finished(message.count == 4 + length && left == 0 ? parse() : .malformed(.excess))
                message = []
                return
            }
        }
        state = left == 0 ? .header : .fragment(left: left)
    }

    private func parse() -> ClientHelloReading {
        do {
            return .hello(try ClientHello(body: message.dropFirst(4)))
        } catch {
            return .malformed(error)
        }
    }
}
