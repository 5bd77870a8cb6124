// SPDX-License-Identifier: Apache-2.0

// What is done about a match: the one place that turns policy, thresholds and restraints into edits and findings.

import FlowModel

/// Settles matches of one stream.
struct Settlement {
    /// What is at least this sure may be edited or blocked.
    private static let editThreshold = Confidence.high
    private static let belowThreshold = Reason("below-edit-threshold", "not sure enough to change or refuse content")
    private static let released = Reason("released-at-deadline", "part of it had gone out when it was recognised")

    let plan: InspectionPlan
    /// Why nothing may be edited.
    var restraint: Reason?
    /// What lies before this offset went out at a deadline.
    var deadlineMark = 0
    /// The start of the finding that blocks; nothing from there on goes out.
    private(set) var blockedFrom: Int?

    init(plan: InspectionPlan, restraint: Reason?) {
        self.plan = plan
        self.restraint = restraint
    }

    /// Settles a match.
    mutating func settle(_ match: Match, into step: inout InspectionStep) {
        let action = settle(
            match.detector, match.range, match.confidence, excerpt: match.masked,
            digest: plan.key.digest(of: match.normalised), isWhole: match.range.lowerBound >= deadlineMark, into: &step)
        if action == .redact { edit(match.range, match.masked, into: &step) }
    }

    // MARK: Private keys, which are edited while they pass

    mutating func begin(_ key: KeySwallow) {
        if plan.action(.privateKey) == .block, restraint == nil { block(from: key.start) }
    }

    mutating func pass(_ range: Range<Int>, masked: [UInt8], into step: inout InspectionStep) {
        guard plan.action(.privateKey) == .redact, restraint == nil else { return }
        let from = max(range.lowerBound, deadlineMark)
        guard from < range.upperBound else { return }
        edit(from..<range.upperBound, Array(masked.dropFirst(from - range.lowerBound)), into: &step)
    }

    mutating func end(_ key: KeySwallow, isComplete: Bool, into step: inout InspectionStep) {
        _ = settle(
            .privateKey, key.start..<key.position, isComplete ? .proved : .high, excerpt: key.beginLine,
            digest: key.digest,
            isWhole: key.body >= deadlineMark, into: &step)
    }

    // MARK: Decisions

    private mutating func settle(
        _ detector: Detector, _ range: Range<Int>, _ confidence: Confidence, excerpt: [UInt8], digest: String,
        isWhole: Bool, into step: inout InspectionStep
    ) -> ContentAction {
        let wanted = plan.action(detector)
        var finding = Finding(
            type: detector.description.id, confidence: confidence, offset: UInt64(range.lowerBound),
            length: range.count,
            excerpt: String(decoding: excerpt.prefix(40), as: UTF8.self), digest: digest, action: wanted)
        if wanted != .report {
            // A refusal changes nothing, so that a restraint of edits does not hold it back.
            if confidence < Self.editThreshold {
                (finding.action, finding.restraint) = (.report, Self.belowThreshold)
            } else if let restraint {
                (finding.action, finding.restraint) = (wanted == .block ? .block : .report, restraint)
            } else if !isWhole {
                // What had not gone out of a private key was masked all the same.
                finding.action = wanted == .redact && detector != .privateKey ? .report : wanted
                finding.restraint = Self.released
            }
        }
        step.findings.append(finding)
        if finding.action == .block {
            if step.blocked == nil { step.blocked = finding }
            if restraint == nil { block(from: range.lowerBound) }
        }
        return finding.action
    }

    private mutating func block(from offset: Int) {
        if blockedFrom == nil { blockedFrom = max(offset, deadlineMark) }
    }

    private func edit(_ range: Range<Int>, _ replacement: [UInt8], into step: inout InspectionStep) {
        // What is not going out needs no edit.
        if let blockedFrom, range.lowerBound >= blockedFrom { return }
        step.edits.append(Edit(range: UInt64(range.lowerBound)..<UInt64(range.upperBound), replacement: replacement))
    }
}
