// SPDX-License-Identifier: Apache-2.0

// Every number that bounds the HTTP/1.1 readers.

import FlowModel

/// The bounds of the HTTP/1.1 readers.
enum HTTP1Limits {
    static let head = Limit(
        "http1.head", 64 << 10, .bytes, metric: "http1_head_limit_total",
        "A head, or a trailer section: four times what common servers take; beyond it the message is refused.")

    static let line = Limit(
        "http1.line", 16 << 10, .bytes, metric: "http1_line_limit_total",
        "One line of a head: twice what common servers take; beyond it the message is refused.")

    static let fields = Limit(
        "http1.fields", 256, .count, metric: "http1_fields_limit_total",
        "Fields in a head: ten times what browsers send; beyond it the message is refused.")

    static let method = Limit(
        "http1.method", 32, .bytes, metric: "http1_method_limit_total",
        "A method: the longest registered one has 17 bytes; beyond it the request is refused or is not HTTP.")

    static let chunkLine = Limit(
        "http1.chunk-line", 4 << 10, .bytes, metric: "http1_chunk_line_limit_total",
        "A chunk-size line with its extensions, which nobody uses in earnest; beyond it the message is refused.")

    static let chunkExtensions = Limit(
        "http1.chunk-extensions", 16 << 10, .bytes, metric: "http1_chunk_extensions_limit_total",
        "Extensions of all chunks of a message (RFC 9112 section 7.1.1 asks for a bound); beyond it, refused.")

    static let classify = Limit(
        "http1.classify", 16 << 10, .bytes, metric: "http1_classify_limit_total",
        "Bytes looked at to tell HTTP from other protocols: as many as a request line may have.")

    static let all = [head, line, fields, method, chunkLine, chunkExtensions, classify]
}
