// SPDX-License-Identifier: Apache-2.0

// Looks for CMS signatures that trap the reader or the verifier, or that hold although nobody made them.

import CodeIdentity

/// What the seeds' signers signed, with its SHA-256.
private let code: SignedDirectories? = {
    let digest: [UInt8] = [
        0x41, 0xEC, 0xCB, 0xEF, 0xA2, 0xB8, 0xB2, 0x1D, 0xC8, 0x5C, 0x4E, 0x1C, 0x77, 0xB1, 0x96, 0x1B, 0xB6, 0xD7,
        0x57,
        0x8A, 0x3E, 0xE2, 0x4F, 0xF8, 0x53, 0xC5, 0x1A, 0x0F, 0x20, 0x15, 0x1C, 0xD1,
    ]
    guard let cdhash = CDHash(digest.prefix(20)) else { return nil }
    return SignedDirectories(
        slotZero: Array("a code directory".utf8),
        digests: [DirectoryDigest(slot: 0, hashType: .sha256, full: digest, cdhash: cdhash)],
        team: Array("TEAM123456".utf8), flags: [])
}()

/// When they signed it: 2025-01-01 00:00:00 UTC.
private let signedAt: Int64 = 1_735_689_600

private let verifier = CMSVerifier()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let code, let signature = try? CMSSignature.read(input) else { return 0 }
    let proof = verifier.verify(signature, over: code, now: signedAt)
    // A crash is how libFuzzer learns of a failing case.
    guard let again = try? CMSSignature.read(input), again == signature,
        verifier.verify(again, over: code, now: signedAt) == proof
    else { fatalError("read differently the second time") }
    // Apple signed none of the seeds, and nobody can sign for Apple here.
    guard !proof.anchoredAtApple, proof.team != .proved else { fatalError("the chain is taken for Apple's") }
    guard !proof.isValid || proof.signingTime == signedAt else { fatalError("what was not signed is taken for signed") }
    guard (proof.signerClass == nil) == !proof.isValid else { fatalError("a signer of a signature that does not hold") }
    guard proof.isValid || proof.secureTimestamp == nil || proof.timestamp == .proved else {
        fatalError("a time that nobody proved")
    }
    return 0
}
