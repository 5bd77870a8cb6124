// SPDX-License-Identifier: Apache-2.0

// A flow of the system, on its way from the provider's queue to the loop it will live on.

internal import NetworkExtension

/// Carries a flow across threads.
///
/// The SDK does not call the class `Sendable`, but documents it as safe on any thread; each of its completions says on
/// which it comes (the provider's queue).
struct SystemFlow<Flow: NEAppProxyFlow>: @unchecked Sendable {
    let flow: Flow

    init(_ flow: Flow) { self.flow = flow }
}
