// SPDX-License-Identifier: Apache-2.0

// Tests of the file of stacks.

import FlowModel
import Foundation
import Testing

@testable import AppleIntake

@Suite("The file of stacks", .timeLimit(.minutes(2)))
struct StackWriterTests {
    private struct Stacks: StackSource {
        var threads: [(name: String, frames: [UInt])] = []
        var library: [UInt8] = []

        func images() -> [UInt8] { library }
        func walk(
            name: UnsafeMutableBufferPointer<UInt8>, frames: UnsafeMutableBufferPointer<UInt>,
            _ each: (StackThread) -> Void
        ) {
            for (index, thread) in threads.enumerated() {
                let (_, length) = name.update(from: thread.name.utf8)
                let (_, depth) = frames.update(from: thread.frames)
                each(StackThread(number: UInt64(index), nameLength: length, depth: depth))
            }
        }
    }

    private let hang = Hang(place: 0, name: "the provider's queue", missed: 3)

    private func written(_ stacks: Stacks, in folder: ScratchFolder) throws -> Data {
        let path = folder.path + "/stacks.txt"
        let writer = StackWriter(file: path, source: stacks)
        // Twice, because a provider in a debugger may hang again.
        for _ in 0..<2 { #expect(writer.write(hang, within: .seconds(60))) }
        return try Data(contentsOf: URL(filePath: path))
    }

    @Test("It says what hung, each thread by name, each frame by address, and the images they lie in")
    func text() throws {
        let folder = try ScratchFolder()
        let stacks = Stacks(
            threads: [("NEFlow", [0x1_0000_4f10, 0]), ("a\u{1b}[31mb\n", []), ("", [.max])],
            library: Array("0x100000000 ab12 WeirExtension\n".utf8))
        #expect(
            String(decoding: try written(stacks, in: folder), as: UTF8.self) == """
                weir stacks 1
                hung: the provider's queue (0), missed beats 3
                thread 0 NEFlow
                  0x100004f10
                  0x0
                thread 1 a?[31mb?
                thread 2 
                  0xffffffffffffffff
                images
                0x100000000 ab12 WeirExtension

                """)
    }

    @Test("It takes the place of an earlier one and is readable by its owner alone")
    func replaced() throws {
        let folder = try ScratchFolder()
        _ = try written(Stacks(threads: [("first", [1, 2, 3])]), in: folder)
        let text = String(decoding: try written(Stacks(), in: folder), as: UTF8.self)
        #expect(!text.contains("first") && text.hasSuffix("images\n"))
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.path + "/stacks.txt")
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test("However many threads there are, it is no longer than its limit")
    func bounded() throws {
        let folder = try ScratchFolder()
        let frames = [UInt](repeating: .max, count: AppleIntakeLimits.stackFrames.value)
        let stacks = Stacks(threads: Array(repeating: ("name", frames), count: 2_000))
        #expect(try written(stacks, in: folder).count == AppleIntakeLimits.stackText.value)
    }

    @Test("Where no file can be made, nothing is written and nobody waits")
    func nowhere() throws {
        let folder = try ScratchFolder()
        let writer = StackWriter(file: folder.path + "/no/stacks.txt", source: NoStacks())
        #expect(writer.write(hang, within: .seconds(60)))
        // A link is not followed to a file of somebody else's.
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: "target")
        #expect(StackWriter(file: folder.path + "/link", source: NoStacks()).write(hang, within: .seconds(60)))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["link"])
    }
}
