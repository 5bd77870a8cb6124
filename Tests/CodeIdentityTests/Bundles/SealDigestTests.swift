// SPDX-License-Identifier: Apache-2.0

// Hashing in pieces.

import Crypto
import FlowModel
import Testing

@testable import CodeIdentity

@Suite("SealDigest") struct SealDigestTests {
    @Test("The digest of the pieces is the digest of the whole", arguments: [-1, 0, 1])
    func pieces(_ more: Int) throws {
        let bytes = (0..<2 * CodeIdentityLimits.sealChunk.value + more).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let digests = try SealDigest.digests(of: MemoryBytes(bytes), by: CodeHashType.allCases)
        #expect(digests[.sha1] == Array(bytes.withUnsafeBytes { Self.hash(Insecure.SHA1(), $0) }))
        #expect(digests[.sha256] == Array(bytes.withUnsafeBytes { Self.hash(SHA256(), $0) }))
        #expect(digests[.sha256Truncated] == digests[.sha256].map { Array($0.prefix(20)) })
        #expect(digests[.sha384] == Array(bytes.withUnsafeBytes { Self.hash(SHA384(), $0) }))
    }

    @Test("Only what is asked for is computed; nothing at all has a digest too")
    func empty() throws {
        let digests = try SealDigest.digests(of: MemoryBytes([]), by: [.sha1])
        #expect(digests.count == 1)
        #expect(digests[.sha1].map { Hexadecimal.text($0) } == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
    }

    private static func hash<Hash: HashFunction>(_ function: Hash, _ bytes: UnsafeRawBufferPointer) -> Hash.Digest {
        var function = function
        function.update(bufferPointer: bytes)
        return function.finalize()
    }
}
