// SPDX-License-Identifier: Apache-2.0

// Connections by Apple's Network framework.

#if canImport(Network)
internal import Dispatch
internal import FlowEngine
internal import FlowModel
internal import NIOCore
internal import NIOTransportServices
internal import Network
internal import NetworkExtension

extension FlowEgress {
    /// The loops are those of Network, as many as there are cores.
    static func network(_ attribution: FlowAttribution, metrics: any MetricSink) -> FlowEgress {
        let egress = AttributedEgress(attribution, dialler: NetworkDialler(), metrics: metrics)
        return FlowEgress(
            egress, loops: NIOTSEventLoopGroup(loopCount: System.coreCount, defaultQoS: .userInitiated))
    }
}

/// Dials with `NWConnection`.
struct NetworkDialler: SystemDialler {
    func dial(
        _ origin: Endpoint, for flow: SystemFlow<NEAppProxyFlow>?, on loop: any EventLoop
    ) -> EventLoopFuture<any Channel> {
        guard let bootstrap = NIOTSConnectionBootstrap(validatingGroup: loop), let target = SystemEndpoint(origin)
        else { return loop.makeFailedFuture(ConnectFailure.unavailable) }
        let tcp = NWProtocolTCP.Options()
        tcp.noDelay = true
        tcp.enableKeepalive = true
        tcp.keepaliveIdle = AppleIntakeLimits.keepalive.value
        tcp.keepaliveInterval = 15
        tcp.keepaliveCount = 4
        let unsent = AppleIntakeLimits.connectionUnsent.value
        return
            bootstrap
            .tcpOptions(tcp)
            .connectTimeout(.milliseconds(Int64(AppleIntakeLimits.connectWait.value)))
            .configureNWParameters { $0.prepare(for: flow?.flow) }
            .channelOption(ChannelOptions.autoRead, value: false)
            .channelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
            .channelOption(ChannelOptions.writeBufferWaterMark, value: .init(low: unsent / 4, high: unsent))
            // A path that is not there is an error at once, not something to wait for.
            .channelOption(NIOTSChannelOptions.waitForActivity, value: false)
            .channelOption(
                NIOTSChannelOptions.maximumReceiveLength, value: AppleIntakeLimits.connectionRead.value
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NetworkEventHandler())
                }
            }
            .connect(endpoint: target)
            .flatMapErrorThrowing { error in throw (error as? NWError).map { DialError($0) as any Error } ?? error }
    }
}

/// Says the events of Network in our words, and ours in Network's.
private final class NetworkEventHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let update = event as? NIOTSNetworkEvents.ViabilityUpdate {
            context.fireUserInboundEventTriggered(PathViability(isViable: update.isViable))
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is ResetConnection else {
            context.triggerUserOutboundEvent(event, promise: promise)
            return
        }
        // A cancelled connection ends in order, one that is cancelled by force is reset.
        if let options = context.channel.syncOptions,
            let connection = try? options.getOption(NIOTSChannelOptions.connection)
        {
            connection.forceCancel()
        }
        promise?.succeed()
    }
}

extension DialError {
    init(_ error: NWError) {
        switch error {
        case .posix(let code): self = .posix(code.rawValue)
        case .dns(let code): self = .dns(code)
        case .tls(let code): self = .tls(code)
        default: self = .other
        }
    }
}
#endif
