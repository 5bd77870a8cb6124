// SPDX-License-Identifier: Apache-2.0

// The flows as a provider sees them: Apple's surface; what happens behind it is in `Kernel/`.

public import Foundation
public import NetworkSimulation

/// Who made a flow, as NetworkExtension's `NEFlowMetaData` (NEFlowMetaData.h).
public class NEFlowMetaData: NSObject {
    /// 32 bytes of `audit_token_t`, or nil.
    public let sourceAppAuditToken: Data?
    /// The cdhash; empty for some processes of the system.
    public let sourceAppUniqueIdentifier: Data
    /// The identifier of the signature: a claim; empty when unknown.
    public let sourceAppSigningIdentifier: String
    public let filterFlowIdentifier: UUID?

    init(token: Data?, unique: Data, identifier: String, filterFlow: UUID?) {
        sourceAppAuditToken = token
        sourceAppUniqueIdentifier = unique
        sourceAppSigningIdentifier = identifier
        filterFlowIdentifier = filterFlow
    }
}

/// A flow of an application, as NetworkExtension's `NEAppProxyFlow`.
///
/// Not `Sendable`, as in the SDK, although documented as safe on any thread; completions run on the provider's one
/// serial queue.
public class NEAppProxyFlow: NSObject {
    public let metaData: NEFlowMetaData
    /// The name that the application connected by; a claim, and nil when it resolved the name itself.
    public let remoteHostname: String?
    /// Whether the application bound its socket.
    public let isBound: Bool
    /// The interface that the provider says it uses, or the one that the application asked for.
    public var interface: NWInterface? {
        get { kernel.interface }
        set { kernel.interface = newValue }
    }
    let kernel: any KernelFlow

    init(metaData: NEFlowMetaData, remoteHostname: String?, isBound: Bool, kernel: any KernelFlow) {
        self.metaData = metaData
        self.remoteHostname = remoteHostname
        self.isBound = isBound
        self.kernel = kernel
    }

    /// Lets the application's connect succeed.
    public func open(
        withLocalFlowEndpoint localEndpoint: NWEndpoint?, completionHandler: @escaping ((any Error)?) -> Void
    ) { kernel.open(localEndpoint, completionHandler) }

    /// Says that nothing more will be read; the application learns that it cannot send.
    public func closeReadWithError(_ error: (any Error)?) { kernel.closeRead(error) }

    /// Says that nothing more will be written, after what is pending.
    public func closeWriteWithError(_ error: (any Error)?) { kernel.closeWrite(error) }

    /// Has a connection made in the application's name.
    public func setMetadata(on parameters: NWParameters) {
        parameters.simulatedSourceToken = metaData.sourceAppAuditToken
    }
}

/// As NetworkExtension's `NEAppProxyTCPFlow`.
public final class NEAppProxyTCPFlow: NEAppProxyFlow {
    public let remoteFlowEndpoint: NWEndpoint
    private let stream: any KernelStream

    init(
        metaData: NEFlowMetaData, remoteHostname: String?, isBound: Bool, remote: NWEndpoint, kernel: any KernelStream
    ) {
        remoteFlowEndpoint = remote
        stream = kernel
        super.init(metaData: metaData, remoteHostname: remoteHostname, isBound: isBound, kernel: kernel)
    }

    /// Reads what the application has sent, one read at a time; empty data is the end.
    public func readData(completionHandler: @escaping (Data?, (any Error)?) -> Void) { stream.read(completionHandler) }

    /// Writes to the application; completes when its receive buffer has taken the data.
    public func write(_ data: Data, withCompletionHandler completionHandler: @escaping @Sendable ((any Error)?) -> Void)
    {
        stream.write(data, completionHandler)
    }
}

/// As NetworkExtension's `NEAppProxyUDPFlow`: one socket, many destinations.
public final class NEAppProxyUDPFlow: NEAppProxyFlow {
    public let localFlowEndpoint: NWEndpoint?
    private let datagrams: any KernelDatagrams

    init(
        metaData: NEFlowMetaData, remoteHostname: String?, isBound: Bool, local: NWEndpoint?,
        kernel: any KernelDatagrams
    ) {
        localFlowEndpoint = local
        datagrams = kernel
        super.init(metaData: metaData, remoteHostname: remoteHostname, isBound: isBound, kernel: kernel)
    }

    /// Reads a batch, one read at a time; none and no error is the end.
    public func readDatagrams(completionHandler: @escaping ([(Data, NWEndpoint)]?, (any Error)?) -> Void) {
        datagrams.read(completionHandler)
    }

    /// Writes datagrams, each as if it came from its endpoint.
    public func writeDatagrams(
        _ datagrams: [(Data, NWEndpoint)], completionHandler: @escaping ((any Error)?) -> Void
    ) { self.datagrams.write(datagrams, completionHandler) }
}

// MARK: What the kernel side of a flow does

/// The kernel side of any flow.
protocol KernelFlow: AnyObject, Sendable {
    var interface: NWInterface? { get set }
    func open(_ local: NWEndpoint?, _ done: @escaping ((any Error)?) -> Void)
    func closeRead(_ error: (any Error)?)
    func closeWrite(_ error: (any Error)?)
}

protocol KernelStream: KernelFlow {
    func read(_ done: @escaping (Data?, (any Error)?) -> Void)
    func write(_ data: Data, _ done: @escaping @Sendable ((any Error)?) -> Void)
}

protocol KernelDatagrams: KernelFlow {
    func read(_ done: @escaping ([(Data, NWEndpoint)]?, (any Error)?) -> Void)
    func write(_ datagrams: [(Data, NWEndpoint)], _ done: @escaping ((any Error)?) -> Void)
}
