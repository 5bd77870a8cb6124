// SPDX-License-Identifier: Apache-2.0

// What the provider asks of the program around it, besides carrying flows.

public import FlowModel

/// What the program does when the provider asks for it; each may be left as it is.
public struct ProviderHooks: Sendable {
    /// Why no flow is taken until somebody arms the provider again; nil when flows are taken from the start on.
    public var disarmed: String?
    /// The machine woke up: connections that look alive may be dead.
    public var woke: @Sendable () async -> Void = {}
    /// Something that whoever looks after the machine should know.
    public var notify: @Sendable (Reason) -> Void = { _ in }
    /// Frees what was made for the provider, after its flows have ended; called once, and waited for within a limit.
    public var close: @Sendable () async -> Void = {}

    public init() {}
}
