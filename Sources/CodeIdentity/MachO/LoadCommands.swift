// SPDX-License-Identifier: Apache-2.0

// The load commands of a slice, as far as identity needs them.

import FlowModel

/// What the load commands of one slice say (`mach-o/loader.h`), and which of Apple's strict rules they break.
struct LoadCommands {
    private(set) var codeSignature: Range<UInt64>?
    private(set) var libraryRequirements: Range<UInt64>?
    private(set) var infoPlist: Range<UInt64>?
    private(set) var uuid: [UInt8]?
    private(set) var builds: [BuildVersion] = []
    private(set) var linkEditEnd: UInt64?
    private(set) var problems: [CodeProblem] = []

    /// Where the image ends by the first command that says so: `__LINKEDIT`, or the symbol strings of old code.
    private var imageEnd: UInt64?
    /// The end of the furthest segment that is not `__LINKEDIT`: a signature must lie behind it.
    private var codeEnd: UInt64
    private var hasText = false

    private let wide: Bool
    private let sliceSize: UInt64

    private enum Kind {
        static let segment: UInt32 = 0x1
        static let symbolTable: UInt32 = 0x2
        static let segment64: UInt32 = 0x19
        static let uuid: UInt32 = 0x1b
        static let codeSignature: UInt32 = 0x1d
        static let libraryRequirements: UInt32 = 0x2b
        static let buildVersion: UInt32 = 0x32
    }

    /// Reads `count` commands from their area.
    ///
    /// Throws `loadCommandInvalid` for a command that is too short or runs out of the area, and `outOfBounds` for a
    /// command shorter than its structure.
    init(_ area: FieldReader, count: UInt32, wide: Bool, sliceSize: UInt64, headerEnd: UInt64) throws(CodeProblem) {
        self.wide = wide
        self.sliceSize = sliceSize
        codeEnd = headerEnd
        var cursor = 0
        for number in 0..<count {
            // Each round takes eight bytes of a bounded area or throws, whatever the count claims.
            let size = try area.u32(at: cursor + 4)
            guard size >= 8, size % 4 == 0, UInt64(size) <= UInt64(area.count - cursor) else {
                throw CodeProblem(
                    .loadCommandInvalid, at: area.place(cursor),
                    "load command \(number) has \(size) bytes, \(area.count - cursor) are left")
            }
            let command = FieldReader(
                try area.slice(at: cursor, count: Int(size)), order: area.order, base: area.place(cursor))
            try take(command)
            cursor += Int(size)
        }
        // Apple's library goes by the size, the kernel by the count: a command past one of them is seen by one only.
        if cursor != area.count {
            problem(.loadCommandCount, area.place(cursor), "\(count) commands end at \(cursor) of \(area.count) bytes")
        }
        checkEnd(area)
    }

    private mutating func take(_ command: FieldReader) throws(CodeProblem) {
        switch try command.u32(at: 0) {
        case Kind.segment where !wide, Kind.segment64 where wide: try takeSegment(command)
        // The other width: the kernel skips it, Apple's library does not.
        case Kind.segment, Kind.segment64:
            problem(.loadCommandInvalid, command.base, "a segment of the other word size")
        case Kind.symbolTable where imageEnd == nil:
            imageEnd = UInt64(try command.u32(at: 16)) + UInt64(try command.u32(at: 20))
        case Kind.uuid:
            uuid = Array(try command.slice(at: 8, count: 16))
        case Kind.codeSignature:
            if codeSignature != nil {
                problem(.duplicateLoadCommand, command.base, "a second LC_CODE_SIGNATURE")
            } else {
                // Outside the slice it is no answer to call the slice unsigned.
                let range = try linkEditRange(command)
                guard range.upperBound <= sliceSize else {
                    throw CodeProblem(
                        .outOfBounds, at: command.base, "a signature at \(range) of a slice of \(sliceSize) bytes")
                }
                codeSignature = range
            }
        case Kind.libraryRequirements where libraryRequirements == nil:
            libraryRequirements = inside(try linkEditRange(command), command, "library requirements")
        case Kind.buildVersion where builds.count < CodeIdentityLimits.buildVersions.value:
            builds.append(
                BuildVersion(
                    platform: try command.u32(at: 8),
                    minimumSystem: PackedVersion(rawValue: try command.u32(at: 12)),
                    sdk: PackedVersion(rawValue: try command.u32(at: 16))))
        default: break
        }
    }

