// SPDX-License-Identifier: Apache-2.0

// Real signatures, changed inside: CMS, certificates, timestamp, code directories, entitlements.

import Testing

@testable import CodeIdentity

@Suite("Changed signatures") struct MutatedSignaturesTests {
    @Test("A change of a CMS signature is refused for what it is", arguments: Tampering.cms)
    func cms(_ tampering: Tampering) throws { try tampering.check(TamperedFile("scripts/uvx")) }

    @Test("A directory that the signature does not name never counts", arguments: Tampering.alternates)
    func alternates(_ tampering: Tampering) throws { try tampering.check(TamperedFile("scripts/uvx")) }

    @Test(
        "Without agility attributes a directory beside the signed one is refused",
        arguments: [
            CodeHashType.sha384, .sha1,
        ])
    func alternateWithoutAgility(_ type: CodeHashType) throws {
        try Tampering("", ["signature": .agilityMissing]) { file in
            // To make room.
            try file.editCMS { $0.timestamp = nil }
            try file.addDirectory(0x1000, type)
        }.check(TamperedFile("libtbbmalloc.2.10.dylib"))
    }

    @Test("Entitlements must be the sealed ones, and XML and DER must agree", arguments: Tampering.entitlements)
    func entitlements(_ tampering: Tampering) throws {
        try tampering.check(TamperedFile("MacOS/Mitmproxy Redirector"), slice: 1)
    }

    @Test("The CMS signature of one program does not sign another, not even one of the same vendor")
    func moved() throws {
        let other = try TamperedFile("libtbb.12.10.dylib")
        let places = try #require(other.slices[0].blobs[EmbeddedSignature.cmsSlot])
        let signature = Array(other.bytes[places])
        try Tampering("", ["signature": .cmsDigestMismatch]) { file in
            try file.rebuild { $0[$0.count - 1].blob = signature }
        }.check(TamperedFile("libtbbmalloc.2.10.dylib"))
    }

    @Test("Without its timestamp a signature holds as before, and nothing says when it was made")
    func withoutTimestamp() throws {
        var file = try TamperedFile("scripts/uvx")
        let before = try #require(try file.report().slices[0].verified)
        #expect(before.subject.secureTimestamp != nil)
        try file.editCMS { $0.timestamp = nil }
        let after = try #require(try file.report().slices[0].verified)
        #expect(after.subject.secureTimestamp == nil)
        #expect(after.subject.cdhash == before.subject.cdhash)
        #expect(after.provedTeam == before.provedTeam)
    }

    @Test("Whatever byte of a signature is changed: it is refused, or it is the same signature by the same signer")
    func everyPlace() throws {
        for name in ["scripts/uvx", "libtbbmalloc.2.10.dylib"] {
            var file = try TamperedFile(name)
            let before = try #require(try file.report().slices[0].verified)
            let signature = file.slices[0].signature
            let cms = try #require(file.slices[0].blobs[EmbeddedSignature.cmsSlot])
            // A step that is prime to all structure.
            for place in stride(from: signature.lowerBound, to: cms.upperBound, by: 23) {
                file.bytes = file.original
                file.flip(place)
                guard let after = try? file.report().slices[0].verified else { continue }
                // Lists that are read for nothing, and certificates that the path does not need.
                #expect(cms.contains(place) || place < signature.lowerBound + 12, "\(name) \(place)")
                #expect(after.subject.cdhash == before.subject.cdhash)
                #expect(after.subject.identifier == before.subject.identifier)
                #expect(after.provedTeam == before.provedTeam)
                #expect(after.subject.certificates == before.subject.certificates)
                // A timestamp under another name is none, which its absence would be too.
                #expect([nil, before.subject.secureTimestamp].contains(after.subject.secureTimestamp))
            }
        }
    }
}

