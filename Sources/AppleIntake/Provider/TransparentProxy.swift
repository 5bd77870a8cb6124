// SPDX-License-Identifier: Apache-2.0

// The provider class: Apple's entry points, each handed on at once.

internal import Foundation
public import NetworkExtension

/// Weir as a transparent proxy provider; the program derives its principal class from this one.
open class TransparentProxy: NETransparentProxyProvider {
    /// Makes what the provider works with; called once for each start, off the provider's queue.
    ///
    /// Throws what keeps it from starting; the system is told so.
    open func makeServices() async throws -> ProviderServices { throw CocoaError(.featureUnsupported) }
}
