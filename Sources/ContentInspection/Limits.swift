// SPDX-License-Identifier: Apache-2.0

// Every number that bounds content inspection.

public import FlowModel

/// The bounds of content inspection.
public enum ContentLimits {
    /// All of them, for documents and metrics.
    public static let all = [
        lookBehind, privateKey, privateKeyLabel, privateKeyPreamble, emailLocalPart, emailDomain, textCheck, partHead,
        boundary, codings, decodedStep, expansionFree, expansionRatio,
    ]

    public static let lookBehind = Limit(
        "content.look-behind", 96, .bytes, metric: "content_look_behind_total",
        "Bytes kept behind the cursor: enough for the longest local part and for the words beside a card number.")
    public static let privateKey = Limit(
        "content.private-key", 65_536, .bytes, metric: "content_private_key_capped_total",
        "Four times a 16,384-bit RSA key; what runs on longer is not one key, and masking ends there.")
    static let privateKeyLabel = Limit(
        "content.private-key-label", 48, .bytes, metric: "content_private_key_label_total",
        "The longest label in use has 27 bytes; a longer one is no PEM label.")
    static let privateKeyPreamble = Limit(
        "content.private-key-preamble", 32, .bytes, metric: "content_private_key_preamble_total",
        "Line breaks and quotes, however escaped, between a BEGIN line and the key; more means it is only mentioned.")
    static let emailLocalPart = Limit(
        "content.email-local-part", 64, .bytes, metric: "content_email_local_part_total",
        "RFC 5321 section 4.5.3.1.1.")
    static let emailDomain = Limit(
        "content.email-domain", 253, .bytes, metric: "content_email_domain_total", "RFC 1035 section 2.3.4.")
    public static let textCheck = Limit(
        "content.text-check", 1_024, .bytes, metric: "content_text_check_total",
        "Binary formats show a NUL or invalid UTF-8 this early; a stray byte later must not end editing.")
    public static let partHead = Limit(
        "content.part-head", 8_192, .bytes, metric: "content_part_head_total",
        "The head of one multipart part; a part with a longer one is reported, not edited.")
    public static let boundary = Limit(
        "content.boundary", 70, .bytes, metric: "content_boundary_total", "RFC 2046 section 5.1.1.")
    public static let codings = Limit(
        "content.codings", 3, .count, metric: "content_codings_total",
        "Content codings on top of each other; real ones use one.")
    public static let decodedStep = Limit(
        "content.decoded-step", 65_536, .bytes, metric: "content_decoded_step_total",
        "Decoded bytes of one call, so that the caller can stop a small input that grows large.")
    public static let expansionFree = Limit(
        "content.expansion-free", 1_048_576, .bytes, metric: "content_expansion_free_total",
        "Decoded bytes before the expansion ratio counts: short and regular bodies compress very well.")
    public static let expansionRatio = Limit(
        "content.expansion-ratio", 100, .count, metric: "content_expansion_total",
        "Decoded bytes for each coded byte; text stays below 20, deflate's ceiling is 1,032.")
}
