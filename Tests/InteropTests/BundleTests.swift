// SPDX-License-Identifier: Apache-2.0

// Bundles as an administrator makes them and a machine checks them.

import Foundation
import TestKit
import Testing

extension Interop {
    @Suite struct Bundles {
        private let folder: TemporaryFolder
        private let key: String

        /// A policy, a file that it names, and the two halves of a key.
        init() throws {
            folder = try TemporaryFolder()
            try folder.write("version: 1\nrules: [{name: all, then: bypass}]\n", to: "policy/policy.yaml")
            try folder.write("a.example\n", to: "policy/lists/hosts.txt")
            let made = try WeirProgram.run(["policy", "bundle", "keygen", folder("secret.key")])
            try #require(made.status == 0, "\(made.errors)")
            key = made.text.trimmingCharacters(in: .newlines)
        }

        private func make(version: Int, _ file: String) throws {
            let made = try WeirProgram.run([
                "policy", "bundle", "make", "--key", folder("secret.key"), "--name", "laptops", "--bundle-version",
                String(version), "--root", folder("policy"), "--output", folder(file), "policy.yaml", "lists/hosts.txt",
            ])
            try #require(made.status == 0, "\(made.errors)")
        }

        @Test("A bundle is verified with its key, not with another, and not when a byte of it is another")
        func verify() throws {
            defer { folder.remove() }
            try make(version: 17, "laptops.bundle")
            let good = try WeirProgram.run(["policy", "bundle", "verify", "--key", key, folder("laptops.bundle")])
            #expect(good.status == 0)
            #expect(good.text.hasPrefix("laptops 17, made "))

            let other = try WeirProgram.run(["policy", "bundle", "keygen", folder("other.key")])
            let otherKey = other.text.trimmingCharacters(in: .newlines)
            let foreign = try WeirProgram.run([
                "policy", "bundle", "verify", "--key", otherKey, folder("laptops.bundle"),
            ])
            #expect(foreign.status == 1)
            #expect(foreign.errors.contains("(untrusted-key)"))

            var bytes = try #require(TemporaryFolder.read(folder("laptops.bundle")))
            bytes[bytes.count - 1] ^= 1
            try folder.write(String(decoding: bytes, as: UTF8.self), to: "changed.bundle")
            let changed = try WeirProgram.run(["policy", "bundle", "show", folder("changed.bundle")])
            #expect(changed.status == 1)
            #expect(changed.errors.contains("`lists/hosts.txt` is not the file that was signed"))
        }

        @Test("The secret key is its owner's alone, and one that is there is not written over")
        func secret() throws {
            defer { folder.remove() }
            let attributes = try FileManager.default.attributesOfItem(atPath: folder("secret.key"))
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            let again = try WeirProgram.run(["policy", "bundle", "keygen", folder("secret.key")])
            #expect(again.status == 1)
            #expect(again.text.isEmpty)
        }
    }
}
