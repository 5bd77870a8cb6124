// SPDX-License-Identifier: Apache-2.0

// The documents in Tests/Vectors/policy, what they expect, and the flows they name.

import FlowModel
import FlowPolicy
import Foundation
import Testing

/// A document of the vectors.
struct PolicyVector: CustomTestStringConvertible, Sendable {
    let name: String
    let yaml: String

    var testDescription: String { name }

    /// All documents of a folder, by name; fails loudly when there are none.
    static func all(_ folder: String) -> [PolicyVector] {
        let root = repository.appendingPathComponent("Tests/Vectors/policy/\(folder)")
        let files = (try? FileManager.default.contentsOfDirectory(at: root, includingPropertiesForKeys: nil)) ?? []
        return files.filter { $0.pathExtension == "yaml" }.sorted { $0.path < $1.path }.map { file in
            PolicyVector(
                name: file.lastPathComponent, yaml: (try? String(contentsOf: file, encoding: .utf8)) ?? "\u{0}")
        }
    }

    /// The text of a file of the repository.
    static func text(_ path: String) -> String? {
        try? String(contentsOf: repository.appendingPathComponent(path), encoding: .utf8)
    }

    private static var repository: URL {
        (0..<3).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }
    }

    /// What follows `# word: ` in each comment line that begins so.
    func comments(_ word: String) -> [String] {
        yaml.split(separator: "\n").compactMap { line in
            line.hasPrefix("# \(word): ") ? String(line.dropFirst(word.count + 4)) : nil
        }
    }
}

enum Sample {
    static let detectors = [
        DetectorName(id: "payment-card", family: "payment-card"), DetectorName(id: "iban", family: "iban"),
        DetectorName(id: "email", family: "email"), DetectorName(id: "private-key", family: "secret"),
        DetectorName(id: "aws-access-key", family: "secret"), DetectorName(id: "github-token", family: "secret"),
    ]

    /// Reads a document that must be good.
    static func policy(_ yaml: String) throws -> Policy {
        try Policy.read(yaml: yaml, file: "test.yaml", PolicyEnvironment(detectors: detectors))
    }

    /// The problems of a document that must be bad, as `line:column code`.
    static func problems(_ yaml: String) -> [PolicyProblem] {
        do {
            _ = try Policy.read(yaml: yaml, file: "test.yaml", PolicyEnvironment(detectors: detectors))
            return []
        } catch {
            return error.problems
        }
    }

    /// Facts from words: `host:port key=value …`.
    static func facts(_ text: String) throws -> FlowFacts {
        let words = text.split(separator: " ")
        let destination = try #require(words.first.flatMap { Endpoint($0) })
        var facts = FlowFacts(id: FlowID(1), intake: .transparent, destination: destination, startedAt: 0)
        for word in words.dropFirst() {
            let parts = word.split(separator: "=", maxSplits: 1)
            let key = try #require(parts.first)
            let value = String(try #require(parts.last))
            switch key {
            case "class": facts.identity.codeClass = .known(try #require(CodeClass(rawValue: value)))
            case "cause": facts.identity.codeClass = .unknown(try #require(UnknownCause(rawValue: value)))
            case "executable": facts.identity.executable = value
            case "transport": facts.transport = try #require(Transport(rawValue: value))
            case "intake": facts.intake = try #require(IntakeKind(rawValue: value))
            default:
                facts.learn(try #require(HostName(value)), try #require(NameProof(rawValue: String(key))))
            }
        }
        return facts
    }

    /// An admission in words: `inspect?relay,block by rule`.
    static func words(_ admission: Admission) -> String {
        let verdict = admission.verdict
        var lane = verdict.lane.rawValue
        if case .deferred(let deferral) = admission {
            lane += "?" + deferral.candidates.map(\.rawValue).joined(separator: ",")
        }
        return "\(lane) by \(verdict.rule ?? verdict.reason.code)"
    }
}

/// Numbers that look random and are the same in every run.
struct Dice {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func roll(_ count: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(truncatingIfNeeded: state >> 33) % max(1, count)
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[roll(elements.count)] }
}
