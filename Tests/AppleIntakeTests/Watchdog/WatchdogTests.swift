// SPDX-License-Identifier: Apache-2.0

// Tests with real threads: what hangs is found, and what is found ends the provider whatever else hangs.

import Dispatch
import Foundation
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import AppleIntake

@Suite("The watchdog's thread", .timeLimit(.minutes(2)))
struct WatchdogTests {
    /// Something that is hung until it is let go.
    private final class Obstacle: Sendable {
        private let gate = DispatchSemaphore(value: 0)
        func hang() { gate.wait() }
        func release() { gate.signal() }
    }

    @Test("A callback that does not come back ends the provider, its stacks written before")
    func queue() async throws {
        let folder = try ScratchFolder()
        let (ended, ending) = AsyncStream<Bool>.makeStream()
        let file = folder.path + "/stacks.txt"
        let watchdog = Watchdog(interval: 5, stacks: StackWriter(file: file, source: NoStacks())) {
            ending.yield(FileManager.default.fileExists(atPath: file))
        }
        let obstacle = Obstacle()
        watchdog.start(MultiThreadedEventLoopGroup.singleton)
        DispatchQueue(label: "NEFlow").async {
            watchdog.enter()
            obstacle.hang()
            watchdog.leave()
        }
        #expect(await ended.first { _ in true } == true)
        #expect(watchdog.missedBeats >= 3)
        watchdog.stop()
        obstacle.release()
    }

    @Test("A loop that does not come back ends the provider")
    func loop() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let (ended, ending) = AsyncStream<Void>.makeStream()
        let watchdog = Watchdog(interval: 5, stacks: nil) { ending.yield() }
        let obstacle = Obstacle()
        watchdog.start(group)
        group.next().execute { obstacle.hang() }
        await ended.first { true }
        watchdog.stop()
        obstacle.release()
        try await group.shutdownGracefully()
    }

    @Test("Stacks that cannot be written, because the writer hangs too, do not keep the provider alive")
    func writer() async throws {
        let folder = try ScratchFolder()
        let (ended, ending) = AsyncStream<Void>.makeStream()
        let (obstacle, stuck) = (Obstacle(), Obstacle())
        let writer = StackWriter(file: folder.path + "/stacks.txt", source: StuckStacks { stuck.hang() })
        let watchdog = Watchdog(interval: 5, stacks: writer) { ending.yield() }
        watchdog.start(MultiThreadedEventLoopGroup.singleton)
        DispatchQueue(label: "NEFlow").async {
            watchdog.enter()
            obstacle.hang()
            watchdog.leave()
        }
        await ended.first { true }
        watchdog.stop()
        obstacle.release()
        stuck.release()
    }

    @Test("A watchdog that is let go ends its thread")
    func released() async throws {
        weak var gone: Watchdog?
        do {
            let watchdog = Watchdog(interval: 5, stacks: nil) {}
            watchdog.start(MultiThreadedEventLoopGroup.singleton)
            watchdog.start(MultiThreadedEventLoopGroup.singleton)
            gone = watchdog
        }
        while gone != nil { try await Task.sleep(for: .milliseconds(5)) }
    }

    private struct StuckStacks: StackSource {
        let hang: @Sendable () -> Void
        func images() -> [UInt8] { [] }
        func walk(
            name: UnsafeMutableBufferPointer<UInt8>, frames: UnsafeMutableBufferPointer<UInt>,
            _ each: (StackThread) -> Void
        ) { hang() }
    }
}

/// A folder that goes when the test ends.
final class ScratchFolder {
    let path = FileManager.default.temporaryDirectory.appending(path: "weir-life-\(UUID().uuidString)").path

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false) }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
