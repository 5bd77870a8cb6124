// SPDX-License-Identifier: Apache-2.0

// A deployment as a configuration profile, the form in which device management brings it to Macs.

internal import Foundation

extension MacDeployment {
    /// The profile as an XML property list, the same for the same deployment.
    ///
    /// Keys and values are those of Apple's device management schema (github.com/apple/device-management,
    /// `mdm/profiles`). The rules of the proxy are not in it: the system takes them from the provider alone.
    public var profile: String {
        get throws {
            let top: [String: Any] = [
                "PayloadType": "Configuration", "PayloadVersion": 1, "PayloadIdentifier": identifier,
                "PayloadUUID": Self.uuid(identifier), "PayloadDisplayName": "Weir",
                "PayloadOrganization": organisation, "PayloadScope": "System", "PayloadRemovalDisallowed": true,
                "PayloadDescription":
                    "Allows Weir's network extension, runs it as a transparent proxy, and trusts what it needs.",
                "PayloadContent": payloads,
            ]
            let data = try PropertyListSerialization.data(fromPropertyList: top, format: .xml, options: 0)
            return String(decoding: data, as: UTF8.self)
        }
    }

    private var payloads: [[String: Any]] {
        var payloads = [
            payload("com.apple.system-extension-policy", "extension", extensionPolicy),
            payload("com.apple.vpn.managed", "proxy", proxy),
        ]
        if !keepsPrivateRelay {
            payloads.append(payload("com.apple.applicationaccess", "private-relay", ["allowCloudPrivateRelay": false]))
        }
        if let authority {
            payloads.append(
                payload(
                    "com.apple.security.root", "authority",
                    ["PayloadContent": Data(authority), "PayloadCertificateFileName": "authority.cer"]))
        }
        return payloads
    }

    private var extensionPolicy: [String: Any] {
        let own = [team: [provider]]
        var keys: [String: Any] = [
            "AllowedSystemExtensions": own, "AllowedSystemExtensionTypes": [team: ["NetworkExtension"]],
        ]
        switch protection {
        case .none: break
        case .interface:
            keys["NonRemovableFromUISystemExtensions"] = own
            keys["RemovableSystemExtensions"] = own
        // The schema forbids the same extension among the removable ones.
        case .all: keys["NonRemovableSystemExtensions"] = own
        }
        return keys
    }

    private var proxy: [String: Any] {
        var keys: [String: Any] = [
            "AuthenticationMethod": "Password",
            // The default would be a packet tunnel.
            "ProviderType": "app-proxy", "ProviderBundleIdentifier": provider,
            "ProviderDesignatedRequirement": designatedRequirement,
            // So that it runs before anybody logs in, and again when it has ended.
            "OnDemandEnabled": 1, "OnDemandRules": [["Action": "Connect"]],
        ]
        if let order { keys["Order"] = order }
        return [
            "UserDefinedName": "Weir", "VPNType": "TransparentProxy", "VPNSubType": app, "TransparentProxy": keys,
            "VendorConfig": ["policy": policy],
        ]
    }

    private func payload(_ type: String, _ name: String, _ keys: [String: Any]) -> [String: Any] {
        let own: [String: Any] = [
            "PayloadType": type, "PayloadVersion": 1, "PayloadIdentifier": "\(identifier).\(name)",
            "PayloadUUID": Self.uuid("\(identifier).\(name)"), "PayloadDisplayName": "Weir: \(name)",
        ]
        return own.merging(keys) { _, key in key }
    }

    /// A UUID that is the same for the same name, so that a new profile replaces the old one's payloads.
    ///
    /// Of version 8 (RFC 9562 section 5.8): its bits are a 128-bit FNV-1a hash. It has to be unique within a profile
    /// and is no secret.
    private static func uuid(_ name: String) -> String {
        var (high, low): (UInt64, UInt64) = (0x6c62_272e_07bb_0142, 0x62b8_2175_6295_c58d)
        for byte in name.utf8 {
            low ^= UInt64(byte)
            // Times the FNV prime 2^88 + 0x13b.
            let product = low.multipliedFullWidth(by: 0x13b)
            high = high &* 0x13b &+ product.high &+ low << 24
            low = product.low
        }
        high = high & 0xffff_ffff_ffff_0fff | 0x8000
        low = low & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000
        let digits = (Self.hexadecimal(high) + Self.hexadecimal(low)).map { String($0) }
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { digits[$0].joined() }.joined(separator: "-")
    }

    private static func hexadecimal(_ word: UInt64) -> String {
        let digits = String(word, radix: 16, uppercase: true)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