extension Tampering {
    static let cms = [
        Tampering("the signature's octets", ["signature": .cmsSignatureWrong]) {
            try $0.editCMS { $0.signature[100] ^= 1 }
        },
        Tampering("the time of signing", ["signature": .cmsSignatureWrong]) {
            try $0.editCMS { cms in
                let place = try #require(cms.attribute(ObjectIdentifiers.signingTime))
                cms.signedAttributes[place][1, 0].content[5] ^= 1
            }
        },
        Tampering("the message digest", ["signature": .cmsDigestMismatch]) {
            try $0.editCMS { cms in
                let place = try #require(cms.attribute(ObjectIdentifiers.messageDigest))
                cms.signedAttributes[place][1, 0].content[5] ^= 1
            }
        },
        Tampering("the first agility attribute taken out", ["signature": .cmsSignatureWrong]) {
            try $0.editCMS { cms in
                cms.signedAttributes.remove(at: try #require(cms.attribute(ObjectIdentifiers.agilityV1)))
            }
        },
        Tampering("both agility attributes taken out", ["signature": .cmsSignatureWrong]) {
            try $0.editCMS { cms in
                cms.signedAttributes.remove(at: try #require(cms.attribute(ObjectIdentifiers.agilityV1)))
                cms.signedAttributes.remove(at: try #require(cms.attribute(ObjectIdentifiers.agilityV2)))
            }
        },
        Tampering("no signed attributes", ["signature": .cmsAttributeMissing]) {
            try $0.editCMS { $0.signer.children.remove(at: 3) }
        },
        Tampering("a signer more", ["signature": .cmsSignerCount]) {
            try $0.editCMS { cms in
                let last = cms.root[1, 0].children.count - 1
                cms.root[1, 0, last].children.append(cms.signer)
            }
        },
        Tampering("the leaf's signature", ["chain": .chainSignatureWrong]) { try $0.flipCertificate(0) },
        Tampering("the intermediate's signature", ["chain": .chainSignatureWrong]) { try $0.flipCertificate(1) },
        Tampering("the root's signature", ["chain": .chainSignatureWrong]) { try $0.flipCertificate(2) },
        Tampering("no leaf", ["signature": .cmsSignerUnknown, "chain": .cmsSignerUnknown]) {
            try $0.removeCertificate(0)
        },
        Tampering("no intermediate", ["chain": .chainIncomplete]) { try $0.removeCertificate(1) },
        Tampering("no root", ["chain": .chainIncomplete]) { try $0.removeCertificate(2) },
        Tampering("the timestamp's signature", ["signature": .cmsSignatureWrong]) {
            try $0.editCMS { $0.timestamp?.signature[20] ^= 1 }
        },
        Tampering("the time in the timestamp", ["signature": .cmsDigestMismatch]) {
            try $0.editTimestamp { info in info[4].content[3] ^= 1 }
        },
        Tampering("what the timestamp is of", ["signature": .timestampImprint]) {
            try $0.editTimestamp { info in info[2, 1].content[3] ^= 1 }
        },
        Tampering("the timestamp twice", ["signature": .cmsAttributeRepeated]) {
            try $0.editCMS { $0.unsignedAttributes += $0.unsignedAttributes }
        },
    ]

    static let alternates = [
        Tampering("of a better hash", ["structure": .directoriesDisagree, "signature": .agilityMismatch]) {
            try $0.addDirectory(0x1000, .sha384, identifier: "com.apple.Safari")
        },
        Tampering("of a better hash, under the same names", ["signature": .agilityMismatch]) {
            try $0.addDirectory(0x1000, .sha384)
        },
        Tampering("of SHA-1", ["signature": .agilityMismatch]) { try $0.addDirectory(0x1000, .sha1) },
        Tampering("in slot 0, the signed one beside it", ["signature": .cmsDigestMismatch]) {
            try $0.addDirectory(0, .sha1)
        },
        Tampering("with a gap before it", ["structure": .alternateGap, "signature": .agilityMismatch]) {
            try $0.addDirectory(0x1001, .sha384)
        },
        Tampering("in a second slot 0", ["structure": .duplicateSlot]) {
            try $0.addDirectory(0, .sha384, second: true)
        },
        Tampering("of the same hash", ["structure": .duplicateHashType, "signature": .agilityMismatch]) {
            try $0.addDirectory(0x1000, .sha256)
        },
    ]

    static let entitlements = [
        Tampering("XML alone", ["structure": .entitlementsDiffer, "slots": .slotMismatch]) {
            $0.replace("<key>com", by: "<key>cam", in: 5)
        },
        Tampering("DER alone", ["structure": .entitlementsDiffer, "slots": .slotMismatch]) { file in
            let blob = try #require(file.slices[1].blobs[7])
            let place = try #require(blob.first { file.bytes[$0] == 0xff && file.bytes[$0 - 1] == 1 })
            file.bytes[place] = 0
        },
        Tampering("XML taken out", ["slots": .slotMismatch]) {
            try $0.rebuild(1) { $0.removeAll { $0.slot == 5 } }
        },
        Tampering("DER taken out", ["slots": .slotMismatch]) {
            try $0.rebuild(1) { $0.removeAll { $0.slot == 7 } }
        },
        Tampering("another Info.plist in the bundle", ["slots": .slotMismatch]) {
            $0.bundle = try TamperedFile("MacOS/MacControlMCP").bundle
        },
    ]
}

extension TamperedFile {
    /// The place in the CMS signature of a certificate of the path: 0 is the leaf.
    private func place(_ certificate: Int, in cms: CMSTree) throws -> Int {
        let path = try #require(try TamperedFile(original, bundle: bundle).report().slices[0].proof).chain
        return try #require(cms.certificates.firstIndex { $0.encoded == path[certificate].der })
    }

    /// Changes TSTInfo, which the timestamp's authority signed.
    mutating func editTimestamp(_ change: (inout DERTree) -> Void) throws {
        try editCMS { cms in
            var token = try #require(cms.timestamp)
            var info = try #require(DERTree(token.root[1, 0, 2, 1, 0].content))
            change(&info)
            token.root[1, 0, 2, 1, 0].content = info.encoded
            cms.timestamp = token
        }
    }

    mutating func flipCertificate(_ certificate: Int) throws {
        let file = self
        try editCMS { cms in cms.certificates[try file.place(certificate, in: cms)][2].content[9] ^= 1 }
        // The timestamp must not bring the whole one.
        try editCMS { $0.timestamp = nil }
    }

    mutating func removeCertificate(_ certificate: Int) throws {
        let file = self
        try editCMS { cms in
            cms.certificates.remove(at: try file.place(certificate, in: cms))
            cms.timestamp = nil
        }
    }

    /// Puts in a directory of an attacker's, whose hashes are all right; the one in slot 0 makes room if it must.
    mutating func addDirectory(
        _ slot: UInt32, _ type: CodeHashType, identifier: String? = nil, second: Bool = false
    ) throws {
        let signed = try #require(try report().slices[0].claimed)
        let directory = SyntheticDirectory(
            slot: slot, flags: signed.flags, hashType: type, pageShift: 14,
            identifier: identifier ?? signed.identifierText, team: signed.teamText)
        let code = Array(bytes[..<slices[0].signature.lowerBound])
        try rebuild { blobs in
            let sealed = blobs.filter { (1...11).contains($0.slot) }
            let made = directory.blob(
                code: code, components: Dictionary(uniqueKeysWithValues: sealed.map { ($0.slot, $0.blob) }))
            if slot == 0, !second { blobs[0].slot = 0x1000 }
            blobs.insert((slot, made), at: slot == 0 && !second ? 0 : 1)
        }
    }

    /// Replaces a text in a blob of the second slice by one of the same length.
    mutating func replace(_ old: String, by new: String, in blob: UInt32) {
        guard let range = slices[1].blobs[blob] else { return }
        guard let place = range.first(where: { bytes[$0...].starts(with: old.utf8) }) else { return }
        bytes.replaceSubrange(place..<place + old.utf8.count, with: new.utf8)
    }
}
