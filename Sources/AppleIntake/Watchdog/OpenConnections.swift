// SPDX-License-Identifier: Apache-2.0

// The seam through which open connections of the whole machine are listed.

public import CodeIdentity
public import FlowModel

/// A socket of a process, as the system lists it.
public struct OpenSocket: Hashable, Sendable {
    public var transport: Transport
    public var localPort: UInt16
    /// Where it is connected to; nil when it listens, or has no destination of its own.
    public var remote: Endpoint?

    public init(_ transport: Transport, localPort: UInt16, remote: Endpoint?) {
        self.transport = transport
        self.localPort = localPort
        self.remote = remote
    }
}

/// The sockets of one process.
public struct ProcessSockets: Sendable {
    public var processID: Int32
    /// Nil when the system did not give it.
    public var token: AuditToken?
    /// The path of the program: a label.
    public var executable: String?
    public var sockets: [OpenSocket]

    public init(processID: Int32, token: AuditToken?, executable: String?, sockets: [OpenSocket]) {
        self.processID = processID
        self.token = token
        self.executable = executable
        self.sockets = sockets
    }
}

/// Lists the open connections of the machine.
public protocol OpenConnections: Sendable {
    /// Asks the system, process by process, which takes milliseconds: never called on the provider's queue.
    ///
    /// Bounded by `AppleIntakeLimits.gapProcesses` and `gapSockets`. Processes that may not be asked are left out.
    func list() -> [ProcessSockets]
}
