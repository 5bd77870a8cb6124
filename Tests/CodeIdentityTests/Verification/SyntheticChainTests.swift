// SPDX-License-Identifier: Apache-2.0

// Whole files under a root that stands for Apple's: what no real file can show, from the bytes to the requirement.

import Testing

@testable import CodeIdentity

@Suite("Files of a synthetic Apple") struct SyntheticChainTests {
    /// A signed program and how to look at it.
    private struct Made {
        let bytes: [UInt8]
        var examiner = CodeExaminer(now: 1_795_000_000)

        func report() throws -> CodeReport { try examiner.examine(MemoryBytes(bytes)) }
        func slice() throws -> SliceReport { try report().slices[0] }
    }

    /// Signs the directories of a slice; the root of the signature stands for Apple's.
    private func make(_ signer: SyntheticSigner, _ slice: SyntheticSlice) -> Made {
        var slice = slice
        var roots: Set<[UInt8]> = []
        let slots = slice.directories.map(\.slot)
        slice.cms = { blobs in
            let digests = zip(blobs, slots).compactMap { try? CodeDirectory($0[...], slot: $1).digest }
            guard let signed = try? signer.sign(SyntheticDirectories(slotZero: blobs[0], digests: digests)) else {
                return []
            }
            roots = signed.appleRoots
            return signed.cms
        }
        let bytes = slice.bytes()
        return Made(bytes: bytes, examiner: CodeExaminer(appleRoots: roots, now: 1_795_000_000))
    }

    private func slice(
        team: String? = nil, flags: CodeSignatureFlags = [.runtime], _ types: [CodeHashType] = [.sha256]
    ) -> SyntheticSlice {
        var slice = SyntheticSlice()
        slice.directories = types.enumerated().map { index, type in
            SyntheticDirectory(
                slot: index == 0 ? 0 : 0x1000 + UInt32(index - 1), flags: flags, hashType: type, team: team)
        }
        return slice
    }

    @Test("Apple's own software is anchor apple, and nobody else's is")
    func appleAnchor() throws {
        let apple = make(.appleSoftware(), slice())
        #expect(try apple.report().isValid)
        #expect(try apple.report().meets("anchor apple and identifier \"org.example.tool\""))
        #expect(try apple.report().meets("anchor apple generic"))
        #expect(try apple.slice().verified?.signer == .apple)

        let vendor = make(.developerID(), slice(team: "TEAM123456"))
        #expect(try vendor.report().meets("anchor apple generic"))
        #expect(try !vendor.report().meets("anchor apple"))
        #expect(try vendor.slice().verified?.signer == .developerID)
    }

    @Test("The same file is nobody's where its root is not Apple's")
    func otherRoot() throws {
        var made = make(.appleSoftware(), slice())
        made.examiner.appleRoots = AppleRoots.sha256
        #expect(try made.report().isValid)
        #expect(try !made.report().meets("anchor apple"))
        #expect(try !made.report().meets("anchor apple generic"))
        #expect(try made.slice().verified?.signer == .other)
    }

    @Test("A leaf without the mark is Apple's by the old rule only")
    func leafMarker() throws {
        var signer = SyntheticSigner.appleSoftware()
        signer.leaf = .leaf("Software Signing", usage: ObjectIdentifiers.codeSigning, key: .p256())
        let made = make(signer, slice())
        #expect(try made.report().isValid)
        #expect(try !made.report().meets("anchor apple"))
        #expect(try made.report().meets("anchor apple", EvaluationRules(appleAnchor: .beforeLeafMarker)))
    }

    @Test("The mark on a leaf of another authority of Apple's is not anchor apple")
    func otherAuthority() throws {
        var signer = SyntheticSigner.appleSoftware()
        signer.intermediate = .authority("Developer ID Certification Authority", key: .p256())
        let made = make(signer, slice())
        #expect(try made.report().isValid)
        for rule in [AppleAnchorRule.current, .beforeLeafMarker] {
            #expect(try !made.report().meets("anchor apple", EvaluationRules(appleAnchor: rule)))
        }
    }

