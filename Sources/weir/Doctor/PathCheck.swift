// SPDX-License-Identifier: Apache-2.0

// What else stands in the path of this machine's traffic, as far as it can be seen: facts, no guesses.

import EngineAssembly
import FlowModel
import Foundation
import NIOCore

#if os(Linux)
import LinuxIntake
#endif

extension DoctorCheck {
    /// Proxies, tunnels, redirects and resolvers of others.
    static func path(environment: [String: String]) -> DoctorCheck {
        DoctorCheck(name: "path", isRequired: false) { deadline in
            var facts = proxyVariables(environment) + tunnels()
            var limits = ""
            #if os(Linux)
            facts += packageProxies() + localResolvers()
            if geteuid() == 0 { facts += redirects(deadline) } else { limits = " (nftables: only root may look)" }
            #endif
            if facts.isEmpty { return .ok("no proxy, tunnel or redirect of others is to be seen\(limits)") }
            return .warn(
                facts.joined(separator: "; ") + limits,
                "if something fails, try without it: two that take the same flow can undo each other")
        }
    }

    /// Names only: the values may hold passwords.
    private static func proxyVariables(_ environment: [String: String]) -> [String] {
        ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]
            .filter { environment[$0]?.isEmpty == false }.map { "\($0) is set" }
    }

    private static func tunnels() -> [String] {
        let tunnels = NetworkInterfaces.tunnels()
        #if os(Linux)
        let route = NetworkInterfaces.defaultRoute()
        return tunnels.map { "\($0) is up" + ($0 == route ? " and has the default route" : "") }
        #else
        return tunnels.map { "\($0) is up" }
        #endif
    }

    #if os(Linux)
    /// apt's own proxies (apt.conf(5)).
    private static func packageProxies() -> [String] {
        let folder = "/etc/apt/apt.conf.d"
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted().prefix(200)
        return (["/etc/apt/apt.conf"] + names.map { "\(folder)/\($0)" }).compactMap { path in
            let lines = SmallText.read(path)?.lowercased().split(separator: "\n") ?? []
            let words = lines.map { $0.drop { $0 == " " || $0 == "\t" } }.filter { !$0.hasPrefix("//") }
            return words.contains { $0.hasPrefix("acquire::http") && $0.contains("proxy") }
                ? "\(path) names a proxy" : nil
        }
    }

    /// Resolvers on this machine that are not systemd's.
    private static func localResolvers() -> [String] {
        ResolverConfiguration.system().nameservers.compactMap(\.ipAddress)
            .filter { ($0.hasPrefix("127.") || $0 == "::1") && $0 != "127.0.0.53" && $0 != "127.0.0.54" }
            .map { "names go to a resolver on this machine, \($0)" }
    }

    /// Tables of nftables with rules that send flows elsewhere, but for Weir's own.
    private static func redirects(_ deadline: ProbeDeadline) -> [String] {
        let folders = ["/usr/sbin", "/sbin", "/usr/bin"].map { "\($0)/nft" }
        guard let nft = folders.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else { return [] }
        guard let listing = ProbeProgram.output(nft, ["list", "ruleset"], until: deadline) else {
            return ["nftables could not be read"]
        }
        var found: [String] = []
        var table = ""
        for line in listing.split(separator: "\n") {
            let words = line.split { $0 == " " || $0 == "\t" }
            if words.count == 4, words[0] == "table", words[3] == "{" {
                table = "\(words[1]) \(words[2])"
                continue
            }
            guard !table.hasSuffix(" weir"), words.contains(where: { ["redirect", "tproxy", "dnat"].contains($0) })
            else { continue }
            let fact = "the nftables table \(table) sends flows elsewhere"
            if found.last != fact { found.append(fact) }
        }
        return found
    }
    #endif
}

/// A program of the system that the self-test asks.
enum ProbeProgram {
    /// What it prints, at most `doctor.listing` bytes; nil when it cannot be run, fails or takes too long.
    static func output(_ path: String, _ arguments: [String], until deadline: ProbeDeadline) -> String? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let reader = pipe.fileHandleForReading.fileDescriptor
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        var entry = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
        while bytes.count < DoctorLimits.listing.value {
            guard poll(&entry, 1, deadline.milliseconds) > 0 else {
                process.terminate()
                return nil
            }
            let count = read(reader, &piece, piece.count)
            guard count > 0 else {
                process.waitUntilExit()
                return process.terminationStatus == 0 ? String(decoding: bytes, as: UTF8.self) : nil
            }
            bytes += piece[..<count]
        }
        process.terminate()
        return String(decoding: bytes, as: UTF8.self)
    }
}
