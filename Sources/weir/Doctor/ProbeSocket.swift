// SPDX-License-Identifier: Apache-2.0

// A connection of the self-test: blocking, with a deadline for every step.

import FlowModel
import Foundation

/// When a probe has to be over.
struct ProbeDeadline: Sendable {
    let end: ContinuousClock.Instant

    init(_ end: ContinuousClock.Instant) { self.end = end }

    /// What is left, for poll(2).
    var milliseconds: Int32 { Int32(max(0, min(60_000, (end - .now) / .milliseconds(1)))) }

    /// An equal share of what is left.
    func share(of count: Int) -> ProbeDeadline { ProbeDeadline(.now + (end - .now) / max(1, count)) }
}

/// Why a probe came to nothing, in a few words.
struct ProbeProblem: Error {
    let text: String

    static func system(_ number: Int32) -> ProbeProblem { ProbeProblem(text: String(cString: strerror(number))) }
    static let late = ProbeProblem(text: "no answer in time")
}

/// An address that the system's resolver gave.
struct ProbeAddress: Sendable {
    fileprivate let storage: [UInt8]
    fileprivate let family: Int32
    /// In digits, without the port.
    let text: String

    /// Asks the system's resolver, which nothing can hurry: only on a thread that may be left behind.
    static func lookup(_ host: String, port: UInt16) throws(ProbeProblem) -> [ProbeAddress] {
        var hints = addrinfo()
        hints.ai_socktype = ProbeSocket.kind(.tcp)
        var first: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &first)
        guard status == 0 else {
            throw ProbeProblem(text: String(cString: gai_strerror(status)))
        }
        defer { freeaddrinfo(first) }
        var addresses: [ProbeAddress] = []
        var next = first
        while let entry = next?.pointee, addresses.count < DoctorLimits.addresses.value {
            next = entry.ai_next
            guard let address = entry.ai_addr else { continue }
            var digits = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            guard
                getnameinfo(
                    address, entry.ai_addrlen, &digits, socklen_t(digits.count), nil, 0, NI_NUMERICHOST) == 0
            else { continue }
            addresses.append(
                ProbeAddress(
                    storage: Array(UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen))),
                    family: entry.ai_family,
                    text: String(decoding: digits.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)))
        }
        return addresses
    }
}

/// One connected socket.
struct ProbeSocket: ~Copyable {
    private let descriptor: Int32
    /// Whom it is connected to, in digits.
    let peer: String

    /// Connects to the first address of a host that answers.
    init(to endpoint: Endpoint, _ transport: Transport, until deadline: ProbeDeadline) throws(ProbeProblem) {
        let addresses = try ProbeAddress.lookup(endpoint.host.description, port: endpoint.port)
        var problem = ProbeProblem(text: "the name has no address")
        for (index, address) in addresses.enumerated() {
            do {
                descriptor = try Self.connect(address, transport, deadline.share(of: addresses.count - index))
                peer = address.text
                return
            } catch {
                problem = error
            }
        }
        throw problem
    }

    deinit { close(descriptor) }

    private static func connect(
        _ address: ProbeAddress, _ transport: Transport, _ deadline: ProbeDeadline
    ) throws(ProbeProblem) -> Int32 {
        let descriptor = socket(address.family, kind(transport), 0)
        guard descriptor >= 0 else { throw .system(errno) }
        do throws(ProbeProblem) {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            #if canImport(Darwin)
            var yes: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &yes, socklen_t(MemoryLayout<Int32>.size))
            #endif
            guard fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else { throw .system(errno) }
            let status = address.storage.withUnsafeBytes { bytes in
                bytes.withMemoryRebound(to: sockaddr.self) {
                    Foundation.connect(descriptor, $0.baseAddress, socklen_t(bytes.count))
                }
            }
            guard status == 0 || errno == EINPROGRESS else { throw .system(errno) }
            try wait(descriptor, POLLOUT, deadline)
            var failure: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &size)
            guard failure == 0 else { throw .system(failure) }
            return descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    func send(_ bytes: [UInt8], until deadline: ProbeDeadline) throws(ProbeProblem) {
        var rest = bytes[...]
        while !rest.isEmpty {
            try Self.wait(descriptor, POLLOUT, deadline)
            let sent = rest.withUnsafeBytes { Foundation.send(descriptor, $0.baseAddress, $0.count, Self.noSignal) }
            guard sent > 0 else { throw .system(errno) }
            rest = rest.dropFirst(sent)
        }
    }

    /// The next bytes, or the next datagram; empty at the end.
    func receive(atMost count: Int, until deadline: ProbeDeadline) throws(ProbeProblem) -> [UInt8] {
        try Self.wait(descriptor, POLLIN, deadline)
        var bytes = [UInt8](repeating: 0, count: count)
        let got = recv(descriptor, &bytes, count, 0)
        guard got >= 0 else { throw .system(errno) }
        return Array(bytes.prefix(got))
    }

    private static func wait(_ descriptor: Int32, _ event: some BinaryInteger, _ deadline: ProbeDeadline)
        throws(ProbeProblem)
    {
        var entry = pollfd(fd: descriptor, events: Int16(event), revents: 0)
        while true {
            // Asked first, so that a peer who never stops talking does not win.
            guard deadline.milliseconds > 0 else { throw .late }
            let count = poll(&entry, 1, deadline.milliseconds)
            if count > 0 { return }
            if count == 0 { throw .late }
            guard errno == EINTR else { throw .system(errno) }
        }
    }

    #if canImport(Glibc)
    fileprivate static func kind(_ transport: Transport) -> Int32 {
        Int32((transport == .tcp ? SOCK_STREAM : SOCK_DGRAM).rawValue)
    }
    private static let noSignal = Int32(MSG_NOSIGNAL)
    #else
    fileprivate static func kind(_ transport: Transport) -> Int32 { transport == .tcp ? SOCK_STREAM : SOCK_DGRAM }
    private static let noSignal: Int32 = 0
    #endif
}
