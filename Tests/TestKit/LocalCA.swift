// SPDX-License-Identifier: Apache-2.0

// A certificate authority for one test run, made with the openssl program.

import Foundation

/// The certificates an origin may show; all but the first two are bad, each in one way.
public enum CertificateKind: String, Sendable, CaseIterable {
    case ec, rsa, expired, wrongName, selfSigned, weakKey

    public static let bad: [CertificateKind] = [.expired, .wrongName, .selfSigned, .weakKey]

    fileprivate var key: [String] {
        switch self {
        case .rsa: return ["rsa:2048"]
        case .weakKey: return ["rsa:1024"]
        case .ec, .expired, .wrongName, .selfSigned: return ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        }
    }
}

/// A root and one server certificate of each kind, for `origin.test`, `other.test` and `192.0.2.10`.
public struct LocalCA: Sendable {
    private let folder: TemporaryFolder

    /// PEM.
    public var root: String { folder("root.pem") }

    public func certificate(_ kind: CertificateKind) -> String { folder("\(kind).pem") }
    public func key(_ kind: CertificateKind) -> String { folder("\(kind).key") }

    public init() throws {
        folder = try TemporaryFolder()
        try folder.write(LocalCA.configuration, to: "ca.cnf")
        try folder.write("", to: "index.txt")
        try openssl(
            ["req", "-x509", "-newkey"] + CertificateKind.ec.key + ["-nodes", "-days", "3650"]
                + ["-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=Weir test root", "-extensions", "root"])
        for kind in CertificateKind.allCases { try issue(kind) }
    }

    public func remove() { folder.remove() }

    private func issue(_ kind: CertificateKind) throws {
        let extensions = kind == .wrongName ? "wrongName" : "leaf"
        let subject = ["-subj", "/CN=origin.test"]
        if kind == .selfSigned {
            try openssl(
                ["req", "-x509", "-newkey"] + kind.key + ["-nodes", "-days", "90", "-extensions", extensions]
                    + ["-keyout", "\(kind).key", "-out", "\(kind).pem"] + subject)
            return
        }
        try openssl(
            ["req", "-new", "-newkey"] + kind.key + ["-nodes", "-keyout", "\(kind).key", "-out", "\(kind).csr"]
                + subject)
        let validity =
            kind == .expired ? ["-startdate", "20240101000000Z", "-enddate", "20240601000000Z"] : ["-days", "90"]
        try openssl(
            ["ca", "-batch", "-notext", "-cert", "root.pem", "-keyfile", "root.key", "-extensions", extensions]
                + ["-in", "\(kind).csr", "-out", "\(kind).pem"] + validity)
    }

    private func openssl(_ arguments: [String]) throws {
        try Program("openssl", arguments, environment: ["OPENSSL_CONF": "ca.cnf"], folder: folder.path).succeed()
    }

    private static let configuration = """
        [ca]
        default_ca = main
        [main]
        new_certs_dir = .
        database = index.txt
        unique_subject = no
        rand_serial = yes
        default_md = sha256
        policy = any
        [any]
        commonName = supplied
        [req]
        distinguished_name = empty
        [empty]
        [root]
        basicConstraints = critical,CA:TRUE
        keyUsage = critical,keyCertSign,cRLSign
        subjectKeyIdentifier = hash
        [leaf]
        basicConstraints = critical,CA:FALSE
        keyUsage = critical,digitalSignature,keyEncipherment
        extendedKeyUsage = serverAuth
        subjectAltName = DNS:origin.test,DNS:other.test,IP:192.0.2.10
        [wrongName]
        basicConstraints = critical,CA:FALSE
        keyUsage = critical,digitalSignature,keyEncipherment
        extendedKeyUsage = serverAuth
        subjectAltName = DNS:elsewhere.test

        """
}
