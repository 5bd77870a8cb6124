// SPDX-License-Identifier: Apache-2.0

// Reads and verifies a Mach-O file: every slice, every check, nothing left out because of an earlier finding.

import FlowModel

/// Examines code as `codesign --verify --strict --all-architectures` does, and says what it saw.
///
/// No trust is decided here: a valid signature may be anybody's, and only a requirement says whose it must be. Time and
/// memory are bounded: the file is read twice at most, in chunks.
public struct CodeExaminer: Sendable {
    /// SHA-256 of the roots that stand for Apple's; a test may put its own here.
    public var appleRoots: Set<[UInt8]>
    /// Seconds since 1970-01-01 UTC; asked only for code that is signed to expire.
    public var now: Int64
    /// Whether the pages are hashed.
    ///
    /// Without it no slice is verified, whatever else holds: for a quick look at what files claim.
    public var hashesPages: Bool

    public init(appleRoots: Set<[UInt8]> = AppleRoots.sha256, now: Int64, hashesPages: Bool = true) {
        self.appleRoots = appleRoots
        self.now = now
        self.hashesPages = hashesPages
    }

    /// Examines a file, alone or as the main executable of a bundle.
    ///
    /// Throws `notMachO` for anything else, `changed` when the source changed meanwhile, since structure and pages are
    /// read one after the other, and what the source throws; everything that is wrong with a Mach-O file is in the
    /// report.
    public func examine(
        _ source: any ByteSource, bundle: CodeBundle? = nil, detached: DetachedSignature? = nil
    ) throws(CodeProblem) -> CodeReport {
        let file = try MachOFile.read(source)
        // Slices over the same bytes cannot hold, and reading each would multiply a small file into hours and gigabytes.
        let overlap = file.problems.contains { $0.code == .sliceOverlap }
        var reports = file.slices.map { overlap ? SliceReport($0) : read($0, bundle, detached) }
        guard source.isUnchanged else {
            throw CodeProblem(.changed, "the file was written while it was examined; examine it again")
        }
        let problems = file.problems + (detached?.problems ?? []) + (bundle?.problems ?? [])
        let others = reports.map { report in
            DesignatedRequirement.OtherSlice(
                team: report.signature?.best.team, directories: report.signature?.directories.map(\.digest) ?? [])
        }
        for index in reports.indices {
            // What two readers take differently (container, detached signature, bundle) spoils each slice.
            if let problem = problems.first { reports[index].refuse(\.structure, problem) }
            var rest = others
            rest.remove(at: index)
            conclude(&reports[index], rest)
        }
        return CodeReport(isUniversal: file.isUniversal, slices: reports, problems: problems, bundle: bundle)
    }

    private func read(_ slice: MachOSlice, _ bundle: CodeBundle?, _ detached: DetachedSignature?) -> SliceReport {
        var report = SliceReport(slice)
        for problem in slice.problems { report.refuse(\.structure, problem) }
        do throws(CodeProblem) {
            let signature =
                if let detached { try detached.signature(for: slice) } else { try EmbeddedSignature.read(slice) }
            guard let signature else { return report }
            report.signature = signature
            for problem in signature.problems { report.refuse(\.structure, problem) }
        } catch {
            report.refuse(\.structure, error)
            return report
        }
        checkPages(&report)
        checkComponents(&report, bundle)
        checkSignature(&report)
        return report
    }

    private func checkPages(_ report: inout SliceReport) {
        guard hashesPages, let signature = report.signature else { return }
        report.validity.pages = .ok
        do throws(CodeProblem) {
            for page in try PageCheck.badPages(report.slice.source, signature.directories) {
                report.refuse(
                    \.pages,
                    CodeProblem(
                        .pageMismatch, at: report.slice.offset &+ page.offset,
                        "page \(page.page) is not the one in the directory of slot \(String(page.directory, radix: 16))"
                    ))
            }
        } catch {
            report.refuse(\.pages, error)
        }
    }

