// SPDX-License-Identifier: Apache-2.0

// Errors in both directions: what an application shall see, and what a flow's error means.

internal import FlowEngine
internal import NetworkExtension

extension NEAppProxyFlow {
    /// Closes a claimed flow so that the application's connect, or its next call, fails with this.
    func refuse(_ failure: ConnectFailure) {
        closeReadWithError(nil)
        closeWriteWithError(nil)
    }
}
