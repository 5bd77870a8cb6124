// SPDX-License-Identifier: Apache-2.0

// One slice: what its header and load commands say of it.

import FlowModel

/// The code for one processor, and where its parts lie.
///
/// All ranges count from the first byte of the slice; the offsets in problems count from the start of the file.
public struct MachOSlice: Sendable {
    /// From the slice's own header, which is what runs.
    public let architecture: Architecture
    /// What the universal header says; nil in a thin file.
    public let claimedArchitecture: Architecture?
    /// The bytes of the slice.
    public let source: SourceRange
    /// 2 is a program, 6 a library, 8 a bundle, … (`mach-o/loader.h`).
    public let fileType: UInt32
    /// Bytes of header and load commands.
    public let headerEnd: UInt64
    /// Of the first `LC_CODE_SIGNATURE`; nil when the slice is not signed.
    public let codeSignature: Range<UInt64>?
    /// Of the section `__TEXT,__info_plist`.
    public let infoPlist: Range<UInt64>?
    /// Of `LC_DYLIB_CODE_SIGN_DRS`: the designated requirements of the libraries it was linked to.
    public let libraryRequirements: Range<UInt64>?
    /// 16 bytes.
    public let uuid: [UInt8]?
    /// More than one for code that serves two platforms.
    public let builds: [BuildVersion]
    /// Where the segment `__LINKEDIT` ends.
    public let linkEditEnd: UInt64?
    public let problems: [CodeProblem]

    /// Where the slice begins in the file.
    public var offset: UInt64 { source.offset }
    public var size: UInt64 { source.count }
    /// Whether the structure breaks a rule: then a signature in it proves nothing.
    public var isSuspicious: Bool { !problems.isEmpty }
    /// How many bytes from the start a signature must cover: all before it, or all.
    public var signedLength: UInt64 { codeSignature?.lowerBound ?? size }

    /// Reads the Info.plist of a bare tool; nil when the slice has none.
    ///
    /// It is a claim until its hash was compared with slot 1. Throws `limit` for more than a mebibyte.
    public func readInfoPlist() throws(CodeProblem) -> [UInt8]? {
        guard let infoPlist else { return nil }
        let most = CodeIdentityLimits.embeddedInfoBytes
        guard infoPlist.upperBound - infoPlist.lowerBound <= UInt64(most.value) else {
            throw CodeProblem(.limit, at: offset + infoPlist.lowerBound, "an Info.plist beyond \(most.name)")
        }
        return try source.read(at: infoPlist.lowerBound, count: Int(infoPlist.upperBound - infoPlist.lowerBound))
    }

    /// Reads header and load commands; the errors are those of `MachOFile.read`.
    static func read(_ source: SourceRange, claimed: Architecture?) throws(CodeProblem) -> MachOSlice {
        let start = try source.read(at: 0, count: Int(min(source.count, 32)))
        guard start.count >= 4, case .thin(let wide, let order)? = MachOMagic(start) else {
            if start.count >= 4, case .universal? = MachOMagic(start) {
                throw CodeProblem(.nestedUniversal, at: source.offset, "a universal file inside a universal file")
            }
            throw CodeProblem(.sliceNotMachO, at: source.offset, "no magic number of a Mach-O where a slice begins")
        }
        let header = FieldReader(start[...], order: order, base: source.offset)
        let headerSize = wide ? 32 : 28
        _ = try header.slice(at: 0, count: headerSize)
        let architecture = Architecture(cpuType: try header.u32(at: 4), rawSubtype: try header.u32(at: 8))
        let size = try header.u32(at: 20)
        let most = CodeIdentityLimits.loadCommandBytes
        guard size <= UInt32(most.value) else {
            throw CodeProblem(
                .limit, at: header.place(20), "\(size) bytes of load commands; \(most.name) is \(most.value)")
        }
        let area = FieldReader(
            try source.read(at: UInt64(headerSize), count: Int(size))[...], order: order,
            base: header.place(headerSize))
        let commands = try LoadCommands(
            area, count: try header.u32(at: 16), wide: wide, sliceSize: source.count,
            headerEnd: UInt64(headerSize) + UInt64(size))

        var problems = commands.problems
        if let claimed, !claimed.matches(architecture) {
            problems.insert(
                CodeProblem(
                    .architectureMismatch, at: header.place(4),
                    "the universal header says \(claimed), the slice is \(architecture)"),
                at: 0)
        }
        return MachOSlice(
            architecture: architecture, claimedArchitecture: claimed, source: source,
            fileType: try header.u32(at: 12), headerEnd: UInt64(headerSize) + UInt64(size),
            codeSignature: commands.codeSignature, infoPlist: commands.infoPlist,
            libraryRequirements: commands.libraryRequirements, uuid: commands.uuid, builds: commands.builds,
            linkEditEnd: commands.linkEditEnd, problems: problems)
    }
}
