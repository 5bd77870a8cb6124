// SPDX-License-Identifier: Apache-2.0

// Texts of resolv.conf.

import NIOCore
import Testing

@testable import LinuxIntake

@Suite struct ResolverConfigurationTests {
    @Test(
        "Nameservers are read as the C library reads them",
        arguments: [
            ("nameserver 10.0.0.1\n", ["10.0.0.1"]),
            ("# nameserver 1.1.1.1\n; nameserver 1.1.1.1\nnameserver\t9.9.9.9 trailing\r\nsearch a b", ["9.9.9.9"]),
            ("nameserver ::1\nnameserver 2001:db8::1", ["::1", "2001:db8::1"]),
            (
                "nameserver 1.0.0.1\nnameserver 1.0.0.2\nnameserver 1.0.0.3\nnameserver 1.0.0.4",
                ["1.0.0.1", "1.0.0.2", "1.0.0.3"]
            ),
            ("nameserver example.com\nnameserver 300.1.1.1\nnameserver\nnameservers 1.1.1.1\n", ["127.0.0.1"]),
            ("", ["127.0.0.1"]),
            ("\u{0}nameserver \u{1f600}", ["127.0.0.1"]),
        ])
    func nameservers(text: String, expected: [String]) throws {
        let expected = try expected.map { try SocketAddress(ipAddress: $0, port: 53) }
        #expect(ResolverConfiguration(text).nameservers == expected)
    }

    @Test("A link-local nameserver keeps its interface")
    func linkLocal() throws {
        let nameservers = ResolverConfiguration("nameserver fe80::1%lo\n").nameservers
        #expect(try nameservers == [SocketAddress(ipAddress: "fe80::1%lo", port: 53)])
        #expect(try nameservers != [SocketAddress(ipAddress: "fe80::1", port: 53)])
    }

    @Test("This machine has at least one")
    func system() { #expect(!ResolverConfiguration.system().nameservers.isEmpty) }
}
