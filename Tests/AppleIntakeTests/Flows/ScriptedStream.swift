// SPDX-License-Identifier: Apache-2.0

// The system's side of a TCP flow that does what a test says, and complains of what the system would not accept.

import Foundation
import NIOCore
import NetworkSimulation

@testable import NetworkExtension

/// A flow whose completions the test calls.
// Used on one thread: the loops of these tests run only when the test says so, on its own thread,
// and nothing else calls the flow.
final class ScriptedStream: KernelStream, @unchecked Sendable {
    struct Write {
        let data: Data
        let done: @Sendable ((any Error)?) -> Void
    }

    var interface: NWInterface?
    private(set) var opens = 0
    var opening: (((any Error)?) -> Void)?
    /// The read that is outstanding; kept for ever when the test does not answer it.
    var read: ((Data?, (any Error)?) -> Void)?
    private(set) var reads = 0
    private(set) var writes: [Write] = []
    private(set) var written = Data()
    private(set) var readCloses: [(any Error)?] = []
    private(set) var writeCloses: [(any Error)?] = []
    /// What the system would have refused.
    private(set) var faults: [String] = []

    func open(_ local: NWEndpoint?, _ done: @escaping ((any Error)?) -> Void) {
        opens += 1
        if local != nil { faults.append("open with a local endpoint") }
        opening = done
    }

    func read(_ done: @escaping (Data?, (any Error)?) -> Void) {
        if read != nil { faults.append("read while one is pending") }
        reads += 1
        read = done
    }

    func write(_ data: Data, _ done: @escaping @Sendable ((any Error)?) -> Void) {
        if data.isEmpty { faults.append("empty write") }
        if !writeCloses.isEmpty { faults.append("write after the end") }
        writes.append(Write(data: data, done: done))
    }

    func closeRead(_ error: (any Error)?) { readCloses.append(error) }
    func closeWrite(_ error: (any Error)?) { writeCloses.append(error) }

    /// Answers the read that is outstanding.
    func deliver(_ data: Data?, _ error: (any Error)? = nil) {
        guard let done = read else { return }
        read = nil
        done(data, error)
    }

    func deliver(_ text: String) { deliver(Data(text.utf8)) }

    /// Answers the oldest write.
    func take(_ error: (any Error)? = nil) {
        guard !writes.isEmpty else { return }
        let write = writes.removeFirst()
        if error == nil { written += write.data }
        write.done(error)
    }

    var flow: NEAppProxyTCPFlow {
        NEAppProxyTCPFlow(
            metaData: NEFlowMetaData(token: nil, unique: Data(), identifier: "", filterFlow: nil),
            remoteHostname: nil, isBound: false, remote: .hostPort(host: "192.0.2.1", port: 443), kernel: self)
    }
}

/// Writes down what a pipeline hears.
final class PipelineListener: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private(set) var heard: [String] = []
    private(set) var received = ByteBuffer()
    private(set) var errors: [any Error] = []
    /// What to do when it hears that.
    var reactions: [String: () -> Void] = [:]

    private func hear(_ what: String) {
        heard.append(what)
        reactions[what]?()
    }

    func channelActive(context: ChannelHandlerContext) { hear("active") }
    func channelInactive(context: ChannelHandlerContext) { hear("inactive") }
    func channelUnregistered(context: ChannelHandlerContext) { hear("unregistered") }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        received.writeImmutableBuffer(buffer)
        hear("read \(buffer.readableBytes)")
    }
    func channelReadComplete(context: ChannelHandlerContext) { hear("complete") }
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        hear(context.channel.isWritable ? "writable" : "unwritable")
    }
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) { hear("\(event)") }
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        errors.append(error)
        hear("error")
    }
}
