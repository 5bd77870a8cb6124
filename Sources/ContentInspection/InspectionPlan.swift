// SPDX-License-Identifier: Apache-2.0

// What to look for and what to do about it, compiled once and shared by all streams.

import Crypto
public import FlowModel

/// The secret key of finding digests.
///
/// Whoever holds it can test guesses against digests, so it stays on the installation: 32 random bytes are right.
public struct FindingKey: Sendable {
    let symmetric: SymmetricKey

    public init(bytes: [UInt8]) {
        symmetric = SymmetricKey(data: bytes)
    }

    /// The first 16 hexadecimal digits of HMAC-SHA256 of a normalised value.
    func digest(of value: [UInt8]) -> String {
        Self.text(HMAC<SHA256>.authenticationCode(for: value, using: symmetric))
    }

    /// Prints a code the way digests are printed.
    static func text(_ code: HMAC<SHA256>.MAC) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: code.prefix(8).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

/// Why actions do not make a plan.
public enum PlanError: Error, Equatable, CustomStringConvertible {
    case unknownDetector(String)

    public var description: String {
        switch self {
        case .unknownDetector(let id):
            let known = Detectors.all.map(\.id).joined(separator: ", ")
            return "no detector is called \"\(id)\": use one of \(known)"
        }
    }
}

/// Which detectors run, and what is done about what they find.
public struct InspectionPlan: Sendable {
    let key: FindingKey
    /// One for each `Detector`; nil where it does not run.
    private let actions: [ContentAction?]
    /// The triggers of detectors that may edit or block, and those of all others that run.
    let editing: TriggerKinds
    let reporting: TriggerKinds

    /// Makes a plan from actions by detector id; a detector without an action does not run.
    public init(actions: [String: ContentAction], key: FindingKey) throws(PlanError) {
        let known = Set(Detectors.all.map(\.id))
        // The smallest name, so that the same mistake gives the same message.
        if let unknown = actions.keys.filter({ !known.contains($0) }).min() { throw .unknownDetector(unknown) }
        self.key = key
        self.actions = Detector.allCases.map { actions[$0.description.id] }
        var editing: TriggerKinds = []
        var reporting: TriggerKinds = []
        for detector in Detector.allCases {
            guard let action = self.actions[detector.rawValue] else { continue }
            if action == .report {
                reporting.formUnion(detector.triggers)
            } else {
                editing.formUnion(detector.triggers)
            }
        }
        // An IBAN in lower case never reaches the threshold of edits, so nothing is held for it.
        if editing.remove(.otherPair) != nil { reporting.insert(.otherPair) }
        self.editing = editing
        self.reporting = reporting
    }

    /// Whether some action is to redact or to block.
    public var mayEdit: Bool { !editing.isEmpty }

    /// Whether nothing is looked for.
    public var isEmpty: Bool { editing.isEmpty && reporting.isEmpty }

    func action(_ detector: Detector) -> ContentAction { actions[detector.rawValue] ?? .report }
}
