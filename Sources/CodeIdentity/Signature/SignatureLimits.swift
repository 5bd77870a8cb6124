// SPDX-License-Identifier: Apache-2.0

// What bounds the reading of code signatures.

public import FlowModel

extension CodeIdentityLimits {
    public static let signatureBytes = Limit(
        "signature.bytes", 64 * 1024 * 1024, .bytes, metric: "limit_signature_bytes_total",
        "A signature in memory; SHA-1 and SHA-256 hashes of 4 KiB pages reach it at 5 GB. Beyond it the file is refused."
    )
    public static let signatureEntries = Limit(
        "signature.entries", 64, .count, metric: "limit_signature_entries_total",
        "Entries of a signature's index; eighteen have a meaning. Beyond it the signature is refused.")
    public static let scatterEntries = Limit(
        "signature.scatter", 1024, .count, metric: "limit_signature_scatter_total",
        "Entries of a scatter vector; none has been met in years. Beyond it the directory is refused.")
    public static let pageCheckChunk = Limit(
        "signature.page-check-chunk", 1024 * 1024, .bytes, metric: "limit_page_check_chunk_total",
        "Bytes of a program in memory while its pages are hashed; larger reads are not faster.")

    static let signature: [Limit] = [signatureBytes, signatureEntries, scatterEntries, pageCheckChunk]
}
