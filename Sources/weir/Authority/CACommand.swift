// SPDX-License-Identifier: Apache-2.0

// weir ca: the authority that signs what Weir shows to applications in the place of an origin's certificate.

import ArgumentParser
import EngineAssembly
import FlowEngine
import Foundation

struct CACommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ca", abstract: "Show, request, install and remove the certificate authority of this machine.",
        discussion: """
            `weir exec` and `weir proxy` make an authority of their own on first use. For a whole machine, an \
            organisation signs one instead: `csr` makes a key that stays here and a request that goes out, `install` \
            takes the certificate that comes back.
            """,
        subcommands: [CAShowCommand.self, CARequestCommand.self, CAInstallCommand.self, CARemoveCommand.self])
}

struct AuthorityOptions: ParsableArguments {
    @Option(help: "Where Weir keeps its authority. Default: $XDG_STATE_HOME/weir, as root /var/lib/weir.")
    var state: String?

    /// The directory of the authority.
    var directory: String { StateDirectory.resolve(state) }

    /// Runs `body` and says what it refuses.
    func run<Value>(_ body: (String) throws -> Value) throws -> Value {
        do { return try body(directory) } catch let error as CertificateAuthorityError {
            throw Problem.refused(error.description)
        }
    }
}

struct CAShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show the authority, never its key.")
    @OptionGroup var options: AuthorityOptions
    @Flag(help: "Print the certificate in PEM, for a trust store.") var pem = false

    func run() throws {
        let authority = try options.run { try CertificateAuthority.load(in: $0, now: Date()) }
        guard let authority else {
            throw Problem.refused(
                "\(options.directory): there is no authority; the first `weir exec` makes one, or run `weir ca csr`")
        }
        var output = StandardOutput()
        if pem {
            try output.line(try authority.certificatePEM)
        } else {
            try output.line("name         \(authority.name)".terminalSafe)
            try output.line("signed by    \(authority.signer)".terminalSafe)
            try output.line("valid until  \(authority.expiry.ISO8601Format())")
            try output.line("sha-256      \(try authority.fingerprint)")
            try output.line("kept in      \(options.directory)".terminalSafe)
        }
        try output.flush()
    }
}

struct CARequestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "csr", abstract: "Make a key here, and print a request for your organisation's root to sign.",
        discussion: """
            Have it signed as an authority that may sign leaves only (basicConstraints CA:TRUE, pathlen:0), for days or \
            weeks rather than years, and bring the certificate back with `weir ca install`.
            """)
    @OptionGroup var options: AuthorityOptions
    @Option(help: "The common name to ask for; tells which machine it is.") var name: String
    @Flag(help: "Have the Secure Enclave of this Mac make and keep the key.") var enclave = false

    func run() throws {
        let request = try options.run {
            try CertificateAuthority.request(in: $0, commonName: name, keptBy: enclave ? .enclave : .file)
        }
        var output = StandardOutput()
        try output.line(request)
        try output.flush()
    }
}

struct CAInstallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "install", abstract: "Put the signed certificate into place.",
        discussion: """
            The file holds the certificate of the request, then each certificate that signed the one before, and the \
            root last, all in PEM. Nothing changes unless all of it holds. Running programs use it after a restart.
            """)
    @OptionGroup var options: AuthorityOptions
    @Argument(help: "A file with the certificates in PEM.") var certificates: String

    func run() throws {
        let authority = try options.run {
            try CertificateAuthority.install(certificates: certificates, in: $0, now: Date())
        }
        var output = StandardOutput()
        try output.line("installed: \(authority)".terminalSafe)
        try output.flush()
    }
}

struct CARemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove the authority and its key, as when Weir is uninstalled.",
        discussion: "What was told to trust it still does: take its root out of the trust stores as well.")
    @OptionGroup var options: AuthorityOptions

    func run() throws {
        let removed = try options.run { try CertificateAuthority.remove(in: $0) }
        var output = StandardOutput()
        for path in removed { try output.line("removed \(path)".terminalSafe) }
        if removed.isEmpty { try output.line("nothing to remove in \(options.directory)".terminalSafe) }
        try output.flush()
    }
}
