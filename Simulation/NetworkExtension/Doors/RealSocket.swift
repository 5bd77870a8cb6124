// SPDX-License-Identifier: Apache-2.0

// A socket of the machine that the simulation runs on, whose calls wait without holding a thread.

internal import Foundation

/// Where a real server listens.
public enum RealAddress: Hashable, Sendable {
    /// A port of 127.0.0.1.
    case loopback(port: UInt16)
    case unix(path: String)
}

/// A real socket, not blocking; a waiting call ends with ECANCELED when its task is cancelled.
final class RealSocket: SimulatedLink {
    enum Direction: Sendable { case read, write }

    private struct State {
        var isClosed = false
        var waits: [Int: any DispatchSourceProtocol] = [:]
        var nextWait = 0
    }
    private let descriptor: Int32
    private let state = Gate(State())
    private static let queue = DispatchQueue(label: "simulation.doors")

    init(owning descriptor: Int32) { self.descriptor = descriptor }

    deinit { close() }

    static func make(_ family: Int32, _ type: __socket_type) throws(SocketError) -> RealSocket {
        let kind = Int32(type.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { throw SocketError(errno) }
        return RealSocket(owning: descriptor)
    }

    static func connect(to address: RealAddress) async throws(SocketError) -> RealSocket {
        let real = try make(address.family, SOCK_STREAM)
        let error = try real.once { descriptor throws(SocketError) in
            try address.withRaw { Glibc.connect(descriptor, $0, $1) == 0 ? 0 : errno }
        }
        guard error == EINPROGRESS else {
            if error == 0 { return real }
            throw SocketError(error)
        }
        await real.ready(.write)
        let outcome = try real.option(SO_ERROR)
        guard outcome == 0 else { throw SocketError(outcome) }
        return real
    }

    static func listen(on address: RealAddress) throws(SocketError) -> RealSocket {
        let real = try make(address.family, SOCK_STREAM)
        try real.bind(to: address)
        try real.once { descriptor throws(SocketError) in
            guard Glibc.listen(descriptor, 128) == 0 else { throw SocketError(errno) }
        }
        return real
    }

    func bind(to address: RealAddress) throws(SocketError) {
        try once { descriptor throws(SocketError) in
            let result = try address.withRaw { Glibc.bind(descriptor, $0, $1) == 0 ? 0 : errno }
            guard result == 0 else { throw SocketError(result) }
        }
    }

    func accept() async throws(SocketError) -> RealSocket {
        let accepted = try await call(.read) { Int(Glibc.accept($0, nil, nil)) }
        let real = RealSocket(owning: Int32(truncatingIfNeeded: accepted))
        try real.once { descriptor throws(SocketError) in
            guard fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0, fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else {
                throw SocketError(errno)
            }
        }
        return real
    }

    /// The port that it is bound to.
    func port() throws(SocketError) -> UInt16 {
        try once { descriptor throws(SocketError) in
            var address = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let result = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
            }
            guard result == 0 else { throw SocketError(errno) }
            return UInt16(bigEndian: address.sin_port)
        }
    }

    // MARK: Bytes

    func send(_ data: Data) async throws(SocketError) {
        var rest = data
        while !rest.isEmpty {
            let sent = try await call(.write) { descriptor in
                rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            }
            rest = rest.dropFirst(sent)
        }
    }

    func receive(_ most: Int) async throws(SocketError) -> Data {
        var buffer = Data(count: max(0, most))
        let count = try await call(.read) { descriptor in
            buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
        }
        return Data(buffer.prefix(count))
    }

    /// Sends one datagram and never waits; a full queue loses it, as a network does.
    func send(_ data: Data, to address: RealAddress) throws(SocketError) {
        let error = try once { descriptor throws(SocketError) in
            try address.withRaw { raw, length in
                data.withUnsafeBytes { sendto(descriptor, $0.baseAddress, $0.count, 0, raw, length) } < 0 ? errno : 0
            }
        }
        guard error == 0 || error == EAGAIN else { throw SocketError(error) }
    }

