// SPDX-License-Identifier: Apache-2.0

// `weir ca` beside an organisation's root that openssl keeps: request, signature, installation, use, removal.

import Foundation
import TestKit
import Testing

extension Interop {
    @Suite struct Authority {
        @Test("A client that trusts only the organisation's root trusts what its machine's authority signs")
        func organisation() throws {
            try withScene { scene in
                let organisation = try Organisation(scene.folder)
                let state = scene.folder("machine")
                let request = try WeirProgram.run(["ca", "csr", "--state", state, "--name", "machine 17"])
                let again = try WeirProgram.run(["ca", "csr", "--state", state, "--name", "machine 17"])
                #expect(try organisation.publicKey(request.text) == organisation.publicKey(again.text))
                let chain = try organisation.sign(request.text)
                let installed = try WeirProgram.run(["ca", "install", chain, "--state", state])
                try #require(installed.status == 0, "\(installed.errors)")
                let shown = try WeirProgram.run(["ca", "show", "--state", state])
                #expect(shown.text.contains("CN=machine 17"))
                #expect(shown.text.contains("CN=Example Root"))

                let weir = try WeirProcess(policy: .redact, upstreamCA: scene.authority.root, state: state)
                defer { weir.kill() }
                let answer = try curl(
                    ["--data", Payload.form, scene.origin.secure("/upload")], route: .http, port: weir.port,
                    trust: organisation.root)
                #expect(answer.status == 200, "\(answer.errors)")
                let received = try #require(try scene.origin.requests(atLeast: 1).first)
                expectMasked(Payload.form, received.body, secrets: [Sample.iban, Sample.token])
            }
        }

        @Test("An authority that may sign further ones is refused, and the one in place stays")
        func pathLength() throws {
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            let organisation = try Organisation(folder)
            let state = folder("machine")
            let request = try WeirProgram.run(["ca", "csr", "--state", state, "--name", "m"])
            let run = try WeirProgram.run(
                ["ca", "install", try organisation.sign(request.text, constraints: "CA:TRUE"), "--state", state])
            #expect(run.status == 1)
            #expect(run.errors.contains("pathlen:0"))
            #expect(try WeirProgram.run(["ca", "show", "--state", state]).status == 1)
            // The same request, signed as it should be, is still good.
            let chain = try organisation.sign(request.text)
            #expect(try WeirProgram.run(["ca", "install", chain, "--state", state]).status == 0)
        }

        @Test("A certificate without its root, for another key, or signed by nobody in the file is refused")
        func refused() throws {
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            let organisation = try Organisation(folder)
            let (one, other) = (folder("one"), folder("other"))
            let request = try WeirProgram.run(["ca", "csr", "--state", one, "--name", "one"])
            let chain = try organisation.sign(request.text)
            _ = try WeirProgram.run(["ca", "csr", "--state", other, "--name", "other"])
            #expect(try WeirProgram.run(["ca", "install", chain, "--state", other]).errors.contains("not the key"))
            let alone = folder("alone.pem")
            try organisation.certificate.write(to: URL(fileURLWithPath: alone))
            #expect(try WeirProgram.run(["ca", "install", alone, "--state", one]).errors.contains("not a root"))
            let stranger = try Organisation(folder, name: "stranger")
            var mixed = organisation.certificate
            mixed.append(try Data(contentsOf: URL(fileURLWithPath: stranger.root)))
            let file = folder("mixed.pem")
            try mixed.write(to: URL(fileURLWithPath: file))
            #expect(try WeirProgram.run(["ca", "install", file, "--state", one]).errors.contains("is not signed by"))
            #expect(try WeirProgram.run(["ca", "show", "--state", one]).status == 1)
        }

        @Test("Removal takes key and certificate, and says so once")
        func removal() throws {
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            let organisation = try Organisation(folder)
            let state = folder("machine")
            let request = try WeirProgram.run(["ca", "csr", "--state", state, "--name", "m"])
            _ = try WeirProgram.run(["ca", "install", try organisation.sign(request.text), "--state", state])
            let removed = try WeirProgram.run(["ca", "remove", "--state", state])
            #expect(removed.text.contains("removed \(state)/ca.key"))
            #expect(!FileManager.default.fileExists(atPath: state + "/ca.key"))
            #expect(!FileManager.default.fileExists(atPath: state + "/ca.pem"))
            #expect(try WeirProgram.run(["ca", "remove", "--state", state]).text.hasPrefix("nothing to remove"))
        }
    }

    /// An organisation's root, and what it signs.
    struct Organisation {
        private let folder: TemporaryFolder
        private let name: String
        var root: String { folder(name + ".pem") }
        /// What was signed last.
        var certificate: Data { (try? Data(contentsOf: URL(fileURLWithPath: folder("signed.pem")))) ?? Data() }

        init(_ folder: TemporaryFolder, name: String = "organisation") throws {
            self.folder = folder
            self.name = name
            try Program(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
                    "-keyout", folder(name + ".key"), "-out", root, "-subj", "/CN=Example Root", "-addext",
                    "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                ]
            ).succeed()
        }

        /// Signs a request; gives a file with the certificate and the root after it.
        func sign(_ request: String, constraints: String = "CA:TRUE,pathlen:0") throws -> String {
            let asked = try folder.write(request, to: "asked.csr")
            try Program("openssl", ["req", "-in", asked, "-noout", "-verify"]).succeed()
            let extensions = try folder.write(
                """
                basicConstraints=critical,\(constraints)
                keyUsage=critical,keyCertSign,cRLSign
                subjectKeyIdentifier=hash

                """, to: "extensions")
            try Program(
                "openssl",
                [
                    "x509", "-req", "-in", asked, "-CA", root, "-CAkey", folder(name + ".key"), "-days", "30",
                    "-extfile", extensions, "-out", folder("signed.pem"),
                ]
            ).succeed()
            let chain = certificate + (try Data(contentsOf: URL(fileURLWithPath: root)))
            return try folder.write(Array(chain), to: "chain.pem")
        }

        func publicKey(_ request: String) throws -> String {
            try Program("openssl", ["req", "-noout", "-pubkey"]).succeed(input: Array(request.utf8)).text
        }
    }
}
