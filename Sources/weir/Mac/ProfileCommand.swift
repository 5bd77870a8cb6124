// SPDX-License-Identifier: Apache-2.0

// weir profile: what device management brings to machines so that they run Weir.

import ArgumentParser
import EngineAssembly
import FlowEngine
import Foundation
import MacControl

struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile", abstract: "Print what device management brings to machines.",
        subcommands: [MacProfileCommand.self])
}

struct MacProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "macos", abstract: "Print a configuration profile that runs Weir on Macs (macOS 15 and later).",
        discussion: """
            The profile allows the system extension, configures the transparent proxy with its designated requirement, \
            turns Private Relay off, and trusts the root that signs Weir's certificates. The system takes the extension \
            part from device management only. Sign it before you send it. docs/macos.md leads through all of it.
            """)

    @Option(help: "Apple's identifier of the team that signed app and extension.") var team: String
    @Option(help: "The app's bundle identifier.") var app = "com.example.weir"
    @Option(help: "The extension's bundle identifier; default: the app's with .proxy.") var provider: String?
    @Option(help: "The profile's identifier; default: the app's with .profile.") var identifier: String?
    @Option(help: "The organisation that the profile comes from.") var organisation: String
    @Option(help: "The place among several transparent proxies, smaller first.") var order: Int?
    @Option(help: "A preset, or the path of a policy file on the Macs. Everybody there can read this.")
    var policy = "report"
    @Option(help: "Who cannot remove the extension: users (ui), anybody (all), or none.", transform: Self.protection)
    var protect = MacDeployment.Protection.interface
    @Flag(help: "Leave Private Relay allowed; what goes through it is not seen.") var keepPrivateRelay = false
    @Option(help: "The root to trust, a certificate in PEM.") var root: String?
    @Option(name: .shortAndLong, help: "Write to this file instead of the standard output.") var output: String?

    func run() throws {
        var authority: [UInt8]?
        if let root {
            do throws(CertificateAuthorityError) {
                authority = try AuthorityCertificates(file: root).root.der
            } catch {
                throw Problem.refused(error.description)
            }
        }
        let profile: String
        do {
            profile = try MacDeployment(
                team: team, app: app, provider: provider ?? app + ".proxy", identifier: identifier ?? app + ".profile",
                organisation: organisation, order: order, policy: policy, protection: protect,
                keepsPrivateRelay: keepPrivateRelay, authority: authority
            ).profile
        } catch let problem as DeploymentProblem {
            throw Problem.usage("--\(problem.part == .authority ? "root" : problem.part.rawValue): \(problem.advice)")
        }
        if let output {
            do {
                try Data(profile.utf8).write(to: URL(fileURLWithPath: output), options: .atomic)
            } catch {
                throw Problem.refused("\(output): cannot be written; name a file in a folder that you can write to")
            }
        } else {
            var standardOutput = StandardOutput()
            try standardOutput.line(profile)
            try standardOutput.flush()
        }
    }

    private static func protection(_ word: String) throws -> MacDeployment.Protection {
        guard let protection = MacDeployment.Protection(rawValue: word) else {
            throw ValidationError("--protect \(word): give ui, all or none")
        }
        return protection
    }
}
