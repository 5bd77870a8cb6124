// SPDX-License-Identifier: Apache-2.0

// A Mach-O file: one slice, or several in a universal file.

/// What the first four bytes of a file say.
enum MachOMagic {
    case thin(wide: Bool, ByteOrder)
    case universal(wide: Bool)

    init?(_ bytes: some Collection<UInt8>) {
        switch bytes.prefix(4).reduce(UInt32(0), { $0 << 8 | UInt32($1) }) {
        case 0xcffa_edfe: self = .thin(wide: true, .little)
        case 0xcefa_edfe: self = .thin(wide: false, .little)
        case 0xfeed_facf: self = .thin(wide: true, .big)
        case 0xfeed_face: self = .thin(wide: false, .big)
        case 0xcafe_babe: self = .universal(wide: false)
        case 0xcafe_babf: self = .universal(wide: true)
        default: return nil
        }
    }
}

/// A program or library in Apple's format, with every slice that some reader might see.
///
/// An answer about the file is an answer about all of them: which slice runs is decided elsewhere, and checkers that
/// looked at one slice were fooled in 2018.
public struct MachOFile: Sendable {
    public let isUniversal: Bool
    /// At least one, in the order of the universal header; a hidden one is the last.
    public let slices: [MachOSlice]
    /// What is wrong with how the slices lie in the file; each slice has its own besides.
    public let problems: [CodeProblem]

    /// Whether anything about the structure breaks a rule: then no signature in it proves anything.
    ///
    /// Apple's strict validation gives errSecCSBadMainExecutable (-67010) for these.
    public var isSuspicious: Bool { !problems.isEmpty || slices.contains { $0.isSuspicious } }

    /// Reads headers and load commands of a thin or universal file.
    ///
    /// Throws `notMachO` after one small read for any other file; `nestedUniversal`, `sliceNotMachO`,
    /// `loadCommandInvalid`, `universalEmpty`, `limit` and `outOfBounds` for a file of which no slice list can be
    /// given; and what the source throws. What breaks a rule but can be read is a problem of the result.
    public static func read(_ source: any ByteSource) throws(CodeProblem) -> MachOFile {
        guard source.count >= 8, let magic = MachOMagic(try source.read(at: 0, count: 4)) else {
            throw CodeProblem(.notMachO, at: 0, "no magic number of a Mach-O or universal file")
        }
        guard case .universal(let wide) = magic else {
            let slice = try MachOSlice.read(SourceRange(source, offset: 0, count: source.count), claimed: nil)
            return MachOFile(isUniversal: false, slices: [slice], problems: [])
        }
        let header = try UniversalHeader.read(source, wide: wide)
        var slices: [MachOSlice] = []
        for entry in header.entries {
            let part = try SourceRange(source, offset: entry.offset, count: entry.size)
            slices.append(try MachOSlice.read(part, claimed: entry.architecture))
        }
        return MachOFile(isUniversal: true, slices: slices, problems: header.problems)
    }
}
