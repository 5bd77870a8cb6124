// SPDX-License-Identifier: Apache-2.0

// A TCP connection at the level of bytes, with every wait bounded.

import Foundation

/// The peer has reset the connection.
public struct ConnectionReset: Error {
    public init() {}
}

/// One end of a TCP connection; used from one thread at a time.
public final class Connection: Sendable {
    private let descriptor: Int32
    /// The longest wait of one read or write.
    static let patienceSeconds = 10

    init(descriptor: Int32) {
        self.descriptor = descriptor
        var patience = timeval(tv_sec: Connection.patienceSeconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, size)
    }

    /// Connects to an IPv4 address.
    public convenience init(address: String, port: UInt16) throws {
        let descriptor = newSocket()
        var destination = socketAddress(address, port)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafePointer(to: &destination) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        guard status == 0 else {
            let reason = String(cString: strerror(errno))
            Foundation.close(descriptor)
            throw TestKitError("cannot connect to \(address):\(port): \(reason)")
        }
        self.init(descriptor: descriptor)
    }

    public static func canConnect(address: String, port: UInt16) -> Bool {
        guard let connection = try? Connection(address: address, port: port) else { return false }
        connection.close()
        return true
    }

    /// Reads what is there, at most so many bytes; empty at the end of the stream; throws on a reset or when nothing comes.
    public func read(upTo count: Int = 65536) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let got = recv(descriptor, &bytes, count, 0)
        if got < 0, errno == ECONNRESET { throw ConnectionReset() }
        guard got >= 0 else { throw TestKitError("read: \(String(cString: strerror(errno)))") }
        return Array(bytes.prefix(got))
    }

    /// Reads to the end of the stream, or until `enough` says so.
    public func readAll(until enough: ([UInt8]) -> Bool = { _ in false }) throws -> [UInt8] {
        var all: [UInt8] = []
        while !enough(all) {
            let more = try read()
            if more.isEmpty { break }
            all += more
        }
        return all
    }

    public func write(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, 0) }
            guard sent > 0 else { throw TestKitError("write: \(String(cString: strerror(errno)))") }
            rest = rest.dropFirst(sent)
        }
    }

    public func write(_ text: String) throws { try write(Array(text.utf8)) }

    /// Ends this direction; the other stays open.
    public func endWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Closes so that the peer gets a reset, not an end.
    public func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Foundation.linger>.size))
        close()
    }

    public func close() { _ = Foundation.close(descriptor) }

    /// Ends both directions, which also wakes a reader on another thread.
    func interrupt() { shutdown(descriptor, Int32(SHUT_RDWR)) }
}

/// A socket that waits for connections.
final class ListeningSocket: Sendable {
    let port: UInt16
    let descriptor: Int32

    init(address: String, port: UInt16, backlog: Int32 = 64) throws {
        let descriptor = newSocket()
        self.descriptor = descriptor
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var name = socketAddress(address, port)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer -> Int32 in
                if bind(descriptor, pointer, size) != 0 || listen(descriptor, backlog) != 0 { return -1 }
                return getsockname(descriptor, pointer, &size)
            }
        }
        self.port = UInt16(bigEndian: name.sin_port)
        guard status == 0 else {
            let reason = String(cString: strerror(errno))
            Foundation.close(descriptor)
            throw TestKitError("cannot listen on \(address):\(port): \(reason)")
        }
    }

    /// Waits a moment for a connection.
    func accept() -> Connection? {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 100) > 0 else { return nil }
        let accepted = Foundation.accept(descriptor, nil, nil)
        return accepted >= 0 ? Connection(descriptor: accepted) : nil
    }

    func close() { _ = Foundation.close(descriptor) }
}

/// A TCP socket that no started program inherits; the process ignores SIGPIPE from here on.
private func newSocket() -> Int32 {
    signal(SIGPIPE, SIG_IGN)
    #if canImport(Darwin)
    let descriptor = socket(AF_INET, SOCK_STREAM, 0)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    return descriptor
    #else
    return socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    #endif
}

private func socketAddress(_ address: String, _ port: UInt16) -> sockaddr_in {
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    inet_pton(AF_INET, address, &name.sin_addr)
    return name
}
