// SPDX-License-Identifier: Apache-2.0

// The code signature of one slice: its directories, its components and who claims to have signed.

/// How code is signed; the names are those of the output.
public enum CodeSigning: String, Sendable, Hashable, Codable {
    /// A CMS signature stands there; nothing says yet that it is good.
    case cms
    /// Sealed by hashes, and signed by nobody.
    case adhoc
    /// Sealed by the linker.
    case adhocLinker = "adhoc-linker"
    case unsigned
}

/// A code signature as it stands in a slice or in a file of its own: a claim, consistent in itself.
public struct EmbeddedSignature: Sendable {
    static let cmsSlot: UInt32 = 0x10000
    private static let alternates: ClosedRange<UInt32> = 0x1000...0x1004

    public let superBlob: SuperBlob
    /// That of slot 0, whose bytes the CMS signature covers, and then the alternates in the order of their slots.
    public let directories: [CodeDirectory]
    /// The one of the best hash: its identifier, team, flags and cdhash are those of the code.
    public let best: CodeDirectory
    public let signing: CodeSigning
    /// The CMS signature without its wrapper; nil when there is none, or an empty one.
    public let cms: ArraySlice<UInt8>?
    /// Any of these means that Weir does not trust the signature.
    public let problems: [CodeProblem]

    /// Reads the signature of a slice; nil when the slice has none.
    ///
    /// Throws `superBlobInvalid`, `codeDirectoryMissing`, `codeDirectoryInvalid`, `codeDirectoryUnsupported`,
    /// `unsignedBytes` when a directory covers less than all that precedes the signature, `outOfBounds`, `limit`,
    /// and what the source throws.
    public static func read(_ slice: MachOSlice) throws(CodeProblem) -> EmbeddedSignature? {
        guard let range = slice.codeSignature else { return nil }
        let superBlob = try SuperBlob.read(
            slice.source, at: range.lowerBound, available: range.upperBound - range.lowerBound,
            magic: BlobMagic.embeddedSignature, base: slice.offset)
        return try EmbeddedSignature(
            superBlob, signedLength: slice.signedLength, base: slice.offset &+ range.lowerBound)
    }

    /// Judges a superblob that signs `signedLength` bytes of Mach-O code; the errors are those of `read`.
    ///
    /// `base` is where the superblob begins in what is being read, for errors.
    public init(_ superBlob: SuperBlob, signedLength: UInt64, base: UInt64 = 0) throws(CodeProblem) {
        var directories: [CodeDirectory] = []
        var problems = superBlob.problems
        for slot in [0] + Array(Self.alternates) {
            guard let blob = superBlob.blob(slot), let entry = superBlob.entry(slot) else {
                if slot != 0 { continue }
                throw CodeProblem(.codeDirectoryMissing, at: base, "no code directory in slot 0")
            }
            let place = base &+ UInt64(entry.offset)
            let directory = try CodeDirectory(blob, slot: slot, base: place)
            guard directory.codeLimit >= signedLength else {
                throw CodeProblem(
                    .unsignedBytes, at: place,
                    "\(directory.codeLimit) bytes are hashed, \(signedLength) precede the signature")
            }
            if directory.codeLimit > signedLength {
                problems.append(
                    CodeProblem(
                        .codeLimit, at: place,
                        "\(directory.codeLimit) bytes are claimed, \(signedLength) precede the signature"))
            }
            if ![12, 14].contains(directory.pageShift) {
                problems.append(CodeProblem(.pageSize, at: place, "pages of 2^\(directory.pageShift) bytes"))
            }
            directories.append(directory)
        }
        var best = directories[0]
        for directory in directories.dropFirst() where directory.hashType.rank > best.hashType.rank {
            best = directory
        }
        let cms = superBlob.payload(Self.cmsSlot, magic: BlobMagic.wrapper).flatMap { $0.isEmpty ? nil : $0 }
        problems += Self.disagreements(directories, base)
        problems += Self.componentProblems(superBlob, best, base)
        problems += Self.signerProblems(directories, hasCMS: cms != nil, base)

        self.superBlob = superBlob
        self.directories = directories
        self.best = best
        self.cms = cms
        self.problems = problems
        if cms != nil {
            signing = .cms
        } else if best.flags.contains(.adhoc) {
            signing = best.flags.contains(.linkerSigned) ? .adhocLinker : .adhoc
        } else {
            signing = .unsigned
        }
    }

