// SPDX-License-Identifier: Apache-2.0

// Bodies of any size in constant memory. `make soak` runs these with 1 GiB.

import Foundation
import TestKit
import Testing

extension Interop {
    @Suite struct LargeBodies {
        /// `WEIR_BODY_MIB`, or 64.
        private let size = (Int(ProcessInfo.processInfo.environment["WEIR_BODY_MIB"] ?? "") ?? 64) << 20
        /// What memory may grow by, in KiB, whatever the body's size.
        private let allowedGrowth = 32 << 10

        @Test("A large upload with secrets at both ends is masked in constant memory", arguments: [true, false])
        func upload(secure: Bool) throws {
            try withScene { scene in
                try warmUp(scene, secure)
                let path = scene.folder("body")
                let filler = Data(
                    String(repeating: "The quick brown fox jumps over the lazy dog. 12345\n", count: 20_561).utf8)
                try assemble(path, head: Data(Payload.json.utf8), filler: filler, tail: Data(Payload.json.utf8))
                let before = try scene.weir.process.memory()
                let url = secure ? scene.origin.secure("/upload") : scene.origin.plain("/upload")
                let answer = try scene.curl(["-H", "Content-Type: text/plain", "-T", path, url], within: 600)
                #expect(answer.status == 200, "\(answer.errors)")
                let growth = try scene.weir.process.memory() - before
                #expect(growth < allowedGrowth, "memory grew by \(growth) KiB")

                let request = try #require(try scene.origin.requests(atLeast: 2).last)
                let json = Payload.json.utf8.count
                let total = try fileSize(path)
                #expect(try fileSize(request.bodyFile) == total)
                expectMasked(Payload.json, try slice(request.bodyFile, from: 0, count: json))
                expectMasked(Payload.json, try slice(request.bodyFile, from: total - json, count: json))
                let middle = total / 2
                expectSame(
                    try slice(request.bodyFile, from: middle, count: 4096), try slice(path, from: middle, count: 4096))
            }
        }

        @Test("A large download arrives whole in constant memory", arguments: [true, false])
        func download(secure: Bool) throws {
            try withScene { scene in
                try warmUp(scene, secure)
                let path = scene.origin.files + "/large.bin"
                try assemble(path, head: Data(), filler: Data(Sample.noise(1 << 20, seed: 5)), tail: Data())
                let before = try scene.weir.process.memory()
                let url = secure ? scene.origin.secure("/files/large.bin") : scene.origin.plain("/files/large.bin")
                let received = scene.folder("received")
                let answer = try scene.curl(["--output", received, url], within: 600)
                #expect(answer.status == 200, "\(answer.errors)")
                let growth = try scene.weir.process.memory() - before
                #expect(growth < allowedGrowth, "memory grew by \(growth) KiB")
                #expect(try Program("cmp", [path, received]).run(within: 120).status == 0)
            }
        }

        /// One small exchange, so that what is made once is not counted.
        private func warmUp(_ scene: Scene, _ secure: Bool) throws {
            let url = secure ? scene.origin.secure("/upload") : scene.origin.plain("/upload")
            _ = try scene.curl(["--data", Payload.form, url])
            _ = try scene.origin.requests(atLeast: 1)
        }

        private func assemble(_ path: String, head: Data, filler: Data, tail: Data) throws {
            try head.write(to: URL(fileURLWithPath: path))
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            defer { try? file.close() }
            try file.seekToEnd()
            for _ in 0..<(size / filler.count) { try file.write(contentsOf: filler) }
            try file.write(contentsOf: tail)
        }

        private func fileSize(_ path: String) throws -> Int {
            try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? -1
        }

        private func slice(_ path: String, from offset: Int, count: Int) throws -> [UInt8] {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? file.close() }
            try file.seek(toOffset: UInt64(offset))
            return Array(try file.read(upToCount: count) ?? Data())
        }
    }
}
