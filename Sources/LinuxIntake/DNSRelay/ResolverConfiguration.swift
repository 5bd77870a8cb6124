// SPDX-License-Identifier: Apache-2.0

// The nameservers of this machine.

import FlowModel
public import NIOCore

/// The nameservers that /etc/resolv.conf names (resolv.conf(5)).
public struct ResolverConfiguration: Hashable, Sendable {
    /// At most three, in order, never empty: without any the C library asks this machine.
    public let nameservers: [SocketAddress]

    /// Reads the text of a resolv.conf; lines it does not understand are passed over.
    public init(_ text: String) {
        let addresses = text.split(whereSeparator: \.isNewline).compactMap { line -> SocketAddress? in
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard words.count >= 2, words[0] == "nameserver" else { return nil }
            return try? SocketAddress(ipAddress: String(words[1]), port: 53)
        }
        let own = (try? SocketAddress(ipAddress: "127.0.0.1", port: 53)).map { [$0] } ?? []
        nameservers = addresses.isEmpty ? own : Array(addresses.prefix(LinuxIntakeLimits.nameservers.value))
    }

    /// Reads this machine's file; touches the disk, so not for an event loop.
    public static func system() -> ResolverConfiguration {
        let bytes = SmallFile.read("/etc/resolv.conf", limit: 65536) ?? []
        return ResolverConfiguration(String(decoding: bytes, as: UTF8.self))
    }
}
