// SPDX-License-Identifier: Apache-2.0

// Makes the programs of a command trust Weir's authority, without touching the machine.

import FlowModel

/// The list of authorities that a command is given, and the variables that point to it.
///
/// Programs that ignore every variable are not reached: Java, GnuTLS (wget on Debian), NSS (Firefox, Chrome), pinned ones.
public enum ChildTrustEnvironment {
    /// Variables that name a file of PEM certificates, each with who reads it.
    ///
    /// Yarn's own is missing on purpose: some of its versions refuse to run when they see the other ones' (it reads Node's).
    static let variables = [
        "SSL_CERT_FILE",  // OpenSSL, Go, rustls-native-certs, .NET, Ruby, PHP
        "CURL_CA_BUNDLE",  // curl, Python requests
        "REQUESTS_CA_BUNDLE",  // Python requests
        "PIP_CERT",  // pip
        "HTTPLIB2_CA_CERTS",  // Python httplib2
        "AWS_CA_BUNDLE",  // AWS CLI, boto3
        "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",  // gcloud
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",  // gRPC
        "NODE_EXTRA_CA_CERTS",  // Node.js, npm, Bun
        "DENO_CERT",  // Deno
        "GIT_SSL_CAINFO",  // git
        "CARGO_HTTP_CAINFO",  // cargo
        "BUNDLE_SSL_CA_CERT",  // Ruby bundler
        "COMPOSER_CAFILE",  // PHP composer
        "HEX_CACERTS_PATH",  // Elixir and Erlang hex
        "JULIA_SSL_CA_ROOTS_PATH",  // Julia
        "NIX_SSL_CERT_FILE",  // Nix
        "PERL_LWP_SSL_CA_FILE",  // Perl LWP
    ]

    /// Where systems keep the authorities they trust: Debian, Fedora, openSUSE, Alpine and the BSDs.
    static let systemFiles = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    ]

    /// A list of authorities for a command.
    public struct Bundle: Hashable, Sendable {
        /// PEM: Weir's authority first, each certificate once.
        public let pem: [UInt8]
        /// The files whose certificates are in it.
        public let sources: [String]
        /// Files that the user's variables name and that could not be read.
        public let unread: [String]
        /// Whether the system's own authorities are in it; without them relayed connections fail.
        public let hasSystemAuthorities: Bool
    }

    /// Puts together Weir's authority, the system's, and those in the files that the user's own variables name.
    ///
    /// The command needs them all, because connections that are not inspected show it the origin's own certificate. A user
    /// who pointed a program at a shorter list than the system's gets a longer one. Only certificates are taken from the
    /// files: a private key that lies beside one is never copied.
    public static func bundle(authority: [UInt8], environment: CommandEnvironment) -> Bundle {
        bundle(authority: authority, environment: environment) { path in
            SmallFile.read(path, limit: LinuxIntakeLimits.certificateFile.value)
        }
    }

    static func bundle(authority: [UInt8], environment: CommandEnvironment, read: (String) -> [UInt8]?) -> Bundle {
        var seen: Set<[UInt8]> = []
        var pem: [UInt8] = []
        func add(_ text: [UInt8]) -> Bool {
            let certificates = self.certificates(in: text)
            for certificate in certificates where seen.insert(certificate.filter { $0 > 0x20 }).inserted {
                pem.append(contentsOf: certificate)
                pem.append(UInt8(ascii: "\n"))
            }
            return !certificates.isEmpty
        }
        _ = add(authority)
        var sources: [String] = []
        let system = systemFiles.first { path in read(path).map(add) ?? false }
        if let system { sources.append(system) }
        var unread: [String] = []
        for variable in variables {
            guard let path = environment[variable], !path.isEmpty, !sources.contains(path), !unread.contains(path)
            else { continue }
            if read(path).map(add) ?? false { sources.append(path) } else { unread.append(path) }
        }
        return Bundle(pem: pem, sources: sources, unread: unread, hasSystemAuthorities: system != nil)
    }

    /// Points every variable to the bundle's file.
    ///
    /// The file has to stay readable for every user that the command may become.
    public static func apply(file: String, to environment: inout CommandEnvironment) {
        for variable in variables { environment[variable] = file }
    }

    /// The variables that name a proxy on this machine's loopback, which the command cannot reach from its own network.
    ///
    /// They are left alone, for a person to decide: unset them, and Weir carries the connections instead.
    public static func unreachableProxies(in environment: CommandEnvironment) -> [String] {
        ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].filter { name in
            guard let value = environment[name], let host = proxyHost(value) else { return false }
            switch host {
            case .name(let name): return HostName("localhost").map { name.isWithin($0) } ?? false
            case .address(let address): return address.isLoopback
            }
        }
    }

    /// The host of `[scheme://][user@]host[:port][/]`.
    private static func proxyHost(_ value: String) -> Host? {
        var rest = Substring(value)
        if let scheme = rest.firstRange(of: "://") { rest = rest[scheme.upperBound...] }
        rest = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if let user = rest.lastIndex(of: "@") { rest = rest[rest.index(after: user)...] }
        return Endpoint(rest, defaultPort: 1080)?.host
    }

    /// The certificates of a PEM text, markers included, byte for byte.
    private static func certificates(in text: [UInt8]) -> [[UInt8]] {
        let begin = Array("-----BEGIN CERTIFICATE-----".utf8)
        let end = Array("-----END CERTIFICATE-----".utf8)
        var certificates: [[UInt8]] = []
        var current: [UInt8]?
        for line in text.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }) {
            let line = line.trimmingSpaces()
            if line.elementsEqual(begin) {
                current = begin + [0x0a]
            } else if line.elementsEqual(end), let body = current {
                certificates.append(body + end)
                current = nil
            } else if current != nil {
                // Another marker: the certificate before it was cut off.
                if line.starts(with: Array("-----".utf8)) { current = nil } else { current? += line + [0x0a] }
            }
        }
        return certificates
    }
}

extension ArraySlice<UInt8> {
    fileprivate func trimmingSpaces() -> ArraySlice<UInt8> {
        let start = firstIndex { $0 > 0x20 } ?? endIndex
        let end = lastIndex { $0 > 0x20 }.map { $0 + 1 } ?? start
        return self[start..<end]
    }
}
