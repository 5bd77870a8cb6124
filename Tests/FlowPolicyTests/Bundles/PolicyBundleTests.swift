// SPDX-License-Identifier: Apache-2.0

// Tests of the reader and maker of bundles.

import FlowModel
import Foundation
import Testing

@testable import FlowPolicy

/// Bundles that the tests change.
enum BundleSample {
    static let files = [
        (path: "policy.yaml", text: "version: 1\nrules: []\n"),
        (path: "lists/hosts.txt", text: "a.example\nb.example\n"),
        (path: "lists/more/empty.txt", text: ""),
    ]

    static func bytes(
        _ signer: BundleSigningKey, name: String = "laptops", version: Int = 17,
        files: [(path: String, text: String)] = files
    ) throws -> [UInt8] {
        try PolicyBundle.make(name: name, version: version, created: "2026-11-24", files: files, signedWith: signer)
    }

    static func signer() throws -> BundleSigningKey { try #require(BundleSigningKey.generate()) }

    /// A bundle of any manifest and any bodies, with a signature that holds.
    static func signed(_ signer: BundleSigningKey, manifest: String, bodies: String = "") throws -> [UInt8] {
        let lines = Array("key \(signer.publicKey)\n\(manifest)".utf8)
        let signature = try #require(signer.signature(over: Array(PolicyBundle.heading.utf8) + lines))
        return Array("\(PolicyBundle.heading)signature \(Base64Text.text(signature))\n".utf8) + lines + bodies.utf8
    }

    /// The manifest of the files, without the key, and with some of its text replaced.
    static func manifest(replacing old: String = "", with new: String = "") -> String {
        let lines = files.map {
            "file \($0.text.utf8.count) \(BundleManifest.sha256(Array($0.text.utf8))) \($0.path)\n"
        }
        let text = "name laptops\nversion 17\ncreated 2026-11-24\n" + lines.joined() + "\n"
        return text.replacingOccurrences(of: old, with: new)
    }

    static let bodies = files.map(\.text).joined()

    static func code(_ bytes: [UInt8], _ keys: [BundleKey]) -> BundleProblem.Code? {
        do throws(BundleProblem) {
            _ = try PolicyBundle.read(bytes, trusting: keys)
            return nil
        } catch {
            return error.code
        }
    }
}

struct PolicyBundleTests {
    private let signer: BundleSigningKey

    init() throws { signer = try BundleSample.signer() }

    private func code(_ manifest: String, _ bodies: String = BundleSample.bodies) throws -> BundleProblem.Code? {
        BundleSample.code(
            try BundleSample.signed(signer, manifest: manifest, bodies: bodies), [signer.publicKey])
    }

    @Test("What was put into a bundle comes out of it, the document first")
    func roundTrip() throws {
        let bundle = try PolicyBundle.read(try BundleSample.bytes(signer), trusting: [signer.publicKey])
        #expect(bundle.name == "laptops")
        #expect(bundle.version == 17)
        #expect(bundle.created == "2026-11-24")
        #expect(bundle.key == signer.publicKey)
        #expect(bundle.document.name == "policy.yaml")
        #expect(bundle.document.text == BundleSample.files[0].text)
        #expect(bundle.contents.map(\.path) == BundleSample.files.map(\.path))
        #expect(bundle.contents.map(\.bytes) == BundleSample.files.map(\.text.utf8.count))
        for file in BundleSample.files {
            #expect(try bundle.files.text(of: file.path, namedBy: "policy.yaml").text == file.text)
        }
    }

    @Test("A bundle written by hand after the documentation is read")
    func byHand() throws {
        #expect(try code(BundleSample.manifest()) == nil)
    }

    @Test("A bundle with any one byte changed is refused")
    func everyByte() throws {
        let good = try BundleSample.bytes(signer)
        for index in good.indices {
            for change in [UInt8(1), 0x20, 0x80] {
                var bad = good
                bad[index] ^= change
                #expect(BundleSample.code(bad, [signer.publicKey]) != nil, "byte \(index) ^ \(change)")
            }
        }
    }