    @Test("A team is proved by the leaf that bears it, claimed without one, and refused beside another")
    func team() throws {
        let own = try make(.developerID(team: "TEAM123456"), slice(team: "TEAM123456")).slice()
        #expect(own.verified?.provedTeam == Array("TEAM123456".utf8))
        #expect(own.validity.team == .ok)

        let stolen = make(.developerID(team: "TEAM123456"), slice(team: "APPLETEAM0"))
        #expect(try stolen.slice().refusals == ["team": .teamMismatch])
        #expect(try !stolen.report().meets("anchor apple generic"))

        // A chain of one's own may say anything, and proves nothing.
        var foreign = make(.developerID(team: "TEAM123456"), slice(team: "TEAM123456"))
        foreign.examiner.appleRoots = AppleRoots.sha256
        let claimed = try foreign.slice()
        #expect(claimed.verified != nil)
        #expect(claimed.verified?.provedTeam == nil)
        #expect(claimed.validity.team == .claimed)
    }

    @Test("An expired leaf holds by its timestamp, or because nobody asked; code that expires asks")
    func expired() throws {
        var signer = SyntheticSigner.developerID()
        signer.leaf.notAfter = "250601000000Z"
        let expires = slice(team: "TEAM123456", flags: [.runtime, .expires])
        #expect(try make(signer, expires).report().isValid, "signed while it was valid")

        signer.timestamp = "20250701000000Z"
        #expect(try make(signer, slice(team: "TEAM123456")).slice().refusals == ["chain": .chainValidity])

        signer.timestamp = nil
        #expect(try make(signer, slice(team: "TEAM123456")).report().isValid)
        let expired = make(signer, expires)
        #expect(try expired.slice().refusals == ["chain": .chainValidity])
        #expect(try !expired.report().meets("anchor apple generic"))
        var earlier = expired
        earlier.examiner.now = 1_740_000_000
        #expect(try earlier.report().isValid)
    }

    @Test("The best directory is the code's when the signature names them all, and nothing is when it does not")
    func alternates() throws {
        var signer = SyntheticSigner.developerID()
        let both = slice(team: "TEAM123456", [.sha1, .sha256])
        let named = try make(signer, both).slice()
        #expect(named.verified?.subject.cdhash == named.signature?.directories[1].cdhash)
        let sha1 = try #require(named.signature?.directories[0].cdhash)
        #expect(try !make(signer, both).report().meets("cdhash H\"\(sha1)\""))

        signer.agility = []
        #expect(try make(signer, both).slice().refusals == ["signature": .agilityMissing])
        #expect(try make(signer, slice(team: "TEAM123456")).report().isValid)
    }

    @Test("Whoever makes his own authority meets every rule that goes by names, and each such rule is told weak")
    func names() throws {
        var attacker = make(.developerID(team: "TEAM123456"), slice(team: "TEAM123456"))
        attacker.examiner.appleRoots = AppleRoots.sha256
        for text in [
            "identifier \"org.example.tool\"", "certificate leaf[subject.CN] = \"Developer ID Application: \"*",
            "certificate leaf[subject.OU] = TEAM123456 and identifier \"org.example.tool\"",
            "certificate 1[field.1.2.840.113635.100.6.2.6] exists", "!anchor apple", "entitlement[x] absent",
        ] {
            #expect(try attacker.report().meets(text), "\(text)")
            #expect(try !RequirementWeakness.all(of: Requirement(text: text).expression).isEmpty, "\(text)")
            let anchored = try Requirement(text: "anchor apple generic and (\(text))")
            #expect(try !attacker.report().meets(anchored.text), "\(text)")
        }
        let anybody = try Requirement(text: "anchor apple generic").expression
        #expect(RequirementWeakness.all(of: anybody) == [.anyAppleCertificate("anchor apple generic")])
    }

    @Test("Two slices of one signer are one program; one with another's signature is not")
    func universal() throws {
        let arm = slice(team: "TEAM123456")
        var intel = arm
        (intel.cpuType, intel.cpuSubtype) = (Architecture.x86, 3)
        let first = make(.developerID(), arm)
        let second = make(.developerID(), intel)
        let bytes = SyntheticUniversal.bytes([(arm, first.bytes), (intel, second.bytes)])
        var both = Made(bytes: bytes)
        both.examiner.appleRoots = first.examiner.appleRoots.union(second.examiner.appleRoots)
        #expect(try both.report().meets("anchor apple generic and certificate leaf[subject.OU] = TEAM123456"))
        both.examiner.appleRoots = first.examiner.appleRoots
        #expect(try both.report().isValid)
        #expect(try !both.report().meets("anchor apple generic"))
    }
}
