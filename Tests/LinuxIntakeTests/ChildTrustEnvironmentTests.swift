// SPDX-License-Identifier: Apache-2.0

// What a command is given to trust.

import Testing

@testable import LinuxIntake

private func certificate(_ letters: String) -> String {
    "-----BEGIN CERTIFICATE-----\n\(letters)\n-----END CERTIFICATE-----\n"
}

@Suite struct ChildTrustEnvironmentTests {
    private func bundle(_ variables: [String], files: [String: String]) -> ChildTrustEnvironment.Bundle {
        ChildTrustEnvironment.bundle(
            authority: Array(certificate("WEIR").utf8), environment: CommandEnvironment(variables),
            read: { files[$0].map { Array($0.utf8) } })
    }

    @Test("Weir's authority, the system's and those of the user's own variables are in the bundle, each once")
    func everything() {
        let bundle = bundle(
            [
                "SSL_CERT_FILE=/home/me/corp.pem", "NODE_EXTRA_CA_CERTS=/home/me/extra.pem",
                "PIP_CERT=/home/me/corp.pem",
            ],
            files: [
                "/etc/pki/tls/certs/ca-bundle.crt": "# Comment\n" + certificate("ROOT1") + "\n" + certificate("ROOT2"),
                "/home/me/corp.pem": certificate("ROOT1") + certificate("CORP"),
                "/home/me/extra.pem": certificate("EXTRA"),
            ])
        #expect(
            String(decoding: bundle.pem, as: UTF8.self)
                == ["WEIR", "ROOT1", "ROOT2", "CORP", "EXTRA"].map(certificate).joined())
        #expect(bundle.sources == ["/etc/pki/tls/certs/ca-bundle.crt", "/home/me/corp.pem", "/home/me/extra.pem"])
        #expect(bundle.unread.isEmpty)
        #expect(bundle.hasSystemAuthorities)
    }

    @Test("A private key beside a certificate is not copied")
    func privateKey() {
        let secret = "-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----\n"
        for text in [
            secret + certificate("CORP"), certificate("CORP") + secret,
            "-----BEGIN CERTIFICATE-----\nCUT\n" + secret + certificate("CORP"),
        ] {
            let bundle = bundle(["CURL_CA_BUNDLE=/f"], files: ["/f": text])
            #expect(String(decoding: bundle.pem, as: UTF8.self) == certificate("WEIR") + certificate("CORP"))
        }
    }

    @Test("Line ends of other systems and stray spaces do not hide a certificate or double it")
    func lineEnds() {
        let bundle = bundle(
            ["CURL_CA_BUNDLE=/a", "GIT_SSL_CAINFO=/b"],
            files: [
                "/a": certificate("CORP").split(separator: "\n").joined(separator: "\r\n"),
                "/b": "  -----BEGIN CERTIFICATE-----  \n CO\nRP \n-----END CERTIFICATE-----",
            ])
        #expect(String(decoding: bundle.pem, as: UTF8.self) == certificate("WEIR") + certificate("CORP"))
    }

    @Test("Files that cannot be read or hold no certificate are named")
    func unread() {
        let bundle = bundle(
            ["SSL_CERT_FILE=/gone", "CURL_CA_BUNDLE=/empty", "PIP_CERT=/gone", "DENO_CERT="],
            files: ["/empty": "nothing"])
        #expect(bundle.unread == ["/gone", "/empty"])
        #expect(!bundle.hasSystemAuthorities)
    }

    @Test("Every variable points to the bundle, once, and the others stay")
    func apply() {
        var environment = CommandEnvironment(["SSL_CERT_FILE=/old", "HOME=/home/me"])
        ChildTrustEnvironment.apply(file: "/run/bundle.pem", to: &environment)
        for variable in ChildTrustEnvironment.variables { #expect(environment[variable] == "/run/bundle.pem") }
        #expect(environment["HOME"] == "/home/me")
        #expect(environment.entries.count == ChildTrustEnvironment.variables.count + 1)
    }

    @Test(
        "Proxies on loopback are reported, others are not",
        arguments: [
            ("http://127.0.0.1:3128", true), ("localhost:8080", true), ("http://u:p@localhost:1/", true),
            ("socks5h://[::1]:1080", true), ("http://LOCALHOST", true), ("127.9.9.9", true),
            ("http://proxy.example.com:3128", false), ("http://10.0.0.1:3128/127.0.0.1", false), ("", false),
            ("http://localhost.example.com", false), ("://", false), ("http://127.0.0.1@proxy.example.com:80", false),
        ])
    func proxies(value: String, unreachable: Bool) {
        let environment = CommandEnvironment(["https_proxy=\(value)", "no_proxy=localhost"])
        #expect(ChildTrustEnvironment.unreachableProxies(in: environment) == (unreachable ? ["https_proxy"] : []))
    }

    @Test("On this machine the system's authorities are found")
    func system() {
        let bundle = ChildTrustEnvironment.bundle(authority: Array(certificate("WEIR").utf8), environment: .init())
        #expect(bundle.hasSystemAuthorities)
        #expect(bundle.pem.count > 10_000)
    }
}