    @Test("A bundle that is cut anywhere, or has anything behind it, is refused")
    func cuts() throws {
        let good = try BundleSample.bytes(signer)
        for count in good.indices { #expect(BundleSample.code(Array(good[..<count]), [signer.publicKey]) != nil) }
        #expect(BundleSample.code(Array(good.dropLast()), [signer.publicKey]) == .truncated)
        #expect(BundleSample.code(good + [0x0a], [signer.publicKey]) == .extraBytes)
    }

    @Test("A key that is not trusted is refused by name, and a good one does not stand for another's signature")
    func keys() throws {
        let other = try BundleSample.signer()
        let bytes = try BundleSample.bytes(other)
        #expect(BundleSample.code(bytes, [signer.publicKey]) == .untrustedKey)
        #expect(BundleSample.code(bytes, []) == .untrustedKey)
        #expect(BundleSample.code(bytes, [signer.publicKey, other.publicKey]) == nil)
        // The trusted key is written into a manifest that somebody else signed.
        let text = String(decoding: bytes, as: UTF8.self)
            .replacingOccurrences(of: other.publicKey.description, with: signer.publicKey.description)
        #expect(BundleSample.code(Array(text.utf8), [signer.publicKey]) == .badSignature)
        #expect(throws: BundleProblem.self) { try PolicyBundle.readUntrusted(Array(text.utf8)) }
        #expect(try PolicyBundle.readUntrusted(bytes).key == other.publicKey)
    }

    @Test("Nothing of a manifest is judged before its signature holds")
    func signatureFirst() throws {
        var bytes = try BundleSample.signed(
            signer, manifest: BundleSample.manifest(replacing: "laptops", with: "..\u{7}"))
        #expect(BundleSample.code(bytes, [signer.publicKey]) == .badValue)
        // Another digit of base64 inside the signature.
        let place = PolicyBundle.heading.utf8.count + 20
        bytes[place] = UInt8(ascii: bytes[place] == UInt8(ascii: "A") ? "B" : "A")
        #expect(BundleSample.code(bytes, [signer.publicKey]) == .badSignature)
        #expect(BundleSample.code(bytes, []) == .untrustedKey)
    }

    @Test(
        "A signed manifest that no maker writes is refused",
        arguments: [
            ("version 17", "version 017", BundleProblem.Code.syntax), ("version 17", "version +17", .syntax),
            ("version 17", "version 0", .badValue), ("version 17", "version -1", .badValue),
            ("version 17", "version 1000000000", .badValue),
            ("version 17", "version 99999999999999999999", .badValue),
            ("name laptops", "name ", .badValue), ("name laptops", "name Laptops", .badValue),
            ("name laptops", "name a/b", .badValue), ("name laptops\n", "", .syntax),
            ("created 2026-11-24", "created 2026-13-24", .badValue),
            ("created 2026-11-24", "created today", .badValue),
            ("version 17\ncreated 2026-11-24", "created 2026-11-24\nversion 17", .syntax),
            ("version 17\n", "version 17\nnote x\n", .syntax), ("file 21 ", "file 021 ", .syntax),
            ("file 21 ", "file -1 ", .syntax), ("file 21 ", "file 9223372036854775807 ", .syntax),
            ("file 21 ", "file 9999999999999999999999 ", .syntax), ("file 21 ", "file  21 ", .syntax),
            ("file 21 ", "file 22 ", .alteredFile), ("file 21 ", "file 33554432 ", .truncated),
            (" policy.yaml", " /etc/passwd", .badPath), (" policy.yaml", " ../policy.yaml", .badPath),
            (" policy.yaml", " a/../policy.yaml", .badPath), (" policy.yaml", " ./policy.yaml", .badPath),
            (" policy.yaml", " a//policy.yaml", .badPath), (" policy.yaml", " a/", .badPath),
            (" policy.yaml", " ", .badPath), (" policy.yaml", " a b", .badPath), (" policy.yaml", " a\\b", .badPath),
            (" policy.yaml", " po\u{11}icy", .badPath), (" policy.yaml", " pölicy", .badPath),
            (" policy.yaml", " a\r", .badPath), (" policy.yaml", " lists/hosts.txt", .duplicatePath),
        ])
    func hostileManifest(_ old: String, _ new: String, _ expected: BundleProblem.Code) throws {
        #expect(BundleSample.manifest().contains(old))
        #expect(try code(BundleSample.manifest(replacing: old, with: new)) == expected)
    }

    @Test("A bundle without a file, or with too many, is refused")
    func counts() throws {
        #expect(try code("name a\nversion 1\ncreated 2026-11-24\n\n", "") == .badValue)
        let most = PolicyLimits.bundleFiles.value
        let files = (0...most).map { (path: "f\($0)", text: "") }
        _ = try BundleSample.bytes(signer, files: Array(files.dropLast()))
        #expect(throws: BundleProblem.self) { try BundleSample.bytes(signer, files: files) }
    }

    @Test("Files are text, swapped files are found, and sizes cannot be shifted between them")
    func bodies() throws {
        var bytes = try BundleSample.signed(signer, manifest: BundleSample.manifest(), bodies: BundleSample.bodies)
        bytes[bytes.count - 1] = 0xff
        #expect(BundleSample.code(bytes, [signer.publicKey]) == .alteredFile)
        let binary = BundleManifest.sha256([0xff, 0xfe])
        let manifest = "name a\nversion 1\ncreated 2026-11-24\nfile 2 \(binary) policy.yaml\n\n"
        let notText = try BundleSample.signed(signer, manifest: manifest) + [0xff, 0xfe]
        #expect(BundleSample.code(notText, [signer.publicKey]) == .notText)
        let swapped = BundleSample.files[1].text + BundleSample.files[0].text
        #expect(try code(BundleSample.manifest(), swapped) == .alteredFile)
    }

    @Test("What is no bundle, or one of another format, is told apart, and sizes are judged before anything is read")
    func foreign() throws {
        #expect(BundleSample.code(Array("version: 1\n".utf8), []) == .notABundle)
        #expect(BundleSample.code([], []) == .notABundle)
        #expect(BundleSample.code(Array("weir-policy-bundle 2\n".utf8), []) == .otherFormat)
        #expect(PolicyBundle.isBundle(Array("weir-policy-bundle 9".utf8)))
        #expect(!PolicyBundle.isBundle(Array("version: 1".utf8)))
        let large = [UInt8](repeating: 0x61, count: PolicyLimits.bundleBytes.value + 1)
        #expect(BundleSample.code(large, []) == .tooLarge)
        let endless = try BundleSample.bytes(signer).prefix(130) + large.prefix(PolicyLimits.bundleManifestBytes.value)
        #expect(BundleSample.code(Array(endless), [signer.publicKey]) == .tooLarge)
    }

    @Test("The digest tells versions, names, keys and contents apart, and nothing else")
    func digest() throws {
        let other = try BundleSample.signer()
        let digests = try [
            BundleSample.bytes(signer), BundleSample.bytes(signer, version: 18), BundleSample.bytes(other),
            BundleSample.bytes(signer, name: "servers"),
            BundleSample.bytes(signer, files: Array(BundleSample.files.dropLast())),
        ].map { try PolicyBundle.readUntrusted($0).digest }
        #expect(Set(digests).count == digests.count)
        #expect(digests.allSatisfy { $0.utf8.count == 64 })
        #expect(try PolicyBundle.readUntrusted(try BundleSample.bytes(signer)).digest == digests[0])
    }

    @Test(
        "A file names others from its own folder, and none outside the bundle",
        arguments: [
            ("lists/hosts.txt", "policy.yaml", "lists/hosts.txt"), ("hosts.txt", "lists/a.yaml", "lists/hosts.txt"),
            ("./more/empty.txt", "lists/a.yaml", "lists/more/empty.txt"),
            ("../policy.yaml", "lists/a.yaml", "policy.yaml"), ("../policy.yaml", "policy.yaml", nil),
            ("../../policy.yaml", "lists/a.yaml", nil), ("/policy.yaml", "policy.yaml", nil),
            ("a/../../policy.yaml", "policy.yaml", nil), ("hosts.txt", "policy.yaml", nil), ("", "policy.yaml", nil),
        ] as [(String, String, String?)])
    func names(_ path: String, _ document: String, _ expected: String?) throws {
        let bundle = try PolicyBundle.readUntrusted(try BundleSample.bytes(signer))
        #expect((try? bundle.files.text(of: path, namedBy: document))?.name == expected)
    }

    @Test("Every problem says what to do")
    func words() throws {
        let texts = try [
            Array("x".utf8), Array("weir-policy-bundle 2\n".utf8), Array(try BundleSample.bytes(signer).dropLast()),
            BundleSample.bytes(signer) + [1],
        ].map { bytes in
            do throws(BundleProblem) {
                _ = try PolicyBundle.readUntrusted(bytes)
                return ""
            } catch {
                return error.description
            }
        }
        for text in texts { #expect(text.contains(": ") && text.hasSuffix(")"), "\(text)") }
    }

    @Test("A secret key comes back from its text, and what is no key is refused")
    func secrets() throws {
        let again = try #require(BundleSigningKey(secretText: signer.secretText))
        #expect(again.publicKey == signer.publicKey)
        #expect(BundleKey(signer.publicKey.description) == signer.publicKey)
        for text in [
            "", "AAAA", signer.secretText + "=", String(signer.secretText.dropLast()), " " + signer.secretText,
        ] {
            #expect(BundleSigningKey(secretText: text) == nil)
            #expect(BundleKey(text) == nil)
        }
        #expect(BundleKey(bytes: [1, 2, 3]) == nil)
    }
}
