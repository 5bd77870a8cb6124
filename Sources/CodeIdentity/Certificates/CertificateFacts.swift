// SPDX-License-Identifier: Apache-2.0

// What a requirement may ask of a certificate: read from its DER, not proved by it.

/// The facts of one certificate that requirements, team rules and reports look at.
///
/// Object identifiers are DER content octets without tag and length, as requirements hold them.
public struct CertificateFacts: Hashable, Sendable {
    /// One attribute of a distinguished name.
    public struct Attribute: Hashable, Sendable {
        public let type: [UInt8]
        /// The octets of the value's string, whatever its string type.
        public let value: [UInt8]

        public init(type: [UInt8], value: [UInt8]) {
            self.type = type
            self.value = value
        }
    }

    /// One extension.
    public struct Extension: Hashable, Sendable {
        public let identifier: [UInt8]
        public let critical: Bool
        /// The content of extnValue's OCTET STRING.
        public let value: [UInt8]

        public init(identifier: [UInt8], critical: Bool, value: [UInt8]) {
            self.identifier = identifier
            self.critical = critical
            self.value = value
        }
    }

    /// The certificate itself.
    public let der: [UInt8]
    /// SHA-1 of `der`, 20 bytes: what `certificate S = H"…"` compares.
    public let sha1: [UInt8]
    /// SHA-256 of `der`, 32 bytes: what `anchor apple generic` compares.
    public let sha256: [UInt8]
    /// The DER of the subject name and of the issuer name.
    public let subjectDER: [UInt8]
    public let issuerDER: [UInt8]
    /// The content octets of the serial number.
    public let serialNumber: [UInt8]
    /// The subject's attributes in the order of the certificate.
    public let subject: [Attribute]
    public let extensions: [Extension]
    /// The identifiers in certificatePolicies.
    public let policies: [[UInt8]]
    /// The identifiers in extKeyUsage; nil when the certificate has none.
    public let extendedKeyUsages: [[UInt8]]?
    /// Seconds since 1970-01-01 UTC.
    public let notBefore: Int64
    public let notAfter: Int64

    public init(
        der: [UInt8], sha1: [UInt8], sha256: [UInt8], subjectDER: [UInt8], issuerDER: [UInt8], serialNumber: [UInt8],
        subject: [Attribute], extensions: [Extension], policies: [[UInt8]], extendedKeyUsages: [[UInt8]]?,
        notBefore: Int64, notAfter: Int64
    ) {
        self.der = der
        self.sha1 = sha1
        self.sha256 = sha256
        self.subjectDER = subjectDER
        self.issuerDER = issuerDER
        self.serialNumber = serialNumber
        self.subject = subject
        self.extensions = extensions
        self.policies = policies
        self.extendedKeyUsages = extendedKeyUsages
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    /// The extension of this identifier.
    public func `extension`(_ identifier: [UInt8]) -> Extension? {
        extensions.first { $0.identifier == identifier }
    }
}
