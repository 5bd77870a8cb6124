// SPDX-License-Identifier: Apache-2.0

// Random lives of a channel against a simple model.

import FlowEngine
import Foundation
import NIOCore
import NIOEmbedded
import Testing

@testable import AppleIntake
@testable import NetworkExtension

@Suite struct FlowScheduleTests {
    @Test(arguments: 0..<16)
    func `However it goes, bytes are in order and whole, and every promise is kept once`(_ part: UInt64) throws {
        for seed in (part * 16)..<(part * 16 + 16) {
            var life = try Life(seed: seed)
            for _ in 0..<80 { try life.step() }
            try life.end()
        }
    }
}

/// One life: what was done, and so what must have come of it.
private struct Life {
    private let seed: UInt64
    private var random: ScheduleRandom
    private let rig: ChannelRig
    private var next: UInt8 = 0
    /// What the application sent that the channel has to give.
    private var delivered = ByteBuffer()
    /// Each accepted write and how it ended; `end` is where its bytes end among all that were accepted.
    private var writes: [(end: Int, outcome: KeptPromise)] = []
    private var refused: [KeptPromise] = []
    private var accepted = Data()
    private var closes: [KeptPromise] = []
    private var inputEnded = false
    private var outputEnding = false
    private var broke = false

    init(seed: UInt64) throws {
        self.seed = seed
        random = ScheduleRandom(state: seed)
        rig = try ChannelRig()
        try rig.channel.syncOptions?.setOption(.writeBufferWaterMark, value: .init(low: 64, high: 256))
    }

    private mutating func bytes(_ most: Int) -> Data {
        next &+= 1
        // Neither constant, so that order shows, nor costly.
        let pattern = Data([next, next &* 3, next &* 7, next &+ 101])
        var data = Data()
        let count = Int.random(in: 0...most, using: &random)
        while data.count < count { data.append(data.isEmpty ? pattern : data) }
        return data.prefix(count)
    }

    mutating func step() throws {
        let isActive = rig.channel.isActive
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<20:
            rig.channel.read()
        case 20..<38:
            let data = bytes(300)
            guard rig.stream.read != nil, !data.isEmpty else { break }
            if isActive, !inputEnded { delivered.writeBytes(data) }
            rig.stream.deliver(data)
        case 38..<60:
            let data = bytes(Int.random(in: 0..<40, using: &random) == 0 ? 300_000 : 200)
            let outcome = rig.write(ByteBuffer(bytes: data))
            if isActive, !outputEnding {
                accepted += data
                writes.append((accepted.count, outcome))
            } else {
                refused.append(outcome)
            }
        case 60..<75:
            rig.channel.flush()
        case 75..<90:
            rig.stream.take()
        case 90..<92 where isActive:
            rig.stream.take(POSIXError(.ENOBUFS))
        case 92 where isActive && !rig.stream.writes.isEmpty:
            broke = true
            rig.stream.take(NEAppProxyFlowError(.peerReset))
        case 93:
            guard rig.stream.read != nil else { break }
            if isActive { inputEnded = true }
            rig.stream.deliver(Data())
        case 94:
            guard rig.stream.read != nil else { break }
            if isActive, !inputEnded { broke = true }
            rig.stream.deliver(nil, NEAppProxyFlowError(.aborted))
        case 95:
            closes.append(rig.close(.output))
            if isActive { outputEnding = true }
        case 96:
            closes.append(rig.close(.input))
            if isActive { inputEnded = true }
        case 97:
            rig.base.advanceTime(by: .milliseconds(40))
        case 98 where Int.random(in: 0..<4, using: &random) == 0:
            noteCut()
            closes.append(rig.close(.all))
        case 99 where Int.random(in: 0..<4, using: &random) == 0:
            if isActive { broke = true }
            rig.channel.triggerUserOutboundEvent(ResetConnection(), promise: nil)
        default:
            break
        }
        rig.run()
        check()
    }

    private func check() {
        if rig.channel.isActive { #expect(rig.stream.writes.count <= 1, "seed \(seed)") }
        #expect(rig.stream.faults == [], "seed \(seed)")
        let isWhole = rig.listener.received == delivered
        #expect(isWhole, "seed \(seed)")
        let isPrefix = accepted.prefix(rig.stream.written.count) == rig.stream.written
        #expect(isPrefix, "seed \(seed)")
        for write in writes where write.outcome.succeeded {
            #expect(rig.stream.written.count >= write.end, "seed \(seed)")
        }
        if rig.channel.isActive {
            let waiting = accepted.count - rig.stream.written.count
            if waiting > 256 { #expect(!rig.channel.isWritable, "seed \(seed)") }
            if waiting < 64 { #expect(rig.channel.isWritable, "seed \(seed)") }
        }
    }

    /// A close now is a break when it cuts off what the flow was not given.
    private mutating func noteCut() {
        let given = rig.stream.written.count + rig.stream.writes.reduce(0) { $0 + $1.data.count }
        if rig.channel.isActive, given < accepted.count { broke = true }
    }

    mutating func end() throws {
        let heardBefore = rig.channel.isActive
        let wasEnding = outputEnding
        if heardBefore, Bool.random(using: &random) {
            // The application takes everything in the end.
            rig.channel.flush()
            for _ in 0..<200 where rig.channel.isActive {
                rig.stream.take()
                rig.base.advanceTime(by: .seconds(2))
            }
            let isWhole = rig.stream.written == accepted
            #expect(isWhole, "seed \(seed)")
            #expect(writes.allSatisfy { $0.outcome.succeeded }, "seed \(seed)")
            if wasEnding { #expect(rig.stream.writeCloses.count == 1, "seed \(seed)") }
        }
        noteCut()
        rig.channel.close(promise: nil)
        rig.run()
        while !rig.stream.writes.isEmpty { rig.stream.take() }
        rig.run()
        let isWhole = rig.stream.written == accepted
        #expect(isWhole || broke, "seed \(seed)")
        #expect((writes.map(\.outcome) + refused + closes).allSatisfy { $0.results.count == 1 }, "seed \(seed)")
        #expect(refused.allSatisfy { $0.error != nil }, "seed \(seed)")
        let heard = rig.listener.heard
        #expect(heard.suffix(2) == ["inactive", "unregistered"], "seed \(seed)")
        for once in ["inactive", "unregistered", "error", "inputClosed", "outputClosed"] {
            #expect(heard.count { $0 == once } <= 1, "seed \(seed)")
        }
        let resets = rig.stream.readCloses.contains { $0 != nil }
        #expect(resets == broke, "seed \(seed)")
    }
}

/// A small generator, so that a seed is a life.
private struct ScheduleRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
