// SPDX-License-Identifier: Apache-2.0

// What the provider asks of the program around it, besides carrying flows.

public import FlowEngine
public import FlowModel

/// What the program does when the provider asks for it; each may be left as it is.
public struct ProviderHooks: Sendable {
    /// Why no flow is taken until somebody arms the provider again; nil when flows are taken from the start on.
    public var disarmed: String?
    /// It was armed again: the next start need not be told otherwise.
    public var rearmed: @Sendable () async -> Void = {}
    /// Reads the policy again.
    public var reload: @Sendable () async throws -> PolicySnapshot = {
        throw ProviderFailure(.reload, "this program has no policy to read again")
    }
    /// The machine woke up: connections that look alive may be dead.
    public var woke: @Sendable () async -> Void = {}
    /// Something that whoever looks after the machine should know.
    public var notify: @Sendable (Reason) -> Void = { _ in }
    /// Frees what was made for the provider, after its flows have ended; called once, and waited for within a limit.
    public var close: @Sendable () async -> Void = {}

    public init() {}
}
