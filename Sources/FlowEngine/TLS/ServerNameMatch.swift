// SPDX-License-Identifier: Apache-2.0

// Whether a certificate was issued for a host: by its subject alternative names, and by nothing else.

import FlowModel
import SwiftASN1
import X509

/// Matches hosts with subject alternative names (RFC 9525 section 6).
///
/// The common name is never looked at. A wildcard is a whole left-most label, stands for exactly one label, and has two
/// labels or more after it. An address matches only an address entry.
enum ServerNameMatch {
    /// The fault of a certificate for a host, nil when there is none.
    static func problem(of certificate: Certificate, for host: Host) -> TrustProblem? {
        let names: SubjectAlternativeNames
        do {
            guard let found = try certificate.extensions.subjectAlternativeNames else {
                return TrustProblem(
                    .noAlternativeName,
                    "the certificate has no subject alternative name; its common name proves nothing")
            }
            names = found
        } catch {
            return TrustProblem(.unreadable, "the subject alternative names of the certificate cannot be read")
        }
        for name in names {
            switch (name, host) {
            case (.dnsName(let pattern), .name(let host)):
                if matches(pattern, host) { return nil }
            case (.ipAddress(let bytes), .address(let address)):
                if bytes.bytes.elementsEqual(address.networkBytes) { return nil }
            default: continue
            }
        }
        return TrustProblem(.wrongName, "the certificate is for \(summary(names)), not for \(host)")
    }

    static func matches(_ pattern: String, _ host: HostName) -> Bool {
        // `HostName` is lower case and has no trailing dot; a pattern with one is not a valid entry and never matches.
        guard !pattern.hasSuffix(".") else { return false }
        if pattern.hasPrefix("*.") {
            guard let base = HostName(pattern.dropFirst(2)), base.description.contains("."),
                let dot = host.description.firstIndex(of: ".")
            else { return false }
            return host.description[host.description.index(after: dot)...] == base.description
        }
        return HostName(pattern) == host
    }

    /// Up to three names that are safe to print.
    private static func summary(_ names: SubjectAlternativeNames) -> String {
        let hosts = names.lazy.compactMap { name -> String? in
            switch name {
            case .dnsName(let text):
                let isWildcard = text.hasPrefix("*.")
                return HostName(text.dropFirst(isWildcard ? 2 : 0)).map { (isWildcard ? "*." : "") + $0.description }
            case .ipAddress(let bytes):
                return bytes.bytes.count == 4
                    ? bytes.bytes.map(String.init).joined(separator: ".")
                    : IPAddress(v6Bytes: Array(bytes.bytes))?.description
            default: return nil
            }
        }
        let shown = Array(hosts.prefix(3))
        if shown.isEmpty { return "no host" }
        return shown.joined(separator: ", ") + (names.count > shown.count ? " and others" : "")
    }
}
