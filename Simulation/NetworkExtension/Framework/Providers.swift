// SPDX-License-Identifier: Apache-2.0

// The classes that a provider derives from: Apple's surface.

public import Foundation
public import NetworkSimulation

/// As NetworkExtension's `NEProvider` (NEProvider.h).
///
/// Every entry point is called on the provider's one serial queue.
open class NEProvider: NSObject {
    public override init() { super.init() }

    /// The system is about to sleep; `completionHandler` is to be called soon.
    open func sleep(completionHandler: @escaping @Sendable () -> Void) { completionHandler() }

    /// The system has woken up.
    open func wake() {}

    /// Starts the machinery of a system extension; here there is none.
    open class func startSystemExtensionMode() {}
}

/// As NetworkExtension's `NETunnelProvider` (NETunnelProvider.h).
open class NETunnelProvider: NEProvider {
    /// The session that runs this provider; set by the simulated system before it is started.
    weak var session: (any ProviderSession)?

    /// What the configuration says.
    open var protocolConfiguration: NEVPNProtocol { session?.configuration ?? NETunnelProviderProtocol() }
    open var reasserting = false

    /// A message of the container application.
    open func handleAppMessage(_ messageData: Data, completionHandler: ((Data?) -> Void)? = nil) {
        completionHandler?(nil)
    }

    /// Sets the rules, all or none.
    open func setTunnelNetworkSettings(
        _ tunnelNetworkSettings: NETunnelNetworkSettings?, completionHandler: (((any Error)?) -> Void)? = nil
    ) {
        guard let session else { return completionHandler?(NETunnelProviderError(.networkSettingsCanceled)) ?? () }
        session.set(tunnelNetworkSettings) { completionHandler?($0) }
    }
}

/// As NetworkExtension's `NEAppProxyProvider` (NEAppProxyProvider.h).
open class NEAppProxyProvider: NETunnelProvider {
    open func startProxy(
        options: [String: Any]? = nil, completionHandler: @escaping @Sendable ((any Error)?) -> Void
    ) { completionHandler(nil) }

    open func stopProxy(with reason: NEProviderStopReason, completionHandler: @escaping @Sendable () -> Void) {
        completionHandler()
    }

    /// Stops the provider from inside.
    open func cancelProxyWithError(_ error: (any Error)?) { session?.cancel(error) }

    /// Whether the provider takes the flow.
    open func handleNewFlow(_ flow: NEAppProxyFlow) -> Bool { false }
}

/// A provider that is told the first destination of UDP flows (macOS 15).
public protocol NEAppProxyUDPFlowHandling {
    func handleNewUDPFlow(_ flow: NEAppProxyUDPFlow, initialRemoteFlowEndpoint remoteEndpoint: NWEndpoint) -> Bool
}

/// As NetworkExtension's `NETransparentProxyProvider`: what it declines goes on as without a proxy.
open class NETransparentProxyProvider: NEAppProxyProvider {}

/// What the simulated system does for a provider.
protocol ProviderSession: AnyObject, Sendable {
    var configuration: NEVPNProtocol { get }
    func set(_ settings: NETunnelNetworkSettings?, _ done: @escaping ((any Error)?) -> Void)
    func cancel(_ error: (any Error)?)
}

/// As NetworkExtension's `NEVPNProtocol`.
open class NEVPNProtocol: NSObject {
    public var serverAddress: String?
    public var disconnectOnSleep = false
}

/// As NetworkExtension's `NETunnelProviderProtocol`.
open class NETunnelProviderProtocol: NEVPNProtocol {
    public var providerConfiguration: [String: Any]?
    public var providerBundleIdentifier: String?
}
