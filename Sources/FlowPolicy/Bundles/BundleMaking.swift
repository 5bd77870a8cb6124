// SPDX-License-Identifier: Apache-2.0

// Makes bundles.

extension PolicyBundle {
    /// The bytes of a bundle of these files, the policy document first.
    ///
    /// `version` must be above that of every bundle of this name that machines have; `created` is a day such as
    /// `2026-11-24`. Only the frame is checked, not that the document is a good policy.
    public static func make(
        name: String, version: Int, created: String, files: [(path: String, text: String)],
        signedWith signer: BundleSigningKey
    ) throws(BundleProblem) -> [UInt8] {
        let bodies = files.map { Array($0.text.utf8) }
        let manifest = BundleManifest(
            key: signer.publicKey, name: name, version: version, created: created,
            files: zip(files, bodies).map { file, body in
                BundleManifest.File(path: file.path, bytes: body.count, sha256: BundleManifest.sha256(body))
            })
        try manifest.check()
        let lines = Array(manifest.text.utf8)
        guard let signature = signer.signature(over: Array(heading.utf8) + lines) else {
            throw BundleProblem(.badSignature, "the key cannot sign: make a new one with `weir policy bundle keygen`")
        }
        let bytes =
            Array("\(heading)signature \(Base64Text.text(signature))\n".utf8) + lines + bodies.joined()
        // What is made here is read elsewhere: sizes are judged by the reader alone.
        _ = try read(bytes, trusting: [signer.publicKey])
        return bytes
    }
}
