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

/// The files that documents of the vectors name: those in the folder `files`.
struct FolderFiles: PolicyFiles {
    func text(of path: String, namedBy document: String) throws(PolicyFileProblem) -> PolicyFile {
        guard let text = PolicyVector.text("Tests/Vectors/policy/files/\(path)") else {
            throw PolicyFileProblem("there is no such file")
        }
        return PolicyFile(name: path, text: text)
    }
}

/// Files that stand in the test itself.
struct MemoryFiles: PolicyFiles {
    var texts: [String: String]

    func text(of path: String, namedBy document: String) throws(PolicyFileProblem) -> PolicyFile {
        guard let text = texts[path] else { throw PolicyFileProblem("there is no such file") }
        return PolicyFile(name: path, text: text)
    }
}

enum Sample {
    static let detectors = [
        DetectorName(id: "payment-card", family: "payment-card"), DetectorName(id: "iban", family: "iban"),
        DetectorName(id: "email", family: "email"), DetectorName(id: "private-key", family: "secret"),
        DetectorName(id: "aws-access-key", family: "secret"), DetectorName(id: "github-token", family: "secret"),
    ]

    /// A few rows of each kind, so that tests do not change with the data that ships.
    static let catalogues = Catalogues(
        edition: "test",
        protocols: [
            ProtocolRow(
                id: "apns", system: .macos, name: "push", transports: [.tcp], ports: [5223...5223], tier: .never,
                scope: .code, reason: "push", consequence: "no push", evidence: .seen, source: "test"),
            ProtocolRow(
                id: "ldap", system: .both, name: "LDAP", transports: [.tcp], ports: [389...389], tier: .default,
                scope: .open, reason: "directory", consequence: "no log-in", evidence: .seen, source: "test"),
        ],
        programs: [
            ProgramRow(
                catalogue: "macos-daemons", id: "com.apple.trustd",
                match: .applePlatform(identifier: "com.apple.trustd"),
                tier: .never, role: "trust", evidence: .seen, source: "test")
        ],
        hosts: [
            ("private-life", "bank.example"), ("private-life", "*.bank.example"), ("private-life", "clinic.example"),
            ("home/payment-card", "pay.example"),
        ].compactMap { catalogue, host in
            HostPattern(host).map {
                HostRow(
                    catalogue: catalogue, pattern: $0, category: "test", reason: "test", evidence: .seen, source: "test"
                )
            }
        })

    /// What the vectors are read against.
    static let environment = PolicyEnvironment(
        detectors: detectors, catalogues: catalogues, files: FolderFiles(),
        userID: { $0 == "alice" ? 501 : nil }, device: "device-1")

    /// Reads a document that must be good.
    static func policy(_ yaml: String) throws -> Policy {
        try Policy.read(yaml: yaml, file: "test.yaml", environment)
    }

    /// The problems of a document that must be bad, as `line:column code`.
    static func problems(_ yaml: String, _ environment: PolicyEnvironment = environment) -> [PolicyProblem] {
        do {
            _ = try Policy.read(yaml: yaml, file: "test.yaml", environment)
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
            case "user": facts.identity.userID = try #require(UInt32(value)) as UInt32
            case "interface": facts.interface = try #require(InterfaceClass(rawValue: value)) as InterfaceClass
            case "session": facts.session = try #require(SessionKind(rawValue: value)) as SessionKind
            case "protocol": facts.protocols = value.split(separator: "+").map(String.init)
            case "at": facts.startedAt = try #require(Int64(value)) * 1_000
            case "offset": facts.utcOffset = try #require(Int32(value)) as Int32
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
