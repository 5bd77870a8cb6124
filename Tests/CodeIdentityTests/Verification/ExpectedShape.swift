// SPDX-License-Identifier: Apache-2.0

// A report in the form of Tests/Vectors/codesign/expected.json.

import Crypto
import Foundation

@testable import CodeIdentity

struct ExpectedShape {
    let slices: [[String: Any]]

    init(_ report: CodeReport) throws { slices = try report.slices.map { try Self.slice($0, in: report.bundle) } }

    private static func slice(_ report: SliceReport, in bundle: CodeBundle?) throws -> [String: Any] {
        let slice = report.slice
        var shape: [String: Any] = [
            "arch": slice.architecture.description, "cpusubtype": slice.architecture.subtype, "offset": slice.offset,
            "size": slice.size, "filetype": slice.fileType, "signing": report.signing.rawValue,
        ]
        guard let signature = report.signature, let range = slice.codeSignature, let claimed = report.claimed else {
            return shape
        }
        shape["superblob"] = [
            "dataoff": range.lowerBound, "datasize": range.upperBound - range.lowerBound,
            "length": signature.superBlob.bytes.count,
            "index": signature.superBlob.entries.map { entry -> [String: Any] in
                ["slot": entry.type, "magic": String(entry.magic, radix: 16), "length": entry.length]
            },
        ]
        shape["code_directories"] = signature.directories.map { directory(report, signature, $0, in: bundle) }
        shape["cdhash"] = claimed.cdhash.description
        shape["identifier"] = claimed.identifierText
        shape["team"] = claimed.teamText ?? NSNull()
        if let proof = report.proof {
            shape["cms"] = cms(proof)
            shape["signer_class"] = report.verified?.signer?.rawValue
        }
        if let set = report.requirements, let blob = set.blob {
            shape["requirements_hex"] = Hexadecimal.text(blob)
            shape["requirements_text"] = set.appleText.trimmingCharacters(in: .newlines)
        }
        let implicit = try report.implicitDesignated.map { try Requirement($0.expression) }
        shape["implicit_dr_hex"] = implicit?.blob.map { Hexadecimal.text($0) }
        shape["implicit_dr_text"] = implicit?.appleText
        let explicit = report.designated.flatMap { $0.source == .explicit ? $0.expression : nil }
        shape["explicit_dr_text"] = try explicit.map { try Requirement($0).appleText } ?? NSNull()
        if report.entitlements.source != .none { shape["entitlements"] = report.entitlements.values.mapValues(json) }
        for (name, bytes) in [("xml", signature.entitlementsXML), ("der", signature.entitlementsDER)] {
            guard let bytes else { continue }
            shape["entitlements_\(name)_sha256"] = Hexadecimal.text(SHA256.hash(data: Array(bytes)))
        }
        return shape
    }

    private static func directory(
        _ report: SliceReport, _ signature: EmbeddedSignature, _ directory: CodeDirectory, in bundle: CodeBundle?
    ) -> [String: Any] {
        var special: [String: Any] = [:]
        for (slot, outcome) in report.slots {
            guard let hash = directory.specialHash(Int(slot.rawValue)) else { continue }
            let fromBundle = bundle != nil && [.infoPlist, .codeResources].contains(slot) ? "-bundle" : ""
            special["\(slot.rawValue)"] = ["hash": Hexadecimal.text(hash), "check": outcome.rawValue + fromBundle]
        }
        return [
            "slot": directory.slot, "version": String(directory.version, radix: 16),
            "flags": String(directory.flags.rawValue, radix: 16), "flag_names": directory.flags.names,
            "hash_type": directory.hashType.name, "platform": directory.platform,
            "page_shift": directory.pageShift, "identifier": directory.identifierText,
            "team": directory.teamText ?? NSNull(), "n_special": directory.specialSlotCount,
            "n_code": directory.codeSlotCount, "code_limit": directory.codeLimit,
            "exec_seg": directory.executableSegment.map { [$0.base, $0.limit, $0.flags] } ?? NSNull(),
            "runtime": directory.runtime?.description ?? NSNull(),
            "full_digest": Hexadecimal.text(directory.digest.full), "cdhash": directory.cdhash.description,
            "special": special, "page_hashes_ok": report.validity.pages == .ok,
            // What the second reader said is that the cdhash is the same.
            "seen_by_second_reader": true,
        ]
    }

    private static func cms(_ proof: SignatureProof) -> [String: Any] {
        var shape: [String: Any] = [
            "chain": proof.chain.map(certificate), "chain_signatures_verify": proof.path == .proved,
            "anchor_is_apple_root": proof.anchoredAtApple,
            "certificates_order_in_cms": proof.certificates.map { Hexadecimal.text($0.sha1) },
            "digest_algorithm": proof.digestAlgorithm.rawValue,
            "message_digest_matches_slot0": proof.messageDigest == .proved,
            "signature_verifies": proof.signature == .proved,
            "timestamp_imprint_matches": proof.timestamp == .proved,
        ]
        shape["signing_time"] = proof.signingTime.map(time)
        shape["secure_timestamp"] = proof.secureTimestamp.map(time)
        shape["agility_v1_cdhashes"] = proof.agilityV1?.map { Hexadecimal.text($0) }
        shape["agility_v2"] = proof.agilityV2?.map { [dotted($0.algorithm), Hexadecimal.text($0.digest)] }
        return shape
    }

    private static func certificate(_ facts: CertificateFacts) -> [String: Any] {
        let names: [(String, [UInt8])] = [
            ("UID", ObjectIdentifiers.userID), ("CN", ObjectIdentifiers.commonName),
            ("OU", ObjectIdentifiers.organizationalUnit), ("O", ObjectIdentifiers.organization),
            ("C", ObjectIdentifiers.country),
        ]
        var subject: [String: Any] = [:]
        for (name, type) in names { subject[name] = facts.last(type).map { String(decoding: $0, as: UTF8.self) } }
        return [
            "subject": subject, "sha1": Hexadecimal.text(facts.sha1), "sha256": Hexadecimal.text(facts.sha256),
            "apple_oids": facts.appleMarkers.map(dotted), "not_before": time(facts.notBefore),
            "not_after": time(facts.notAfter),
        ]
    }

    private static func dotted(_ identifier: [UInt8]) -> String { ObjectIdentifiers.text(identifier) }

    private static func time(_ seconds: Int64) -> String {
        (CivilTime(secondsSince1970: seconds)?.iso8601 ?? "").replacingOccurrences(of: "Z", with: "+00:00")
    }

    private static func json(_ value: PropertyListValue) -> Any {
        switch value {
        case .string(let string): string
        case .integer(let integer): integer
        case .real(let real), .date(let real): real
        case .boolean(let boolean): boolean
        case .data(let bytes): Hexadecimal.text(bytes)
        case .array(let values): values.map(json)
        case .dictionary(let entries): entries.mapValues(json)
        }
    }
}
