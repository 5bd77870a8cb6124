// SPDX-License-Identifier: Apache-2.0

// Two ends of a TCP connection over 127.0.0.1.

import FlowModel
import Glibc
import Testing

struct LoopbackPair {
    let client: CInt
    let accepted: CInt
    let clientEndpoint: Endpoint
    let serverEndpoint: Endpoint

    init() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { Glibc.close(listener) }
        var address = LoopbackAddress(port: 0)
        let listening = address.withPointer {
            bind(listener, $0, $1.pointee) == 0 && listen(listener, 1) == 0 && getsockname(listener, $0, $1) == 0
        }
        try #require(listening)
        client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let client = client
        try #require(address.withPointer { connect(client, $0, $1.pointee) } == 0)
        accepted = accept(listener, nil, nil)
        try #require(accepted >= 0)
        var own = LoopbackAddress(port: 0)
        try #require(own.withPointer { getsockname(client, $0, $1) } == 0)
        clientEndpoint = Endpoint(host: .address(.v4(0x7f00_0001)), port: own.port)
        serverEndpoint = Endpoint(host: .address(.v4(0x7f00_0001)), port: address.port)
    }

    func close() {
        Glibc.close(client)
        Glibc.close(accepted)
    }
}
