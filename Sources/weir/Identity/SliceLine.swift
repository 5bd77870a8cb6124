// SPDX-License-Identifier: Apache-2.0

// One slice of a Mach-O file as a line of JSON.

import CodeIdentity
import Foundation

/// What `weir identity --format json` says of one slice.
///
/// Numbers that Apple writes in hexadecimal (`version`, `flags`) are hexadecimal text; hashes are lower-case hexadecimal.
struct SliceLine: Encodable {
    struct Directory: Encodable {
        let slot: UInt32
        let version: String
        let flags: String
        let hashType: String
        let pageShift: UInt8
        let platform: UInt8
        let identifier: String
        let team: String?
        let cdhash: String
        let fullDigest: String
        let codeLimit: UInt64
        let runtime: String?

        init(_ directory: CodeDirectory) {
            slot = directory.slot
            version = String(directory.version, radix: 16)
            flags = String(directory.flags.rawValue, radix: 16)
            hashType = directory.hashType.name
            pageShift = directory.pageShift
            platform = directory.platform
            identifier = directory.identifierText
            team = directory.teamText
            cdhash = directory.cdhash.description
            fullDigest = directory.digest.full.hexadecimal
            codeLimit = directory.codeLimit
            runtime = directory.runtime?.description
        }
    }

    struct Certificate: Encodable {
        let subject: String
        let sha1: String
        let sha256: String
        let markers: [String]
        let notBefore: Date
        let notAfter: Date

        init(_ facts: CertificateFacts) {
            subject = facts.printableSubject
            sha1 = facts.sha1.hexadecimal
            sha256 = facts.sha256.hexadecimal
            markers = facts.appleMarkerTexts
            notBefore = Date(timeIntervalSince1970: TimeInterval(facts.notBefore))
            notAfter = Date(timeIntervalSince1970: TimeInterval(facts.notAfter))
        }
    }

    struct Designated: Encodable {
        let text: String
        let hex: String?
        let source: String
    }

    struct Valid: Encodable {
        let structure: String
        let pages: String
        let slots: String
        let signature: String
        let chain: String
        let team: String

        init(_ validity: SliceValidity) {
            structure = validity.structure.name
            pages = validity.pages.name
            slots = validity.slots.name
            signature = validity.signature.name
            chain = validity.chain.name
            team = validity.team.name
        }
    }

    let path: String
    let arch: String
    let offset: UInt64
    let size: UInt64
    let identifier: String?
    let team: String?
    let cdhash: String?
    let signing: String
    let signer: String?
    let flags: [String]
    let codeDirectories: [Directory]
    let certificates: [Certificate]
    let signingTime: Date?
    let secureTimestamp: Date?
    let designated: Designated?
    let entitlements: [String: PropertyListJSON]
    let valid: Valid
    let verified: Bool
    let injectable: [String]
    let problems: [ProblemLine]
    let remarks: [ProblemLine]

    init(_ report: SliceReport, of file: CodeReport, path: String) {
        self.path = path
        arch = report.slice.architecture.description
        offset = report.slice.offset
        size = report.slice.size
        identifier = report.claimed?.identifierText
        team = report.claimed?.teamText
        cdhash = report.claimed?.cdhash.description
        signing = report.signing.rawValue
        signer = report.verified?.signer?.rawValue
        flags = report.claimed?.flags.names ?? []
        codeDirectories = report.signature?.directories.map(Directory.init) ?? []
        certificates = report.proof?.chain.map(Certificate.init) ?? []
        signingTime = report.proof?.signingTime.map { Date(timeIntervalSince1970: TimeInterval($0)) }
        secureTimestamp = report.proof?.secureTimestamp.map { Date(timeIntervalSince1970: TimeInterval($0)) }
        designated = report.designated.map { designated in
            let requirement = try? Requirement(designated.expression)
            return Designated(
                text: requirement?.text ?? "", hex: requirement?.blob?.hexadecimal, source: designated.source.rawValue)
        }
        entitlements = report.entitlements.values.mapValues(PropertyListJSON.init)
        valid = Valid(report.validity)
        verified = report.verified != nil
        injectable = report.verified?.injection.map(\.rawValue) ?? []
        problems = (report.problems + file.wholeProblems).map(ProblemLine.init)
        remarks = report.remarks.map(ProblemLine.init)
    }
}

extension CodeReport {
    /// What is wrong with the file as a whole and stands in no slice.
    var wholeProblems: [CodeProblem] { (disagreement.map { [$0] } ?? []) + (seal?.problems ?? []) }
}

extension Sequence<UInt8> {
    /// Two lower-case digits for each byte.
    var hexadecimal: String { map { String(format: "%02x", $0) }.joined() }
}
