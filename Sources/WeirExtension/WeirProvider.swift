// SPDX-License-Identifier: Apache-2.0

// The principal class that `Info.plist` names: Weir's provider, with this program's services.

public import AppleIntake
internal import EngineAssembly
internal import NetworkExtension

/// The provider of this program.
// Sendable: the runtime is a constant and an actor, and the rest is the class above, which says why it is.
public final class WeirProvider: TransparentProxy, @unchecked Sendable {
    private let runtime: ExtensionRuntime?

    public convenience init() { self.init(ExtensionRuntime.current) }

    /// A test gives its own runtime, and what is to happen instead of the end of its process when the provider hangs.
    package init(_ runtime: ExtensionRuntime?, whenHung ending: @escaping @Sendable () -> Void = Watchdog.endProcess) {
        self.runtime = runtime
        super.init(watchdog: runtime.map { Watchdog(state: $0.state, ending: ending) } ?? Watchdog())
    }

    public override func makeServices() async throws -> ProviderServices {
        guard let runtime else { throw Problem.internalError("the program has installed no runtime") }
        // What device management or the app wrote; anybody on the Mac can read it, so it is no place for a secret.
        let settings = (protocolConfiguration as? NETunnelProviderProtocol)?.providerConfiguration
        return try await runtime.services(policy: settings?["policy"] as? String ?? "report", for: self)
    }
}
