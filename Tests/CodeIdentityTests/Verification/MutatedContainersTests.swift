// SPDX-License-Identifier: Apache-2.0

// Real signed slices in universal files that their vendor did not make, and files that nobody but the linker signed.

import Testing

@testable import CodeIdentity

@Suite("Changed containers") struct MutatedContainersTests {
    @Test("A change of the container spoils both slices", arguments: Tampering.containers)
    func container(_ tampering: Tampering) throws {
        try tampering.check(TamperedFile("MacOS/Mitmproxy Redirector"), slice: 0)
    }

    @Test("Slices may stand in another order, in the header and in the file")
    func order() throws {
        let file = try TamperedFile("MacOS/Mitmproxy Redirector")
        for parts in [[0, 1], [1, 0]] {
            let made = file.universal(parts.map { (cpuType: file.architecture($0), bytes: file.thin($0)) })
            let report = try TamperedFile(made, bundle: file.bundle).report()
            #expect(report.isValid, "\(report.problems)")
            #expect(try report.meets("anchor apple generic"))
        }
    }

    @Test("A slice whose changed page only the slice's own check can find spoils the file", arguments: 0...1)
    func oneSlice(_ slice: Int) throws {
        var file = try TamperedFile("MacOS/Mitmproxy Redirector")
        file.flip(file.slices[slice].range.lowerBound + 200_000)
        let report = try file.report()
        #expect(report.slices[slice].refusals == ["pages": .pageMismatch])
        #expect(report.slices[1 - slice].verified != nil)
        #expect(!report.isValid)
        #expect(try !report.meets("anchor apple generic"))
    }

