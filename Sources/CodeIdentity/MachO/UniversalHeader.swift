// SPDX-License-Identifier: Apache-2.0

// The header of a universal file, and the rules for how its slices lie.

import FlowModel

/// The list of slices at the start of a universal file (`mach-o/fat.h`).
struct UniversalHeader {
    struct Entry {
        let architecture: Architecture
        let offset: UInt64
        let size: UInt64
        /// The logarithm of the alignment to base 2.
        let align: UInt32
        /// Where the entry itself stands.
        let place: UInt64
    }

    /// In the order of the header; a hidden one is the last.
    let entries: [Entry]
    /// The first byte after the entries.
    let end: UInt64
    private(set) var problems: [CodeProblem]

    /// Reads the entries of a file whose first four bytes are those of a universal file.
    ///
    /// Throws `notMachO` for a Java class, which has the same magic number, `limit` for too many slices,
    /// `universalEmpty`, and `outOfBounds` for a slice outside the file.
    static func read(_ source: any ByteSource, wide: Bool) throws(CodeProblem) -> UniversalHeader {
        let entrySize = wide ? 32 : 20
        let most = CodeIdentityLimits.slices.value
        // One entry more than allowed, for the hidden one.
        let available = min(source.count, UInt64(8 + entrySize * (most + 1)))
        let reader = FieldReader(try source.read(at: 0, count: Int(available))[...])
        let count = try reader.u32(at: 4)

        guard count <= UInt32(most) else {
            // A class file has its version here and then a pool whose first tag is not 0, which it would be in every
            // processor type that is known.
            guard reader.count >= 16, try architecture(reader, at: 8).isKnown else {
                throw CodeProblem(.notMachO, at: 4, "the magic number of a Java class and of a universal file")
            }
            throw CodeProblem(
                .limit, at: 4, "\(count) slices; \(CodeIdentityLimits.slices.name) allows \(most)")
        }

        var entries: [Entry] = []
        var problems: [CodeProblem] = []
        for index in 0..<Int(count) {
            entries.append(try entry(reader, at: 8 + index * entrySize, wide: wide))
        }
        let hidden = 8 + Int(count) * entrySize
        if reader.count >= hidden + entrySize, try reader.u32(at: hidden) == Architecture.arm64 {
            entries.append(try entry(reader, at: hidden, wide: wide))
            problems.append(
                CodeProblem(.hiddenSlice, at: UInt64(hidden), "an arm64 slice stands one past the count of \(count)"))
        }
        guard !entries.isEmpty else { throw CodeProblem(.universalEmpty, at: 4, "a universal file without slices") }
        for entry in entries {
            guard entry.offset <= source.count, entry.size <= source.count - entry.offset else {
                throw CodeProblem(
                    .outOfBounds, at: entry.place,
                    "slice \(entry.architecture): \(entry.size) bytes at \(entry.offset), the file has \(source.count)")
            }
        }
        var header = UniversalHeader(entries: entries, end: UInt64(8 + entries.count * entrySize), problems: problems)
        try header.checkLayout(source)
        return header
    }

    private static func architecture(_ reader: FieldReader, at offset: Int) throws(CodeProblem) -> Architecture {
        Architecture(cpuType: try reader.u32(at: offset), rawSubtype: try reader.u32(at: offset + 4))
    }

    private static func entry(_ reader: FieldReader, at place: Int, wide: Bool) throws(CodeProblem) -> Entry {
        let architecture = try architecture(reader, at: place)
        if wide {
            return Entry(
                architecture: architecture, offset: try reader.u64(at: place + 8), size: try reader.u64(at: place + 16),
                align: try reader.u32(at: place + 24), place: UInt64(place))
        }
        return Entry(
            architecture: architecture, offset: UInt64(try reader.u32(at: place + 8)),
            size: UInt64(try reader.u32(at: place + 12)), align: try reader.u32(at: place + 16), place: UInt64(place))
    }

    /// Apple's strict rules: nothing may hide between, behind or under slices.
    ///
    /// The order in the header is free. The first gap may have any size, because some linkers leave room there.
    private mutating func checkLayout(_ source: any ByteSource) throws(CodeProblem) {
        var architectures: Set<Architecture> = []
        for entry in entries {
            let masked = Architecture(cpuType: entry.architecture.cpuType, rawSubtype: entry.architecture.subtype)
            if !architectures.insert(masked).inserted {
                problems.append(CodeProblem(.duplicateArchitecture, at: entry.place, "a second \(masked) slice"))
            }
        }
        var end = self.end
        for (index, entry) in entries.sorted(by: { $0.offset < $1.offset }).enumerated() {
            if entry.offset < end {
                problems.append(
                    CodeProblem(
                        .sliceOverlap, at: entry.place,
                        "slice \(entry.architecture) begins at \(entry.offset), before \(end)"))
            } else {
                try checkGap(source, from: end, before: entry, first: index == 0)
            }
            end = max(end, entry.offset + entry.size)
        }
        if end < source.count {
            problems.append(
                CodeProblem(.trailingBytes, at: end, "\(source.count - end) bytes follow the last slice"))
        }
    }

    private mutating func checkGap(
        _ source: any ByteSource, from start: UInt64, before entry: Entry, first: Bool
    ) throws(CodeProblem) {
        let gap = entry.offset - start
        let explained = entry.align <= 30 && gap < UInt64(1) << UInt64(entry.align)
        guard gap <= UInt64(CodeIdentityLimits.sliceGap.value), explained || first else {
            problems.append(
                CodeProblem(
                    .sliceGap, at: start,
                    "\(gap) bytes before slice \(entry.architecture), whose alignment is 2^\(entry.align)"))
            return
        }
        let bytes = try source.read(at: start, count: Int(gap))
        if let index = bytes.firstIndex(where: { $0 != 0 }) {
            problems.append(
                CodeProblem(
                    .sliceGapNotZero, at: start + UInt64(index),
                    "the space before slice \(entry.architecture) is not empty"))
        }
    }
}
