// SPDX-License-Identifier: Apache-2.0

// The digests that code directories use.

import Crypto

extension CodeHashType {
    /// The digest of some bytes, not cut: 20, 32 or 48 bytes.
    func fullDigest(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        switch self {
        case .sha1: Array(Insecure.SHA1.hash(data: bytes))
        case .sha256, .sha256Truncated: Array(SHA256.hash(data: bytes))
        case .sha384: Array(SHA384.hash(data: bytes))
        }
    }

    /// The digest as it stands in a slot: `size` bytes.
    func slotDigest(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> { fullDigest(bytes).prefix(size) }
}
