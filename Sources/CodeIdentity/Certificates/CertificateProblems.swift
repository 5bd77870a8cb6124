// SPDX-License-Identifier: Apache-2.0

// What can be wrong with certificates, CMS signatures and what they prove.

extension CodeProblem.Code {
    /// The bytes are not a certificate that RFC 5280 describes.
    public static let certificateMalformed = Self("certificate-malformed")
    /// The bytes are not a CMS signature that RFC 5652 describes.
    public static let cmsMalformed = Self("cms-malformed")
    /// A form or an algorithm that no code signature uses.
    public static let cmsUnsupported = Self("cms-unsupported")
    /// There is not exactly one signer, and nothing says which of them counts.
    public static let cmsSignerCount = Self("cms-signer-count")
    /// An attribute stands twice, or has another number of values than it may have.
    public static let cmsAttributeRepeated = Self("cms-attribute-repeated")
    /// An attribute is missing without which the signature says nothing.
    public static let cmsAttributeMissing = Self("cms-attribute-missing")
    /// The signer names a certificate that is not there.
    public static let cmsSignerUnknown = Self("cms-signer-unknown")
    /// The signature is over other content.
    public static let cmsDigestMismatch = Self("cms-digest-mismatch")
    /// The signature is not one by the signer's key.
    public static let cmsSignatureWrong = Self("cms-signature-wrong")
    /// The digest is SHA-1: accepted as Apple accepts it, and reported.
    public static let cmsWeakDigest = Self("cms-weak-digest")
    /// The signed list of code directories is not the list in the file.
    public static let agilityMismatch = Self("agility-mismatch")
    /// There are alternate code directories and nothing signed names them.
    public static let agilityMissing = Self("agility-missing")
    /// No path leads from the signer to a self-signed certificate.
    public static let chainIncomplete = Self("chain-incomplete")
    /// A certificate is not signed by the key of the one that it names as its issuer.
    public static let chainSignatureWrong = Self("chain-signature-wrong")
    /// A key or an algorithm that cannot be checked: RSA under 2048 bits, an unknown curve, SHA-1 of our days.
    public static let chainUnsupported = Self("chain-unsupported")
    /// A certificate issued another although its constraints forbid it.
    public static let chainConstraint = Self("chain-constraint")
    /// The signer's certificate is not made for this use.
    public static let chainUsage = Self("chain-usage")
    /// A critical extension that Weir does not understand.
    public static let chainCriticalExtension = Self("chain-critical-extension")
    /// A certificate is not valid at the time that counts.
    public static let chainValidity = Self("chain-validity")
    /// The timestamp is for another signature.
    public static let timestampImprint = Self("timestamp-imprint")
    /// Code with a chain to Apple bears a timestamp without one.
    public static let timestampAnchor = Self("timestamp-anchor")
    /// The team in the code directory is not the one in the signer's certificate.
    public static let teamMismatch = Self("team-mismatch")
    /// The signer's certificate names two organisational units, of which readers take different ones for the team.
    public static let teamAmbiguous = Self("team-ambiguous")
}