    /// A component of the signature, header included, if the best directory has a hash for it.
    ///
    /// Whether the hash is that of the component, `slotOutcomes` says. A component without a hash counts as not there.
    public func component(_ slot: SpecialSlot) -> ArraySlice<UInt8>? {
        guard let magic = slot.blobMagic, best.specialHash(Int(slot.rawValue)) != nil,
            superBlob.entry(slot.rawValue)?.magic == magic
        else { return nil }
        return superBlob.blob(slot.rawValue)
    }

    /// The requirement set, a whole blob.
    public var requirementSet: ArraySlice<UInt8>? { component(.requirements) }
    /// The entitlements as an XML property list.
    public var entitlementsXML: ArraySlice<UInt8>? { component(.entitlements)?.dropFirst(8) }
    /// The entitlements as DER.
    public var entitlementsDER: ArraySlice<UInt8>? { component(.derEntitlements)?.dropFirst(8) }

    private static func disagreements(_ directories: [CodeDirectory], _ base: UInt64) -> [CodeProblem] {
        var problems: [CodeProblem] = []
        var types: Set<CodeHashType> = []
        for (index, directory) in directories.enumerated() {
            if !types.insert(directory.hashType).inserted {
                problems.append(
                    CodeProblem(.duplicateHashType, at: base, "a second directory of \(directory.hashType.name)"))
            }
            if index > 0, directory.slot != alternates.lowerBound + UInt32(index - 1) {
                problems.append(
                    CodeProblem(
                        .alternateGap, at: base,
                        "alternate \(index) stands in slot \(String(directory.slot, radix: 16))"))
            }
            if directory.identifier != directories[0].identifier || directory.team != directories[0].team {
                problems.append(
                    CodeProblem(
                        .directoriesDisagree, at: base,
                        "the directory in slot \(String(directory.slot, radix: 16)) names other code than slot 0"))
            }
        }
        return problems
    }

    private static func componentProblems(
        _ superBlob: SuperBlob, _ best: CodeDirectory, _ base: UInt64
    ) -> [CodeProblem] {
        var problems: [CodeProblem] = []
        for slot in SpecialSlot.allCases {
            guard let magic = slot.blobMagic, let entry = superBlob.entry(slot.rawValue), entry.offset != 0 else {
                continue
            }
            let place = base &+ UInt64(entry.offset)
            if entry.magic != magic {
                problems.append(CodeProblem(.slotMagic, at: place, "slot \(slot.rawValue) holds another kind of blob"))
            }
            if best.specialHash(Int(slot.rawValue)) == nil {
                problems.append(
                    CodeProblem(.unsealedComponent, at: place, "no hash stands for the blob in slot \(slot.rawValue)"))
            }
        }
        if let entry = superBlob.entry(cmsSlot), entry.offset != 0, entry.magic != BlobMagic.wrapper {
            problems.append(
                CodeProblem(.slotMagic, at: base &+ UInt64(entry.offset), "the CMS signature is not in its wrapper"))
        }
        return problems
    }

    private static func signerProblems(
        _ directories: [CodeDirectory], hasCMS: Bool, _ base: UInt64
    ) -> [CodeProblem] {
        // Any directory: the kernel and user space need not take the same one.
        if hasCMS, directories.contains(where: { $0.flags.contains(.adhoc) }) {
            return [CodeProblem(.adhocWithCMS, at: base, "the ad-hoc flag is set on code with a CMS signature")]
        }
        if !hasCMS, directories.contains(where: { !$0.flags.contains(.adhoc) }) {
            return [CodeProblem(.nobodySigned, at: base, "no CMS signature and no ad-hoc flag: sign the file again")]
        }
        return []
    }
}