    @Test("The bypass of 2018: a genuine slice under the number of no processor, and an attacker's behind it")
    func bypass() throws {
        let genuine = try TamperedFile("MacOS/Mitmproxy Redirector")
        let attacker = SyntheticSlice(cpuType: Architecture.x86, cpuSubtype: 3).bytes()
        for claimed in [0, 7, Architecture.powerPC, genuine.architecture(1), 0x0100_0000] as [UInt32] {
            let made = genuine.universal([(claimed, genuine.thin(1)), (Architecture.x86, attacker)])
            let report = try TamperedFile(made, bundle: genuine.bundle).report()
            #expect(report.slices.count == 2)
            #expect(report.slices[1].signing == .adhoc)
            #expect(!report.isValid)
            for text in [
                "anchor apple generic", "anchor apple", "!anchor apple",
                "identifier \"org.mitmproxy.macos-redirector\"",
                "anchor apple generic and certificate leaf[subject.OU] = S8XHQB96PW", "always",
                "cdhash H\"\(try #require(report.slices[0].claimed).cdhash)\"",
            ] { #expect(try !report.meets(text), "\(claimed) \(text)") }
            if claimed != genuine.architecture(1) {
                #expect(report.slices[0].refusals == ["structure": .architectureMismatch])
            }
        }
    }

    @Test("A genuine slice beside an unsigned one, or one of another vendor's, is nobody's file")
    func mixed() throws {
        let genuine = try TamperedFile("scripts/uvx")
        let other = try TamperedFile("libtbbmalloc.2.10.dylib")
        var unsigned = SyntheticSlice(cpuType: Architecture.x86, cpuSubtype: 3)
        unsigned.directories = []
        for part in [other.thin(), unsigned.bytes()] {
            let report = try TamperedFile(
                genuine.universal([(Architecture.arm64, genuine.thin()), (Architecture.x86, part)])
            ).report()
            #expect(report.slices[0].verified != nil)
            #expect(!report.isValid)
            // Both vendors' chains end at Apple, but the slices name different teams.
            #expect(try !report.meets("anchor apple generic"))
            #expect(try !report.meets("always"))
        }
    }

    @Test("A file that only the linker signed: every byte counts, or the name is another")
    func linkerSigned() throws {
        var file = try TamperedFile("_watchdog_fsevents.cpython-312-darwin.so")
        let before = try #require(try file.report().slices[0].verified)
        #expect(before.signer == nil)
        let signature = file.slices[0].signature
        let end = try #require(file.slices[0].blobs[0]).upperBound
        let places = Array(stride(from: 0, to: signature.lowerBound, by: 997)) + Array(signature.lowerBound..<end)
        for place in places {
            file.bytes = file.original
            file.flip(place)
            guard let after = try? file.report().slices[0].verified else { continue }
            // The seal is nobody's, so another one is as good and has another name. The length says where padding begins.
            let isLength = (signature.lowerBound + 4..<signature.lowerBound + 8).contains(place)
            #expect(isLength || after.subject.cdhash != before.subject.cdhash, "\(place)")
            #expect(after.signer == nil)
        }
    }

    @Test("The free space behind the signature is nobody's, and changes nothing")
    func padding() throws {
        for name in ["_watchdog_fsevents.cpython-312-darwin.so", "scripts/uvx"] {
            var file = try TamperedFile(name)
            let before = try #require(try file.report().slices[0].verified)
            file.bytes[file.bytes.count - 1] ^= 0xff
            let after = try #require(try file.report().slices[0].verified)
            #expect(after.subject.cdhash == before.subject.cdhash)
        }
    }

    @Test("Without the ad-hoc flag what the linker signed is signed by nobody; with a page changed it is broken")
    func adhoc() throws {
        var file = try TamperedFile("_watchdog_fsevents.cpython-312-darwin.so")
        file.add(-2, toDirectoryField: 12)
        #expect(try file.report().slices[0].refusals == ["structure": .nobodySigned])
        file.bytes = file.original
        file.flip(30_000)
        #expect(try file.report().slices[0].refusals == ["pages": .pageMismatch])
        #expect(try !file.report().meets("!anchor apple"))
    }

    @Test("A slice that the header cuts, and a universal file as a slice, are errors")
    func noSlices() throws {
        var file = try TamperedFile("MacOS/Mitmproxy Redirector")
        file.bytes.set32(file.bytes.get32(at: 20) - 16, at: 20)
        #expect(throws: CodeProblem.self) { try file.report() }
        let nested = file.universal([(Architecture.arm64, file.original)])
        let problem = #expect(throws: CodeProblem.self) { try TamperedFile(nested).report() }
        #expect(problem?.code == .nestedUniversal)
    }

    @Test("A command hidden from the reader leaves an unsigned file, which meets nothing")
    func noCommand() throws {
        var file = try TamperedFile("scripts/uvx")
        file.bytes.set32(0x26, at: try #require(file.signatureCommand), .little)
        let report = try file.report()
        #expect(report.slices[0].signing == .unsigned)
        #expect(!report.isValid)
        #expect(try !report.meets("!anchor apple"))
    }
}

extension Tampering {
    static let containers = [
        Tampering("a processor's number in the header", ["structure": .architectureMismatch]) {
            $0.bytes.set32(7, at: 8)
        },
        Tampering("the processors' numbers exchanged", ["structure": .architectureMismatch]) { file in
            let (first, second) = (Array(file.bytes[8..<16]), Array(file.bytes[28..<36]))
            file.bytes.replaceSubrange(8..<16, with: second)
            file.bytes.replaceSubrange(28..<36, with: first)
        },
        Tampering("one processor twice", ["structure": .duplicateArchitecture]) { file in
            file.bytes.replaceSubrange(28..<36, with: Array(file.bytes[8..<16]))
        },
        Tampering("both entries for one slice", ["structure": .duplicateArchitecture]) { file in
            file.bytes.replaceSubrange(28..<48, with: Array(file.bytes[8..<28]))
        },
        Tampering("bytes behind the last slice", ["structure": .trailingBytes]) { $0.bytes += [0] },
        Tampering("something between the slices", ["structure": .sliceGapNotZero]) {
            $0.flip($0.slices[1].range.lowerBound - 1)
        },
        Tampering("something before the first slice", ["structure": .sliceGapNotZero]) { $0.flip(4000) },
        Tampering("a slice that only Apple's tools see", ["structure": .hiddenSlice]) { file in
            file.bytes.set32(1, at: 4)
        },
    ]
}

extension TamperedFile {
    /// The processor type in the header of a slice itself.
    func architecture(_ slice: Int) -> UInt32 { bytes.get32(at: slices[slice].range.lowerBound + 4, .little) }

    /// A universal file under any processor types.
    func universal(_ parts: [(cpuType: UInt32, bytes: [UInt8])]) -> [UInt8] {
        SyntheticUniversal.bytes(
            parts.map { part in
                let subtype = part.bytes.get32(at: 8, .little)
                return (SyntheticSlice(cpuType: part.cpuType, cpuSubtype: subtype), part.bytes)
            }, align: 14)
    }
}
