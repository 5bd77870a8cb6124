// SPDX-License-Identifier: Apache-2.0

// What the extension needs of the system it runs on: real on a Mac, given by a test elsewhere.

package import AppleIntake
package import CodeIdentity
package import FlowEngine

/// The system's part of the extension.
package struct SystemParts: Sendable {
    /// Where authority, events and records are kept; made if it is not there.
    package var state: String
    /// The build of the extension, as the app shows it.
    package var build: String
    /// Rung one of identity.
    package var kernel: any CodeSigningKernel
    /// Rung two of identity.
    package var oracle: any CodeSigningOracle
    /// What the system calls itself, with its build, as an inventory of it says; nil where none is looked for.
    package var release: String?
    /// The way out where the system cannot make connections in the name of another program.
    package var egress: any Egress
    /// Certificates (PEM) to trust for origins, beside the system's.
    package var upstreamCA: String?
    /// Another file than `/etc/os-release`, for tests.
    package var osRelease: String?
    /// What lists the connections that are open; nil where nothing can.
    package var connections: (any OpenConnections)?

    package init(
        state: String, build: String, kernel: any CodeSigningKernel, oracle: any CodeSigningOracle,
        egress: any Egress
    ) {
        self.state = state
        self.build = build
        self.kernel = kernel
        self.oracle = oracle
        self.egress = egress
    }
}
