// SPDX-License-Identifier: Apache-2.0

// Tests of which policy may follow which.

import Testing

@testable import FlowPolicy

struct BundleMemoryTests {
    private let ours: BundleSigningKey
    private let theirs: BundleSigningKey

    init() throws {
        ours = try BundleSample.signer()
        theirs = try BundleSample.signer()
    }

    private func settings(demanding signer: BundleSigningKey?) -> PolicySettings {
        var settings = PolicySettings()
        settings.bundleDemand = signer.map { PolicySettings.BundleDemand(key: $0.publicKey.bytes) }
        return settings
    }

    /// The memory of a machine that runs version 17 of `laptops`.
    private func memory(demanding signer: BundleSigningKey?) throws -> BundleMemory {
        var memory = BundleMemory()
        memory.take(try memory.read(try BundleSample.bytes(ours)), settings(demanding: signer))
        return memory
    }

    private func code(_ memory: BundleMemory, _ bytes: [UInt8]) -> BundleProblem.Code? {
        do throws(BundleProblem) {
            _ = try memory.read(bytes)
            return nil
        } catch {
            return error.code
        }
    }

    @Test("An older version is refused, and the same version only with the same content")
    func versions() throws {
        let other = Array(BundleSample.files.dropLast())
        for demand in [ours, nil] {
            let memory = try memory(demanding: demand)
            #expect(code(memory, try BundleSample.bytes(ours, version: 16)) == .older)
            #expect(code(memory, try BundleSample.bytes(ours, version: 17)) == nil)
            #expect(code(memory, try BundleSample.bytes(ours, version: 17, files: other)) == .changed)
            #expect(code(memory, try BundleSample.bytes(ours, version: 18, files: other)) == nil)
        }
    }

    @Test("Where a bundle is demanded, documents, presets and overlays without one are refused with the way out")
    func unsigned() throws {
        let memory = try memory(demanding: ours)
        do throws(BundleProblem) {
            try memory.allowUnsigned("overlay.yaml")
            Issue.record("an unsigned policy was taken")
        } catch {
            #expect(error.code == .unsigned)
            #expect(error.message.contains("overlay.yaml"))
            #expect(error.message.contains(ours.publicKey.description))
            #expect(error.message.contains("weir policy bundle make"))
        }
        try self.memory(demanding: nil).allowUnsigned("policy.yaml")
        try BundleMemory().allowUnsigned("preset report")
    }

    @Test("Where a bundle is demanded, another key and another name are refused, however high the version")
    func strangers() throws {
        let memory = try memory(demanding: ours)
        #expect(code(memory, try BundleSample.bytes(theirs, version: 99)) == .untrustedKey)
        #expect(code(memory, try BundleSample.bytes(ours, name: "servers", version: 99)) == .otherName)
    }

    @Test("Where nothing is demanded, another key and another name start anew")
    func anew() throws {
        let memory = try memory(demanding: nil)
        #expect(code(memory, try BundleSample.bytes(theirs, version: 18)) == nil)
        #expect(code(memory, try BundleSample.bytes(theirs, name: "servers", version: 1)) == nil)
    }

    @Test("A bundle signed with the demanded key may hand the demand to the next key, and the old one is refused then")
    func rotation() throws {
        var memory = try memory(demanding: ours)
        memory.take(try memory.read(try BundleSample.bytes(ours, version: 18)), settings(demanding: theirs))
        #expect(code(memory, try BundleSample.bytes(ours, version: 19)) == .untrustedKey)
        #expect(code(memory, try BundleSample.bytes(theirs, version: 19)) == nil)
        #expect(code(memory, try BundleSample.bytes(theirs, version: 17)) == .older)
    }

    @Test("A document that demands a bundle is followed by one of any version")
    func first() throws {
        var memory = BundleMemory()
        memory.take(nil, settings(demanding: ours))
        #expect(code(memory, try BundleSample.bytes(ours, version: 1)) == nil)
        #expect(code(memory, try BundleSample.bytes(theirs, version: 1)) == .untrustedKey)
        // What was taken before the demand still counts.
        memory = try self.memory(demanding: nil)
        memory.take(nil, settings(demanding: ours))
        #expect(code(memory, try BundleSample.bytes(ours, version: 16)) == .older)
    }

    @Test("A demand that is no key trusts nobody")
    func brokenDemand() throws {
        let memory = BundleMemory(demand: PolicySettings.BundleDemand(key: [1, 2, 3]))
        #expect(code(memory, try BundleSample.bytes(ours)) == .untrustedKey)
    }
}
