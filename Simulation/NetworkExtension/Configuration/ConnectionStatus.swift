// SPDX-License-Identifier: Apache-2.0

// The states, notices and errors of a configuration and its connection, by Apple's numbers.

public import Foundation

/// As NetworkExtension's `NEVPNStatus` (NEVPNConnection.h).
public enum NEVPNStatus: Int, Sendable, CaseIterable {
    case invalid = 0
    case disconnected = 1
    case connecting = 2
    case connected = 3
    case reasserting = 4
    case disconnecting = 5
}

extension NSNotification.Name {
    /// The status of the connection that is the notice's object has changed (NEVPNConnection.h).
    public static let NEVPNStatusDidChange = NSNotification.Name("com.apple.networkextension.statuschange")
    /// The preferences have changed; the object is a configuration (NEVPNManager.h).
    public static let NEVPNConfigurationChange = NSNotification.Name("com.apple.networkextension.configurationchange")
}

/// The domain of `NEVPNError` (NEVPNManager.h).
public let NEVPNErrorDomain = "NEVPNErrorDomain"

/// An error of a configuration, as NetworkExtension's `NEVPNError` (NEVPNManager.h).
public struct NEVPNError: Error, CustomNSError, Hashable, Sendable {
    public enum Code: Int, Sendable, CaseIterable {
        case configurationInvalid = 1
        case configurationDisabled = 2
        case connectionFailed = 3
        case configurationStale = 4
        case configurationReadWriteFailed = 5
        case configurationUnknown = 6
    }

    public let code: Code

    public init(_ code: Code) { self.code = code }

    public static var errorDomain: String { NEVPNErrorDomain }
    public static var configurationInvalid: Code { .configurationInvalid }
    public static var configurationDisabled: Code { .configurationDisabled }
    public static var connectionFailed: Code { .connectionFailed }
    public static var configurationStale: Code { .configurationStale }
    public static var configurationReadWriteFailed: Code { .configurationReadWriteFailed }
    public static var configurationUnknown: Code { .configurationUnknown }
    public var errorCode: Int { code.rawValue }
    public var errorUserInfo: [String: Any] { [:] }
}

/// The domain of the errors by which a connection ended (NEVPNConnection.h).
public let NEVPNConnectionErrorDomain = "NEVPNConnectionErrorDomain"

/// Why a connection ended, as NetworkExtension's `NEVPNConnectionError` (NEVPNConnection.h); comes as an `NSError`.
public enum NEVPNConnectionError: Int, Sendable, CaseIterable {
    case overslept = 1
    case noNetworkAvailable = 2
    case unrecoverableNetworkChange = 3
    case configurationFailed = 4
    case serverAddressResolutionFailed = 5
    case serverNotResponding = 6
    case serverDead = 7
    case authenticationFailed = 8
    case clientCertificateInvalid = 9
    case clientCertificateNotYetValid = 10
    case clientCertificateExpired = 11
    case pluginFailed = 12
    case configurationNotFound = 13
    case pluginDisabled = 14
    case negotiationFailed = 15
    case serverDisconnected = 16
    case serverCertificateInvalid = 17
    case serverCertificateNotYetValid = 18
    case serverCertificateExpired = 19
}
