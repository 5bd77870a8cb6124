// SPDX-License-Identifier: Apache-2.0

// The addresses and ports of a test run.

import Foundation
import Synchronization

/// The network that `.ci/own-network` makes.
public enum TestNetwork {
    /// Where origins listen: an address of this machine that is not loopback, because Weir leaves loopback alone.
    public static let address = "192.0.2.10"
    /// Its name.
    public static let name = "origin.test"

    /// Says what to do when the tests run outside of it.
    public static func require() throws {
        guard ProcessInfo.processInfo.environment["WEIR_OWN_NETWORK"] == "1" else {
            throw TestKitError("these tests need a network of their own: run them with `make interop`")
        }
    }

    /// A TCP port that nobody listens on.
    ///
    /// Another program could take it before the caller does; in a network of its own there is none.
    public static func freePort() throws -> UInt16 {
        while true {
            let listener = try ListeningSocket(address: "0.0.0.0", port: 0)
            defer { listener.close() }
            // The kernel may give a port that was free a moment ago to two who ask; here each gets its own.
            if given.withLock({ $0.insert(listener.port).inserted }) { return listener.port }
        }
    }

    private static let given = Mutex<Set<UInt16>>([])
}
