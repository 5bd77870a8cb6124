// SPDX-License-Identifier: Apache-2.0

// The extension's end of XPC: carries bytes to the service.

#if canImport(Darwin)
public import Foundation

/// The one message of the control channel, in XPC's terms.
@objc protocol ControlExchange {
    func exchange(_ bytes: Data, reply: @escaping @Sendable (Data) -> Void)
}

/// Listens for the app.
///
/// The system checks each message against the requirement, by the audit token that came with it, before we see it; the
/// user is of the same token. (`NSXPCConnection.auditToken` is not part of the SDK.)
public final class ControlListener: NSObject, NSXPCListenerDelegate {
    private let service: ControlService
    private let listener: NSXPCListener

    public init(_ service: ControlService, names: ProductNames) {
        self.service = service
        listener = NSXPCListener(machServiceName: names.serviceName(build: names.build))
        super.init()
        listener.setConnectionCodeSigningRequirement(names.appRequirement)
        listener.delegate = self
    }

    public func listen() { listener.activate() }

    public func listener(_ listener: NSXPCListener, shouldAcceptNewConnection connection: NSXPCConnection) -> Bool {
        let caller = ControlCaller(user: connection.effectiveUserIdentifier, isOurs: true)
        connection.exportedInterface = NSXPCInterface(with: (any ControlExchange).self)
        connection.exportedObject = ControlDoor(service, caller)
        connection.activate()
        return true
    }
}

/// One caller's way to the service.
private final class ControlDoor: NSObject, ControlExchange {
    private let service: ControlService
    private let caller: ControlCaller

    init(_ service: ControlService, _ caller: ControlCaller) {
        self.service = service
        self.caller = caller
    }

    func exchange(_ bytes: Data, reply: @escaping @Sendable (Data) -> Void) {
        Task { [service, caller] in reply(await service.answer(bytes, from: caller)) }
    }
}
#endif
