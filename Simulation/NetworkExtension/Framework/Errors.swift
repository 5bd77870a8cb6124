// SPDX-License-Identifier: Apache-2.0

// The errors of a flow and of a configuration, by Apple's numbers.

public import Foundation

/// The domain in which flows report errors (NEAppProxyFlow.h: the constant's value differs from its name).
public let NEAppProxyErrorDomain = "NEAppProxyFlowErrorDomain"

/// An error of a flow, as NetworkExtension's `NEAppProxyFlowError`.
public struct NEAppProxyFlowError: Error, CustomNSError, Hashable, Sendable {
    /// The codes of NEAppProxyFlow.h.
    public enum Code: Int, Sendable, CaseIterable {
        case notConnected = 1
        case peerReset = 2
        case hostUnreachable = 3
        case invalidArgument = 4
        case aborted = 5
        case refused = 6
        case timedOut = 7
        case `internal` = 8
        case datagramTooLarge = 9
        case readAlreadyPending = 10
    }

    public let code: Code

    public init(_ code: Code) { self.code = code }

    public static var errorDomain: String { NEAppProxyErrorDomain }
    public var errorCode: Int { code.rawValue }
    public var errorUserInfo: [String: Any] { [:] }
}

/// Why a provider is stopped (NEProvider.h).
public enum NEProviderStopReason: Int, Sendable, CaseIterable {
    case none = 0
    case userInitiated = 1
    case providerFailed = 2
    case noNetworkAvailable = 3
    case unrecoverableNetworkChange = 4
    case providerDisabled = 5
    case authenticationCanceled = 6
    case configurationFailed = 7
    case idleTimeout = 8
    case configurationDisabled = 9
    case configurationRemoved = 10
    case superceded = 11
    case userLogout = 12
    case userSwitch = 13
    case connectionFailed = 14
    case sleep = 15
    case appUpdate = 16
    case internalError = 17
}

/// An error of the settings of a tunnel or proxy (NETunnelProvider.h).
public struct NETunnelProviderError: Error, CustomNSError, Hashable, Sendable {
    public enum Code: Int, Sendable {
        case networkSettingsInvalid = 1
        case networkSettingsCanceled = 2
        case networkSettingsFailed = 3
    }

    public let code: Code
    public let explanation: String

    public init(_ code: Code, _ explanation: String = "") {
        self.code = code
        self.explanation = explanation
    }

    public static var errorDomain: String { "NETunnelProviderErrorDomain" }
    public var errorCode: Int { code.rawValue }
    public var errorUserInfo: [String: Any] { [NSLocalizedDescriptionKey: explanation] }
}