    private mutating func takeSegment(_ command: FieldReader) throws(CodeProblem) {
        let name = try command.name(at: 8, count: 16)
        let start = wide ? try command.u64(at: 40) : UInt64(try command.u32(at: 32))
        let size = wide ? try command.u64(at: 48) : UInt64(try command.u32(at: 36))
        let (end, overflow) = start.addingReportingOverflow(size)
        if overflow || end > sliceSize {
            problem(
                .rangeOutside, command.base,
                "segment \(String(decoding: name, as: UTF8.self)): \(size) bytes at \(start) of \(sliceSize)")
        }
        if name.elementsEqual("__LINKEDIT".utf8) {
            if linkEditEnd != nil { problem(.duplicateLoadCommand, command.base, "a second __LINKEDIT") }
            linkEditEnd = linkEditEnd ?? end
            imageEnd = imageEnd ?? end
        } else {
            codeEnd = max(codeEnd, overflow ? .max : end)
        }
        if name.elementsEqual("__TEXT".utf8) {
            if hasText { problem(.duplicateLoadCommand, command.base, "a second __TEXT") }
            hasText = true
            try takeSections(command)
        }
    }

    private mutating func takeSections(_ command: FieldReader) throws(CodeProblem) {
        let header = wide ? 72 : 56
        let each = wide ? 80 : 68
        let count = try command.u32(at: wide ? 64 : 48)
        guard UInt64(count) <= UInt64(max(0, command.count - header) / each) else {
            throw CodeProblem(.loadCommandInvalid, at: command.base, "\(count) sections do not fit into the command")
        }
        for index in 0..<Int(count) {
            let section = FieldReader(
                try command.slice(at: header + index * each, count: each), order: command.order,
                base: command.place(header + index * each))
            guard try section.name(at: 0, count: 16).elementsEqual("__info_plist".utf8) else { continue }
            guard infoPlist == nil else {
                problem(.duplicateLoadCommand, section.base, "a second section __info_plist")
                continue
            }
            let start = UInt64(try section.u32(at: wide ? 48 : 40))
            let size = wide ? try section.u64(at: 40) : UInt64(try section.u32(at: 36))
            let (end, overflow) = start.addingReportingOverflow(size)
            infoPlist = inside(start..<(overflow ? .max : end), section, "section __info_plist")
        }
    }

    private func linkEditRange(_ command: FieldReader) throws(CodeProblem) -> Range<UInt64> {
        let start = UInt64(try command.u32(at: 8))
        return start..<start + UInt64(try command.u32(at: 12))
    }

    /// The range, or nil and a problem.
    private mutating func inside(_ range: Range<UInt64>, _ command: FieldReader, _ what: String) -> Range<UInt64>? {
        guard range.upperBound <= sliceSize else {
            problem(.rangeOutside, command.base, "\(what) at \(range) of a slice of \(sliceSize) bytes")
            return nil
        }
        return range
    }

    private mutating func checkEnd(_ area: FieldReader) {
        if imageEnd != sliceSize {
            let end = imageEnd.map(String.init) ?? "nowhere"
            problem(.imageEnd, area.base, "the image ends at \(end), the slice at \(sliceSize)")
        }
        // Bytes from the signature on are not hashed.
        if let codeSignature, codeSignature.lowerBound < codeEnd {
            problem(
                .signaturePlace, area.base,
                "the signature begins at \(codeSignature.lowerBound), before the end of the code at \(codeEnd)")
        }
    }

    /// One problem is enough to distrust the slice; a file made of them should not fill memory.
    private mutating func problem(_ code: CodeProblem.Code, _ place: UInt64, _ detail: String) {
        guard problems.count < CodeIdentityLimits.sliceProblems.value else { return }
        problems.append(CodeProblem(code, at: place, detail))
    }
}
