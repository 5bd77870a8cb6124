// SPDX-License-Identifier: Apache-2.0

// The app's end of XPC: carries bytes to the extension of one build.

#if canImport(Darwin)
public import Foundation
internal import Synchronization

/// A connection to an extension.
// NSXPCConnection may be used from any thread (its documentation), and the one property here is never written:
// `init` configures the connection before anybody else has it, and later it is only sent to and ended.
public final class ControlConnection: ControlWire, @unchecked Sendable {
    private let connection: NSXPCConnection

    public init(names: ProductNames, build: String) {
        connection = NSXPCConnection(machServiceName: names.serviceName(build: build))
        connection.remoteObjectInterface = NSXPCInterface(with: (any ControlExchange).self)
        connection.setCodeSigningRequirement(names.extensionRequirement)
        connection.activate()
    }

    public func exchange(_ bytes: Data) async throws -> Data {
        try await withCheckedThrowingContinuation { continuation in
            let answer = Answer(continuation)
            let remote = connection.remoteObjectProxyWithErrorHandler { answer.give(.failure($0)) }
            guard let remote = remote as? any ControlExchange else {
                return answer.give(.failure(CocoaError(.featureUnsupported)))
            }
            remote.exchange(bytes) { answer.give(.success($0)) }
        }
    }

    public func close() { connection.invalidate() }
}

/// Resumes once, whatever XPC does.
private final class Answer: Sendable {
    private let continuation: Mutex<CheckedContinuation<Data, any Error>?>

    init(_ continuation: CheckedContinuation<Data, any Error>) { self.continuation = Mutex(continuation) }

    func give(_ result: Result<Data, any Error>) { continuation.withLock { $0.take() }?.resume(with: result) }
}
#endif
