// SPDX-License-Identifier: Apache-2.0

// The connection of a configuration, as a container application sees it: Apple's surface (NEVPNConnection.h).

public import Foundation

/// As NetworkExtension's `NEVPNConnection`.
///
/// Not `Sendable`, as in the SDK. Its status changes on a thread of the system; the notice of it comes on the main
/// queue.
public class NEVPNConnection: NSObject {
    /// The configuration it belongs to.
    public let manager: NEVPNManager

    init(of manager: NEVPNManager) { self.manager = manager }

    /// Where the connection stands; `invalid` until its configuration has been loaded after the first save.
    public var status: NEVPNStatus { manager.session?.status ?? .invalid }
    /// When it became connected; nil while it is not.
    public var connectedDate: Date? { manager.session?.connectedDate }

    public func startVPNTunnel() throws { try startVPNTunnel(options: nil) }

    /// Asks the system to start the provider, and returns before it has.
    ///
    /// Throws `NEVPNError.configurationInvalid` when the configuration has not been loaded since it was first saved,
    /// and `.configurationDisabled` when it is not enabled. Asked again while it is connecting, connected or
    /// disconnecting, the system does nothing.
    public func startVPNTunnel(options: [String: NSObject]?) throws { try manager.start(options) }

    /// Asks the system to stop the provider, and returns before it has.
    public func stopVPNTunnel() { manager.session?.stop(.userInitiated) }

    /// Says by what error the connection last ended; nil when it was stopped.
    public func fetchLastDisconnectError(completionHandler handler: @escaping @Sendable ((any Error)?) -> Void) {
        let error = manager.session?.lastError
        DispatchQueue.main.async { handler(error) }
    }
}

/// As NetworkExtension's `NETunnelProviderSession` (NETunnelProviderSession.h): what `connection` is for a provider.
public final class NETunnelProviderSession: NEVPNConnection {
    public func startTunnel(options: [String: Any]? = nil) throws { try manager.start(options) }
    public func stopTunnel() { stopVPNTunnel() }

    /// Sends a message to the running provider; its answer comes on the main queue.
    ///
    /// Throws `NEVPNError.connectionFailed` when the provider does not run [INF: the code is not documented]. No answer
    /// ever comes from a provider that hangs.
    public func sendProviderMessage(_ messageData: Data, responseHandler: ((Data?) -> Void)? = nil) throws {
        guard let session = manager.session, session.status == .connected || session.status == .reasserting else {
            throw NEVPNError(.connectionFailed)
        }
        let answer = responseHandler.map(Answer.init)
        session.send(messageData) { data in DispatchQueue.main.async { answer?.handler(data) } }
    }

    // The SDK does not mark the handler `@Sendable`, and calls it once, on the main queue:
    // it is made here, carried, and called there; nobody else has it.
    private struct Answer: @unchecked Sendable {
        let handler: (Data?) -> Void
    }
}