    private func checkComponents(_ report: inout SliceReport, _ bundle: CodeBundle?) {
        guard let signature = report.signature else { return }
        report.validity.slots = .ok
        var info: [UInt8]?
        do throws(CodeProblem) {
            info = if let bundle { bundle.infoBytes } else { try report.slice.readInfoPlist() }
        } catch {
            report.refuse(\.structure, error)
        }
        let external = ExternalComponents(
            infoPlist: info.map { .bytes($0) } ?? .none, codeResources: bundle?.sealBytes.map { .bytes($0) } ?? .none,
            // In code this component stands in the signature, if anywhere.
            repSpecific: signature.superBlob.blob(SpecialSlot.repSpecific.rawValue).map { .bytes(Array($0)) } ?? .none)
        report.slots = signature.slotOutcomes(signature.best, external)
        for slot in signature.brokenSlots(external) {
            report.refuse(
                \.slots,
                CodeProblem(
                    .slotMismatch, "slot \(slot.rawValue) (\(slot)) is sealed, and what stands there is not what was"))
        }
        if let info, signature.best.specialHash(Int(SpecialSlot.infoPlist.rawValue)) != nil {
            if let values = try? PropertyList.read(info).dictionary {
                report.info = values
            } else {
                report.refuse(\.structure, CodeProblem(.infoUnreadable, "Info.plist is no dictionary that can be read"))
            }
        }
        report.entitlements = Entitlements(
            xml: signature.entitlementsXML.map(Array.init), der: signature.entitlementsDER.map(Array.init))
        for problem in report.entitlements.problems { report.refuse(\.structure, problem) }
        if let blob = signature.requirementSet {
            do throws(CodeProblem) {
                let set = try RequirementSet(blob: Array(blob))
                report.requirements = set
                report.remarks += set.problems
            } catch {
                report.refuse(\.structure, error)
            }
        }
    }

    private func checkSignature(_ report: inout SliceReport) {
        guard let signature = report.signature else { return }
        report.validity.team = signature.best.team == nil ? .absent : .claimed
        guard let bytes = signature.cms else { return }
        report.validity.signature = .ok
        report.validity.chain = .ok
        let cms: CMSSignature
        do throws(CodeProblem) {
            cms = try CMSSignature.read(Array(bytes))
        } catch {
            report.refuse(\.signature, error)
            return
        }
        let proof = CMSVerifier(appleRoots: appleRoots).verify(
            cms,
            over: SignedDirectories(
                slotZero: Array(signature.directories[0].bytes), digests: signature.directories.map(\.digest),
                team: signature.best.team, flags: signature.best.flags), now: now)
        report.proof = proof
        report.remarks += proof.remarks
        for outcome in [proof.messageDigest, proof.signature, proof.agility, proof.timestamp] {
            if let problem = outcome.problem { report.refuse(\.signature, problem) }
        }
        if let problem = proof.path.problem { report.refuse(\.chain, problem) }
        switch proof.team {
        case .absent: report.validity.team = .absent
        case .claimed: report.validity.team = .claimed
        case .proved: report.validity.team = .ok
        case .refused(let problem): report.refuse(\.team, problem)
        }
    }

    /// Derives the designated requirement, and the verified identity where every check held.
    private func conclude(_ report: inout SliceReport, _ others: [DesignatedRequirement.OtherSlice]) {
        guard let signature = report.signature else { return }
        let best = signature.best
        let chain = report.proof?.chain ?? []
        do throws(CodeProblem) {
            report.implicitDesignated =
                if signature.signing == .cms {
                    try DesignatedRequirement(
                        identifier: best.identifier, certificates: chain, appleRoots: appleRoots)
                } else {
                    try DesignatedRequirement(
                        directories: signature.directories.map(\.digest), team: best.team, otherSlices: others)
                }
        } catch {
            report.remarks.append(error)
        }
        report.designated = report.implicitDesignated
        do throws(CodeProblem) {
            if let explicit = try report.requirements?.requirement(.designated) {
                report.designated = DesignatedRequirement(explicit: explicit.expression)
            }
        } catch {
            report.refuse(\.structure, error)
        }
        guard report.problems.isEmpty, hashesPages, signature.signing != .unsigned,
            signature.signing != .cms || report.proof?.isValid == true
        else { return }
        report.verified = VerifiedIdentity(
            subject: CodeSubject(
                identifier: best.identifier, cdhash: best.cdhash, team: best.team, platform: best.platform,
                flags: best.flags, certificates: chain, info: report.info, entitlements: report.entitlements.values,
                secureTimestamp: report.proof?.secureTimestamp, appleRoots: appleRoots),
            signer: report.proof?.signerClass, provedTeam: report.proof?.team == .proved ? best.team : nil,
            injection: Entitlements.injectionPaths(flags: best.flags, entitlements: report.entitlements.values))
    }
}

extension SliceReport {
    /// Notes that a check failed; the first problem of a check is the one that it is named by.
    fileprivate mutating func refuse(
        _ check: WritableKeyPath<SliceValidity, CheckOutcome>, _ problem: CodeProblem
    ) {
        if validity[keyPath: check].problem == nil { validity[keyPath: check] = .failed(problem) }
        guard problems.count < CodeIdentityLimits.sliceProblems.value, !problems.contains(problem) else { return }
        problems.append(problem)
    }
}
