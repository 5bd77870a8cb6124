// SPDX-License-Identifier: Apache-2.0

// Fetches certificate revocation answers over plain HTTP: one request, one bounded answer, no redirect.

public import FlowEngine
import FlowModel
public import NIOCore
import NIOPosix

/// A fetcher of revocation lists and OCSP answers.
///
/// It speaks HTTP/1.0, so that the answer ends with the connection and is never chunked.
public struct PlainHTTPFetcher: RevocationFetcher {
    /// Why an answer could not be had; the caller goes on without one.
    public enum Failure: Error { case badURL, badAnswer, tooLarge, timedOut }

    private let group: any EventLoopGroup

    public init(group: any EventLoopGroup) { self.group = group }

    public func fetch(_ request: RevocationRequest) async throws -> [UInt8] {
        guard let (endpoint, target) = Self.parse(request.url) else { throw Failure.badURL }
        let loop = group.next()
        let answered = loop.makePromise(of: [UInt8].self)
        var head = request.body == nil ? "GET" : "POST"
        head += " \(target) HTTP/1.0\r\nHost: \(endpoint)\r\nAccept: */*\r\nConnection: close\r\n"
        if let body = request.body {
            head += "Content-Type: application/ocsp-request\r\nContent-Length: \(body.count)\r\n"
        }
        var message = ByteBuffer(string: head + "\r\n")
        message.writeBytes(request.body ?? [])
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: loop)
                .connectTimeout(.milliseconds(Int64(request.deadline.value)))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let reader = PlainHTTPAnswerReader(limit: request.size.value, answered: answered)
                        try channel.pipeline.syncOperations.addHandler(reader)
                    }
                }
                .connect(host: endpoint.host.description, port: Int(endpoint.port)).get()
        } catch {
            answered.fail(error)
            throw error
        }
        loop.scheduleTask(in: .milliseconds(Int64(request.deadline.value))) {
            answered.fail(Failure.timedOut)
            channel.close(promise: nil)
        }
        channel.writeAndFlush(message, promise: nil)
        return try await answered.futureResult.get()
    }

    /// Splits `http://host[:port]/target`; nil for everything else.
    private static func parse(_ url: String) -> (Endpoint, String)? {
        guard url.lowercased().hasPrefix("http://"), url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
        let rest = url.dropFirst(7)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        guard let endpoint = Endpoint(rest[..<slash], defaultPort: 80) else { return nil }
        return (endpoint, slash == rest.endIndex ? "/" : String(rest[slash...]))
    }
}

/// Collects an answer until the connection ends.
private final class PlainHTTPAnswerReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let limit: Int
    private let answered: EventLoopPromise<[UInt8]>
    private var bytes: [UInt8] = []

    init(limit: Int, answered: EventLoopPromise<[UInt8]>) {
        self.limit = limit
        self.answered = answered
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        bytes.append(contentsOf: unwrapInboundIn(data).readableBytesView)
        // The head may take some room beside the body.
        if bytes.count > limit + 16 * 1024 {
            answered.fail(PlainHTTPFetcher.Failure.tooLarge)
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        guard let body = Self.body(of: bytes) else { return answered.fail(PlainHTTPFetcher.Failure.badAnswer) }
        answered.succeed(body)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answered.fail(error)
        context.close(promise: nil)
    }

    /// The body of a whole answer with status 200; nil otherwise.
    static func body(of bytes: [UInt8]) -> [UInt8]? {
        let end: [UInt8] = [13, 10, 13, 10]
        guard bytes.count >= 12, bytes.starts(with: Array("HTTP/1.".utf8)), Array(bytes[8..<12]) == Array(" 200".utf8),
            let headEnd = bytes.indices.dropLast(3).first(where: { Array(bytes[$0..<$0 + 4]) == end })
        else { return nil }
        let body = Array(bytes[(headEnd + 4)...])
        let head = String(decoding: bytes[..<headEnd], as: UTF8.self).lowercased()
        if head.contains("transfer-encoding:") { return nil }
        for line in head.split(separator: "\r\n") where line.hasPrefix("content-length:") {
            let length = Int(line.dropFirst(15).filter { $0 != " " })
            guard length == body.count else { return nil }
        }
        return body
    }
}
