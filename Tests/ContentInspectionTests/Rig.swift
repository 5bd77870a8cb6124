// SPDX-License-Identifier: Apache-2.0

// A driver for tests: it keeps the contract of a real one and checks that the inspector keeps its side.

import FlowModel
import Testing

@testable import ContentInspection

protocol Inspector: ~Copyable {
    mutating func feed(_ bytes: Span<UInt8>, into step: inout InspectionStep)
    mutating func signal(_ event: StreamEvent, into step: inout InspectionStep)
    var isHolding: Bool { get }
}
extension StreamInspector: Inspector {}
extension BodyInspector: Inspector {}

/// An event and the offset at which the driver gives it.
struct TimedEvent {
    let offset: Int
    let event: StreamEvent
}

/// What a whole stream came to.
struct Outcome: Equatable {
    var output: [UInt8] = []
    var findings: [Finding] = []
    var blocked: Finding?
    var deadlineReleases = 0

    var text: String { String(decoding: output, as: UTF8.self) }
    var types: [String] { findings.map(\.type) }
}

/// Plays a driver over one inspector.
struct Driver {
    private(set) var outcome = Outcome()
    /// The most bytes that were held after a call.
    private(set) var mostHeld = 0
    private var raw: [UInt8]
    private var fed = 0
    private var released = 0
    private var edited = 0

    private init(_ raw: [UInt8]) { self.raw = raw }

    /// Runs an inspector over text that is cut at `cuts`, with events and a last end of message.
    static func run(
        _ text: [UInt8], cuts: [Int] = [], events: [TimedEvent] = [],
        through inspector: consuming some Inspector & ~Copyable
    ) -> Driver {
        var driver = Driver(text)
        var step = InspectionStep()
        let stops = Set(cuts).union(events.map(\.offset)).union([text.count]).sorted()
        for stop in stops where stop <= text.count {
            if stop > driver.fed || stop == 0 {
                inspector.feed(text.span.extracting(driver.fed..<stop), into: &step)
                driver.fed = stop
                driver.take(&step, isHolding: inspector.isHolding)
            }
            for timed in events where timed.offset == stop {
                inspector.signal(timed.event, into: &step)
                driver.take(&step, isHolding: inspector.isHolding)
            }
        }
        inspector.signal(.endOfMessage, into: &step)
        driver.take(&step, isHolding: inspector.isHolding)
        driver.outcome.output = Array(driver.raw[..<driver.released])
        driver.outcome.findings.sort { ($0.offset, $0.type) < ($1.offset, $1.type) }
        return driver
    }

    private mutating func take(_ step: inout InspectionStep, isHolding: Bool) {
        for edit in step.edits {
            let range = Int(edit.range.lowerBound)..<Int(edit.range.upperBound)
            #expect(range.lowerBound >= released, "an edit of what has gone out")
            #expect(range.lowerBound >= edited, "edits overlap or do not ascend")
            #expect(range.upperBound <= fed && range.count == edit.replacement.count)
            edited = range.upperBound
            raw.replaceSubrange(range, with: edit.replacement)
        }
        let releasable = Int(step.releasable)
        #expect(releasable >= released && releasable <= fed)
        released = releasable
        mostHeld = max(mostHeld, fed - released)
        if isHolding { #expect(released < fed) }
        outcome.findings += step.findings
        if outcome.blocked == nil { outcome.blocked = step.blocked }
        outcome.deadlineReleases += step.deadlineReleases
        step.clear()
    }
}

/// A small repeatable source of chance (SplitMix64).
struct Chance: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}

/// Plans that tests use.
enum Plans {
    static let key = FindingKey(bytes: Array(0..<32))

    static func all(_ action: ContentAction) throws -> InspectionPlan {
        try InspectionPlan(actions: Dictionary(uniqueKeysWithValues: Detectors.all.map { ($0.id, action) }), key: key)
    }
    static func only(_ id: String, _ action: ContentAction = .redact) throws -> InspectionPlan {
        try InspectionPlan(actions: [id: action], key: key)
    }
    static func shipped() throws -> InspectionPlan {
        try InspectionPlan(
            actions: Dictionary(uniqueKeysWithValues: Detectors.all.map { ($0.id, $0.defaultAction) }), key: key)
    }
}

/// Inspects a text in one piece.
func inspect(_ text: String, _ plan: InspectionPlan, restraint: Reason? = nil) -> Outcome {
    Driver.run(Array(text.utf8), through: StreamInspector(plan: plan, restraint: restraint)).outcome
}

/// Inspects a body in one piece.
func inspectBody(_ text: String, _ mediaType: String?, _ plan: InspectionPlan) -> Outcome {
    Driver.run(Array(text.utf8), through: BodyInspector(plan: plan, mediaType: mediaType)).outcome
}

/// Texts with data in them that more than one test file uses.
enum Samples {
    static let token = "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"
    static let fineGrained =
        "github_pat_11ABCDEFG0aBcDeFgHiJkL_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW"
    static let keyBody = "MIIBVQIBADANBgkqhkiG9w0BAQEFAASCAT8wggE7AgEAAkEA"
    static func key(_ label: String = "RSA PRIVATE KEY", lineEnd: String = "\n") -> String {
        ["-----BEGIN \(label)-----", keyBody, "q7BFUpkGp3+LQmlQYx2eqzDV/wxOxvM=", "-----END \(label)-----"]
            .joined(separator: lineEnd)
    }
    /// The key as it goes out.
    static func maskedKey(_ label: String = "RSA PRIVATE KEY", lineEnd: String = "\n") -> String {
        let x = { String(repeating: "X", count: $0) }
        return ["-----BEGIN \(label)-----", x(48), x(31) + "=", "-----END \(label)-----"].joined(separator: lineEnd)
    }
}
