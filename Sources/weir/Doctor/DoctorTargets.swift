// SPDX-License-Identifier: Apache-2.0

// Whom the self-test asks: a small table for each system, or a file of the administrator's.

import EngineAssembly
import FlowModel
import Foundation

/// Whom the self-test asks.
struct DoctorTargets: Sendable {
    /// Something to ask, and whether it has to answer.
    struct Target<Value: Sendable>: Sendable {
        let value: Value
        let isRequired: Bool
    }

    struct Portal: Sendable {
        let url: String
        let server: Endpoint
        let path: String
        /// The body that comes when nobody stands between, white space at its ends apart.
        let expected: String
    }

    /// Names that resolve; one of them is enough.
    var names: Target<[String]>
    /// Each list: one of them is enough, and all but the first are second best.
    var time: Target<[Endpoint]>
    var push: Target<[Endpoint]>
    var certificateStatus: Target<[Endpoint]>
    var portal: Target<Portal?>

    /// What the system itself would ask.
    ///
    /// Sources: Apple 102266 (push: 5223, else 443), Apple 101555 (certificate status, captive networks, time); on Linux
    /// NetworkManager's own connectivity check. No program of Linux needs push, and few ask for certificate status.
    static let builtIn: DoctorTargets = {
        func servers(_ texts: String..., isRequired: Bool) -> Target<[Endpoint]> {
            Target(value: texts.compactMap { Endpoint($0) }, isRequired: isRequired)
        }
        #if os(macOS)
        return DoctorTargets(
            names: Target(value: ["www.apple.com", "captive.apple.com"], isRequired: true),
            time: servers("time.apple.com:123", isRequired: false),
            push: servers("1-courier.push.apple.com:5223", "1-courier.push.apple.com:443", isRequired: true),
            certificateStatus: servers("ocsp.apple.com:80", "crl.apple.com:80", isRequired: true),
            portal: Target(
                value: portal(
                    "http://captive.apple.com/hotspot-detect.html",
                    "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>"), isRequired: true))
        #else
        return DoctorTargets(
            names: Target(value: ["nmcheck.gnome.org", "pool.ntp.org"], isRequired: true),
            time: servers("pool.ntp.org:123", isRequired: false),
            push: servers("1-courier.push.apple.com:5223", "1-courier.push.apple.com:443", isRequired: false),
            certificateStatus: servers("ocsp.digicert.com:80", isRequired: false),
            portal: Target(
                value: portal("http://nmcheck.gnome.org/check_network_status.txt", "NetworkManager is online"),
                isRequired: true))
        #endif
    }()

    private struct File: Decodable {
        struct Portal: Decodable {
            var url: String
            var expect: String
        }
        var names: [String]?
        var time: [String]?
        var push: [String]?
        var certificateStatus: [String]?
        var captivePortal: Portal?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case names, time, push
            case certificateStatus = "certificate-status"
            case captivePortal = "captive-portal"
        }
    }

    /// The built-in targets, with those of a file (JSON) in the place of theirs; what a file names has to answer.
    static func load(_ path: String?) throws -> DoctorTargets {
        guard let path else { return builtIn }
        guard let text = SmallText.read(path) else {
            throw Problem.refused("\(path): no file of targets that can be read")
        }
        let data = Data(text.utf8)
        let known = File.CodingKeys.allCases.map(\.rawValue)
        guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw Problem.refused("\(path): no JSON object; its keys are \(known.joined(separator: ", "))")
        }
        if let stranger = object.keys.sorted().first(where: { !known.contains($0) }) {
            throw Problem.refused(
                "\(path): no key `\(stranger)` is known; there are \(known.joined(separator: ", "))".terminalSafe)
        }
        guard let file = try? JSONDecoder().decode(File.self, from: data) else {
            throw Problem.refused(
                "\(path): names, time, push and certificate-status are lists of text, "
                    + "captive-portal is {\"url\": …, \"expect\": …}")
        }
        func servers(_ key: String, _ texts: [String], _ port: UInt16) throws -> Target<[Endpoint]> {
            let endpoints = texts.compactMap { Endpoint($0, defaultPort: port) }.filter { $0.port != 0 }
            guard !texts.isEmpty, endpoints.count == texts.count else {
                throw Problem.refused("\(path): `\(key)` takes servers, HOST or HOST:PORT, at least one")
            }
            return Target(value: endpoints, isRequired: true)
        }
        var targets = builtIn
        if let names = file.names {
            guard !names.isEmpty, names.allSatisfy({ HostName($0) != nil }) else {
                throw Problem.refused("\(path): `names` takes host names, at least one")
            }
            targets.names = Target(value: names, isRequired: true)
        }
        if let texts = file.time { targets.time = try servers("time", texts, 123) }
        if let texts = file.push { targets.push = try servers("push", texts, 5223) }
        if let texts = file.certificateStatus {
            targets.certificateStatus = try servers("certificate-status", texts, 80)
        }
        if let written = file.captivePortal {
            guard let portal = portal(written.url, written.expect) else {
                throw Problem.refused("\(path): `captive-portal` takes a plain URL, http://HOST[:PORT]/PATH")
            }
            targets.portal = Target(value: portal, isRequired: true)
        }
        return targets
    }

    /// Reads `http://host[:port][/path]` in printable ASCII; nil for all else.
    private static func portal(_ url: String, _ expected: String) -> Portal? {
        guard url.hasPrefix("http://"), url.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else { return nil }
        let rest = url.dropFirst("http://".count)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        guard let server = Endpoint(rest[..<slash], defaultPort: 80), server.port != 0 else { return nil }
        return Portal(
            url: url, server: server, path: slash == rest.endIndex ? "/" : String(rest[slash...]), expected: expected)
    }
}
