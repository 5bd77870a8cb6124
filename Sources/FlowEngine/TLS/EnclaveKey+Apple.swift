// SPDX-License-Identifier: Apache-2.0

// Keys of the Secure Enclave; everywhere else there are none.

internal import X509

#if canImport(Darwin)
internal import Crypto
internal import Foundation
internal import Security

enum EnclaveKey {
    /// Usable by a daemon before anybody logs in, as far as the system allows it after the first unlock.
    static func make() throws -> (key: Certificate.PrivateKey, sealed: [UInt8]) {
        guard
            let access = SecAccessControlCreateWithFlags(
                nil, kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly, .privateKeyUsage, nil)
        else { throw CocoaError(.featureUnsupported) }
        let key = try SecureEnclave.P256.Signing.PrivateKey(accessControl: access)
        return (Certificate.PrivateKey(key), Array(key.dataRepresentation))
    }

    static func open(_ sealed: [UInt8]) throws -> Certificate.PrivateKey {
        Certificate.PrivateKey(try SecureEnclave.P256.Signing.PrivateKey(dataRepresentation: Data(sealed)))
    }
}
#else
enum EnclaveKey {
    struct Unavailable: Error {}

    static func make() throws -> (key: Certificate.PrivateKey, sealed: [UInt8]) { throw Unavailable() }
    static func open(_ sealed: [UInt8]) throws -> Certificate.PrivateKey { throw Unavailable() }
}
#endif