    /// Receives one datagram, with the port of loopback that it is from.
    func receiveDatagram() async throws(SocketError) -> (Data, port: UInt16) {
        var buffer = Data(count: 65_536)
        var sender = sockaddr_in()
        let count = try await call(.read) { descriptor in
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            return buffer.withUnsafeMutableBytes { bytes in
                withUnsafeMutablePointer(to: &sender) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        recvfrom(descriptor, bytes.baseAddress, bytes.count, 0, $0, &length)
                    }
                }
            }
        }
        return (Data(buffer.prefix(count)), UInt16(bigEndian: sender.sin_port))
    }

    func shutdownWrite() { _ = try? once { shutdown($0, Int32(SHUT_WR)) } }

    func close() {
        let waits: [any DispatchSourceProtocol] = state.change { state in
            guard !state.isClosed else { return [] }
            state.isClosed = true
            if state.waits.isEmpty { Glibc.close(descriptor) }
            return Array(state.waits.values)
        }
        for wait in waits { wait.cancel() }
    }

    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        _ = try? once {
            setsockopt($0, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        }
        close()
    }

    // MARK: Calls

    /// Makes a call that does not block; the socket cannot be closed meanwhile.
    @discardableResult
    func once<R>(_ body: (Int32) throws(SocketError) -> R) throws(SocketError) -> R {
        let result: Result<R, SocketError> = state.read { state in
            if state.isClosed { return .failure(SocketError(EBADF)) }
            return Result { () throws(SocketError) in try body(descriptor) }
        }
        return try result.get()
    }

    /// Makes a call until it need not wait.
    func call(_ direction: Direction, _ body: (Int32) -> Int) async throws(SocketError) -> Int {
        while true {
            let (result, error) = try once { descriptor in (body(descriptor), errno) }
            if result >= 0 { return result }
            switch error {
            case EINTR: continue
            case EAGAIN: await ready(direction)
            default: throw SocketError(error)
            }
            if Task.isCancelled { throw SocketError(ECANCELED) }
        }
    }

    /// Waits until the socket is ready, or closed, or the task is cancelled.
    private func ready(_ direction: Direction) async {
        let number = state.change { state in
            state.nextWait += 1
            return state.nextWait
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let source: any DispatchSourceProtocol =
                    switch direction {
                    case .read: DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: Self.queue)
                    case .write: DispatchSource.makeWriteSource(fileDescriptor: descriptor, queue: Self.queue)
                    }
                let carried = Carried(source)
                source.setEventHandler { carried.value.cancel() }
                // The descriptor has to stay open until here, so the last one to wait closes it.
                source.setCancelHandler { [self] in
                    state.change { state in
                        guard state.waits.removeValue(forKey: number) != nil else { return }
                        if state.isClosed, state.waits.isEmpty { Glibc.close(descriptor) }
                    }
                    continuation.resume()
                }
                let isNeeded = state.change { state in
                    if !state.isClosed { state.waits[number] = source }
                    return !state.isClosed
                }
                if !isNeeded || Task.isCancelled { source.cancel() }
                source.activate()
            }
        } onCancel: {
            state.read { $0.waits[number] }?.cancel()
        }
    }

    private func option(_ name: Int32) throws(SocketError) -> Int32 {
        try once { descriptor throws(SocketError) in
            var value: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            guard getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 else { throw SocketError(errno) }
            return value
        }
    }
}

extension RealAddress {
    var family: Int32 {
        switch self {
        case .loopback: AF_INET
        case .unix: AF_UNIX
        }
    }

    /// The address as the system's calls take it; ENAMETOOLONG for a path that does not fit.
    func withRaw<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) throws(SocketError) -> R {
        var storage = sockaddr_storage()
        let length: Int
        switch self {
        case .loopback(let port):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
            length = MemoryLayout<sockaddr_in>.size
            withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: address, as: sockaddr_in.self) }
        case .unix(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let fits = withUnsafeMutableBytes(of: &address.sun_path) { field in
                guard path.utf8.count < field.count else { return false }
                field.copyBytes(from: path.utf8)
                return true
            }
            guard fits else { throw SocketError(ENAMETOOLONG) }
            length = MemoryLayout<sockaddr_un>.size
            withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: address, as: sockaddr_un.self) }
        }
        return withUnsafePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(length)) }
        }
    }
}
