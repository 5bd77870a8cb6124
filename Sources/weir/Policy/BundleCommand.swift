// SPDX-License-Identifier: Apache-2.0

// weir policy bundle: put a policy and its files into one signed file, and look into such a file.

import ArgumentParser
import CodeIdentity
import EngineAssembly
import EventStore
import FlowModel
import FlowPolicy
import Foundation

struct BundleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundle", abstract: "Sign policies, and check what is signed.",
        subcommands: [Make.self, Show.self, Verify.self, KeyGeneration.self])

    struct Make: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a policy and the files it names into one signed file.",
            discussion: "Files are named as the policy names them, seen from --root; the policy comes first.")

        @Option(help: "The file of the secret key.") var key: String
        @Option(help: "The name of the bundle: a machine takes only bundles of one name.") var name: String
        @Option(help: "The version: a whole number above that of every earlier bundle.") var bundleVersion: Int
        @Option(help: "The day of its making. Default: today.") var created: String?
        @Option(help: "The folder that the files are in.") var root = "."
        @Option(help: "Where to write the bundle.") var output: String
        @Argument(help: "The policy, then the files that it names.") var files: [String]

        func run() throws {
            let signer = try BundleFile.signingKey(in: key)
            let contents = try files.map { path in
                guard let text = String(validating: try BundleFile.bytes(at: "\(root)/\(path)"), as: UTF8.self) else {
                    throw Problem.refused("\(path): not UTF-8 text; save it as UTF-8")
                }
                return (path: path, text: text)
            }
            let bytes = try BundleFile.told(output) { () throws(BundleProblem) in
                try PolicyBundle.make(
                    name: name, version: bundleVersion,
                    created: created ?? String(EventTime.text(Runtime.now()).prefix(10)),
                    files: contents, signedWith: signer)
            }
            do { try Data(bytes).write(to: URL(filePath: output), options: .atomic) } catch {
                throw Problem.refused("\(output): cannot be written: \(error.localizedDescription)")
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what a bundle holds; whose it is stays open, see verify.")

        @Argument(help: "The bundle.") var bundle: String
        @Option(help: "text or json.") var format = OutputFormat.text

        func run() throws {
            let bytes = try BundleFile.bytes(at: bundle)
            print(
                try BundleFile.told(bundle) { () throws(BundleProblem) in try PolicyBundle.readUntrusted(bytes) }
                    .listing(format))
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check that a bundle is whole and signed with a key that you trust.")

        @Option(help: "The public key, as `weir policy bundle keygen` printed it.") var key: String
        @Argument(help: "The bundle.") var bundle: String
        @Option(help: "text or json.") var format = OutputFormat.text

        func run() throws {
            guard let trusted = BundleKey(key) else {
                throw Problem.usage("--key: no Ed25519 key; give the 44 characters that keygen printed")
            }
            let bytes = try BundleFile.bytes(at: bundle)
            print(
                try BundleFile.told(bundle) { () throws(BundleProblem) in
                    try PolicyBundle.read(bytes, trusting: [trusted])
                }.listing(format))
        }
    }

    struct KeyGeneration: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "keygen", abstract: "Make a key to sign bundles with; prints the public half.",
            discussion: "Whoever has the secret key makes policies for every machine: keep it off those machines.")

        @Argument(help: "Where to write the secret key; the file must not exist.") var file: String

        func run() throws {
            guard let signer = BundleSigningKey.generate() else {
                throw Problem.internalError("no key could be made")
            }
            let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL, 0o600)
            guard descriptor >= 0 else {
                throw Problem.refused("\(file): cannot be made: \(String(cString: strerror(errno)))")
            }
            let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            do { try handle.write(contentsOf: Data("\(signer.secretText)\n".utf8)) } catch {
                throw Problem.refused("\(file): cannot be written: \(error.localizedDescription)")
            }
            print(signer.publicKey)
        }
    }
}

extension PolicyBundle {
    /// What it holds, for people or for programs.
    fileprivate func listing(_ format: OutputFormat) throws -> String {
        let sizes = contents.map { Listing.File(path: $0.path, bytes: $0.bytes) }
        let listing = Listing(
            name: name, version: version, created: created, key: key.description, digest: digest, files: sizes)
        if format == .json { return try JSONLine.text(listing) }
        return
            (["\(name) \(version), made \(created)", "digest \(digest)", "key    \(key)"]
            + sizes.map { "\($0.path)  \($0.bytes) bytes" }).joined(separator: "\n")
    }

    private struct Listing: Encodable {
        struct File: Encodable {
            var path: String
            var bytes: Int
        }

        var name: String
        var version: Int
        var created: String
        var key: String
        var digest: String
        var files: [File]
    }
}
