// SPDX-License-Identifier: Apache-2.0

// Hashes a file by several algorithms in one pass.

import Crypto
import FlowModel

enum SealDigest {
    /// The digests of the whole source, read once, in pieces.
    static func digests(
        of source: any ByteSource, by types: some Collection<CodeHashType>
    ) throws(CodeProblem) -> [CodeHashType: [UInt8]] {
        var sha1 = types.contains(.sha1) ? Insecure.SHA1() : nil
        var sha256 = types.contains(.sha256) || types.contains(.sha256Truncated) ? SHA256() : nil
        var sha384 = types.contains(.sha384) ? SHA384() : nil
        let chunk = UInt64(CodeIdentityLimits.sealChunk.value)
        var offset: UInt64 = 0
        while offset < source.count {
            let piece = try source.read(at: offset, count: Int(min(chunk, source.count - offset)))
            offset += UInt64(piece.count)
            piece.withUnsafeBytes { bytes in
                sha1?.update(bufferPointer: bytes)
                sha256?.update(bufferPointer: bytes)
                sha384?.update(bufferPointer: bytes)
            }
        }
        var digests: [CodeHashType: [UInt8]] = [:]
        for type in types {
            digests[type] =
                switch type {
                case .sha1: sha1.map { Array($0.finalize()) }
                case .sha256: sha256.map { Array($0.finalize()) }
                case .sha256Truncated: sha256.map { Array($0.finalize().prefix(20)) }
                case .sha384: sha384.map { Array($0.finalize()) }
                }
        }
        return digests
    }
}
