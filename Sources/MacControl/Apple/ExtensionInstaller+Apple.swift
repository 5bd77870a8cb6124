// SPDX-License-Identifier: Apache-2.0

// Requests to the system to install and remove the extension.

#if canImport(Darwin)
internal import Dispatch
internal import Foundation
internal import Synchronization
internal import SystemExtensions

/// The system's installer, for the extension of this product.
public struct SystemExtensionInstaller: ExtensionInstaller {
    private let identifier: String

    public init(names: ProductNames) { identifier = names.provider }

    public func activate(
        awaitsApproval: @escaping @Sendable () -> Void
    ) async throws(InstallFailure) -> InstallOutcome {
        try await ask(awaitsApproval) { .activationRequest(forExtensionWithIdentifier: $0, queue: $1) }.outcome
    }

    public func deactivate() async throws(InstallFailure) -> InstallOutcome {
        try await ask {
        } _: {
            .deactivationRequest(forExtensionWithIdentifier: $0, queue: $1)
        }.outcome
    }

    public func installed() async throws(InstallFailure) -> [InstalledExtension] {
        try await ask {
        } _: {
            .propertiesRequest(forExtensionWithIdentifier: $0, queue: $1)
        }.found
    }

    private func ask(
        _ awaitsApproval: @escaping @Sendable () -> Void,
        _ make: (String, DispatchQueue) -> OSSystemExtensionRequest
    ) async throws(InstallFailure) -> RequestDelegate.Answer {
        let queue = DispatchQueue(label: "weir.system-extension")
        let request = make(identifier, queue)
        let result = await withCheckedContinuation { continuation in
            let delegate = RequestDelegate(continuation, awaitsApproval)
            request.delegate = delegate
            OSSystemExtensionManager.shared.submitRequest(request)
            delegate.keep()
        }
        return try result.get()
    }
}

/// Hears how one request goes; the system does not keep it alive, so it keeps itself until the answer.
private final class RequestDelegate: NSObject, OSSystemExtensionRequestDelegate, Sendable {
    struct Answer: Sendable {
        var outcome = InstallOutcome.completed
        var found: [InstalledExtension] = []
    }

    private struct Open {
        var continuation: CheckedContinuation<Result<Answer, InstallFailure>, Never>?
        var itself: RequestDelegate?
        var found: [InstalledExtension] = []
    }

    private let open: Mutex<Open>
    private let awaitsApproval: @Sendable () -> Void

    init(
        _ continuation: CheckedContinuation<Result<Answer, InstallFailure>, Never>,
        _ awaitsApproval: @escaping @Sendable () -> Void
    ) {
        open = Mutex(Open(continuation: continuation))
        self.awaitsApproval = awaitsApproval
    }

    func keep() { open.withLock { if $0.continuation != nil { $0.itself = self } } }

    private func end(_ result: Result<InstallOutcome, InstallFailure>) {
        let ended = open.withLock { open in
            defer { open = Open() }
            return open
        }
        ended.continuation?.resume(returning: result.map { Answer(outcome: $0, found: ended.found) })
    }

    func request(
        _ request: OSSystemExtensionRequest, actionForReplacingExtension existing: OSSystemExtensionProperties,
        withExtension new: OSSystemExtensionProperties
    ) -> OSSystemExtensionRequest.ReplacementAction {
        switch Replacement.decide(existing: existing.bundleVersion, new: new.bundleVersion) {
        case .replace: .replace
        case .keep: .cancel
        }
    }

    func requestNeedsUserApproval(_ request: OSSystemExtensionRequest) { awaitsApproval() }

    func request(_ request: OSSystemExtensionRequest, foundProperties properties: [OSSystemExtensionProperties]) {
        let found = properties.map {
            InstalledExtension(
                build: $0.bundleVersion, isEnabled: $0.isEnabled, isAwaitingApproval: $0.isAwaitingUserApproval,
                isUninstalling: $0.isUninstalling)
        }
        open.withLock { $0.found = found }
        end(.success(.completed))
    }

    func request(
        _ request: OSSystemExtensionRequest, didFinishWithResult result: OSSystemExtensionRequest.Result
    ) { end(.success(result == .willCompleteAfterReboot ? .afterRestart : .completed)) }

    func request(_ request: OSSystemExtensionRequest, didFailWithError error: any Error) {
        let error = error as NSError
        end(.failure(InstallFailure(number: error.domain == OSSystemExtensionErrorDomain ? error.code : 1)))
    }
}
#endif
