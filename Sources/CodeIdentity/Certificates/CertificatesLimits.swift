// SPDX-License-Identifier: Apache-2.0

// How much certificate and CMS material is read.

public import FlowModel

extension CodeIdentityLimits {
    public static let cmsBytes = Limit(
        "cms.bytes", 256 * 1024, .bytes, metric: "limit_cms_bytes_total",
        "A code signature with its chain and timestamp is about 9 KiB; a larger one than this is not read.")
    public static let cmsCertificates = Limit(
        "cms.certificates", 32, .count, metric: "limit_cms_certificates_total",
        "A signature brings three certificates and a timestamp three more; with more than this the signature is refused."
    )
    public static let cmsAttributes = Limit(
        "cms.attributes", 32, .count, metric: "limit_cms_attributes_total",
        "Five signed attributes are in use; a signer with more than this, or an attribute with more values, is refused."
    )
    public static let certificateBytes = Limit(
        "certificate.bytes", 16 * 1024, .bytes, metric: "limit_certificate_bytes_total",
        "Certificates for code are under 2 KiB; a larger one than this is not read and cannot be part of a chain.")
    public static let certificateItems = Limit(
        "certificate.items", 64, .count, metric: "limit_certificate_items_total",
        "Name attributes, extensions, policies or usages of one certificate; one with more of any is not read.")
    public static let chainLength = Limit(
        "chain.length", 8, .count, metric: "limit_chain_length_total",
        "Apple's chains are three long; a longer path than this is not followed.")
    public static let chainSignatureChecks = Limit(
        "chain.signature-checks", 64, .count, metric: "limit_chain_signature_checks_total",
        "Certificates with equal names multiply the paths; after this many public-key operations the chain is refused.")

    static let certificates: [Limit] = [
        cmsBytes, cmsCertificates, cmsAttributes, certificateBytes, certificateItems, chainLength,
        chainSignatureChecks,
    ]
}
