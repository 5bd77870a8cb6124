// SPDX-License-Identifier: Apache-2.0

// The principal class that `Info.plist` names: Weir's provider, with this program's services.

public import AppleIntake
internal import EngineAssembly
internal import NetworkExtension

/// The provider of this program.
public final class WeirProvider: TransparentProxy {
    /// What it works with; a test gives its own.
    package var runtime = ExtensionRuntime.current

    public override func makeServices() async throws -> ProviderServices {
        guard let runtime else { throw Problem.internalError("the program has installed no runtime") }
        // What device management or the app wrote; anybody on the Mac can read it, so it is no place for a secret.
        let settings = (protocolConfiguration as? NETunnelProviderProtocol)?.providerConfiguration
        return try await runtime.services(policy: settings?["policy"] as? String ?? "report")
    }
}
