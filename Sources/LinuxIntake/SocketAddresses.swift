// SPDX-License-Identifier: Apache-2.0

// Between the addresses of Weir and those of the socket interface.

import CLinuxFlow
import FlowModel
import NIOCore

extension Endpoint {
    /// Nil for a version other than 4 and 6.
    init?(_ address: weir_address) {
        let bytes = withUnsafeBytes(of: address.bytes) { Array($0) }
        let host: IPAddress?
        switch address.version {
        case 4: host = .v4(bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) })
        case 6: host = IPAddress(v6Bytes: bytes, scope: address.scope)
        default: host = nil
        }
        guard let host else { return nil }
        self.init(host: .address(host), port: address.port)
    }

    /// Reads an address of the internet families; nil for others.
    init?(_ address: SocketAddress) {
        var plain = weir_address()
        guard address.withSockAddr({ pointer, _ in weir_address_read(pointer, &plain) }) == 0 else { return nil }
        self.init(plain)
    }

    /// The address for the C side; nil when the host is a name.
    var plainAddress: weir_address? {
        guard let address else { return nil }
        var plain = weir_address()
        plain.version = 4
        if case .v6(_, _, let scope) = address {
            plain.version = 6
            plain.scope = scope
        }
        plain.port = port
        withUnsafeMutableBytes(of: &plain.bytes) { $0.copyBytes(from: address.networkBytes) }
        return plain
    }
}
