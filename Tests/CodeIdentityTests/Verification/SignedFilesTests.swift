// SPDX-License-Identifier: Apache-2.0

// Real signed files against what programs that share no code with Weir say of them: Tests/Vectors/codesign.

import Crypto
import Foundation
import Testing

@testable import CodeIdentity

@Suite("Real signed files") struct SignedFilesTests {
    @Test("Every value that independent readers give is reproduced", arguments: try SignedFiles.all())
    func values(_ file: SignedFiles.File) throws {
        let (report, expected) = (try file.report(), file.expected)
        let shape = try ExpectedShape(report)
        #expect(report.isUniversal == (expected["fat"] as? Bool))
        let slices = try #require(expected["slices"] as? [[String: Any]])
        try #require(report.slices.count == slices.count)
        for (index, slice) in slices.enumerated() {
            // Evaluations have a test of their own; the second reader's remarks are not about the file.
            var wanted = slice
            wanted["evaluations"] = nil
            let differences = Difference.between(wanted, shape.slices[index], path: slice["arch"] as? String ?? "")
            #expect(differences.isEmpty, "\(file): \(differences.joined(separator: "\n"))")
        }
    }

    @Test("Every signed slice holds, and every unsigned one is only unsigned", arguments: try SignedFiles.all())
    func validity(_ file: SignedFiles.File) throws {
        for slice in try file.report().slices {
            #expect(slice.problems.isEmpty, "\(file)")
            #expect((slice.verified != nil) == (slice.signing != .unsigned), "\(file)")
        }
    }

    @Test("Every evaluation comes out as expected, and its explanation agrees", arguments: try SignedFiles.all())
    func evaluations(_ file: SignedFiles.File) throws {
        let report = try file.report()
        for (slice, expected) in zip(report.slices, file.expected["slices"] as? [[String: Any]] ?? []) {
            for evaluation in expected["evaluations"] as? [[String: Any]] ?? [] {
                let text = try #require(evaluation["text"] as? String)
                let wanted: RequirementResult = try #require(evaluation["expect"] as? Bool) ? .true : .false
                let subject = RequirementSubject.apple(try #require(slice.verified).subject)
                let requirement =
                    switch text {
                    case "<explicit designated requirement>": try Requirement(try #require(slice.designated).expression)
                    case "<implicit designated requirement>":
                        try Requirement(try #require(slice.implicitDesignated).expression)
                    default: try Requirement(text: text)
                    }
                // The blob means the same as the text.
                for requirement in [requirement, try Requirement(blob: try #require(requirement.blob))] {
                    let compiled = try CompiledRequirement(requirement.expression)
                    #expect(compiled.evaluate(subject) == wanted, "\(file) \(text)")
                    #expect(compiled.explain(subject).result == (wanted == .true ? .true : .false), "\(file) \(text)")
                }
            }
        }
    }

    @Test("The vectors have the sizes that were counted when they were made")
    func complete() throws {
        let files = try SignedFiles.all()
        let slices = files.flatMap { $0.expected["slices"] as? [[String: Any]] ?? [] }
        #expect(files.count == 13)
        #expect(slices.count == 18)
        #expect(slices.compactMap { ($0["evaluations"] as? [Any])?.count }.reduce(0, +) == 533)
    }
}

/// The files that `make vectors` brings.
enum SignedFiles {
    struct File: CustomTestStringConvertible, CustomStringConvertible, Sendable {
        let path: String
        let bytes: Data

        var expected: [String: Any] { (try? JSONSerialization.jsonObject(with: bytes)) as? [String: Any] ?? [:] }
        var description: String { String(path.split(separator: "/").last ?? "") }
        var testDescription: String { description }

        func bundle() throws -> CodeBundle? {
            let folder = try FolderTree("/") { descriptor throws(CodeProblem) in
                try FileBytes(descriptor: descriptor)
            }
            return try CodeBundle.enclosing(String(path.dropFirst()), in: folder)
        }

        func report() throws -> CodeReport {
            try CodeExaminer(now: 1_795_000_000).examine(FileBytes(path: path), bundle: bundle())
        }
    }

    static func all() throws -> [File] {
        let top = URL(filePath: #filePath).appending(path: "../../../..").standardizedFileURL
        let vectors = top.appending(path: "Tests/Vectors/codesign/expected.json")
        let folder =
            ProcessInfo.processInfo.environment["WEIR_CODESIGN_VECTORS"]
            ?? top.appending(path: ".build/codesign-vectors").path
        guard FileManager.default.fileExists(atPath: folder + "/complete") else {
            throw CodeProblem(.unreadable, "the signed files are not in \(folder): run `make vectors`")
        }
        let expected = try JSONSerialization.jsonObject(with: Data(contentsOf: vectors)) as? [String: Any]
        return try (expected?["wheels"] as? [[String: Any]] ?? []).flatMap { wheel in
            let requirement = (wheel["requirement"] as? String ?? "").replacingOccurrences(of: "==", with: "-")
            let root = "\(folder)/\(requirement)-\(wheel["platform"] as? String ?? "")"
            return try (wheel["files"] as? [[String: Any]] ?? []).map { file in
                File(
                    path: "\(root)/\(file["path"] as? String ?? "")",
                    bytes: try JSONSerialization.data(withJSONObject: file))
            }
        }
    }
}

/// Where two JSON values differ, by path.
enum Difference {
    static func between(_ wanted: Any, _ found: Any?, path: String) -> [String] {
        if let wanted = wanted as? [String: Any], let found = found as? [String: Any] {
            return Set(wanted.keys).union(found.keys).sorted().flatMap { key in
                between(wanted[key] ?? NSNull(), found[key], path: "\(path).\(key)")
            }
        }
        if let wanted = wanted as? [Any], let found = found as? [Any], wanted.count == found.count {
            return zip(wanted, found).enumerated().flatMap { between($1.0, $1.1, path: "\(path)[\($0)]") }
        }
        let (one, other) = (text(wanted), text(found ?? NSNull()))
        return one == other ? [] : ["\(path): \(one) is wanted, it is \(other)"]
    }

    private static func text(_ value: Any) -> String {
        let data = try? JSONSerialization.data(withJSONObject: value, options: [.fragmentsAllowed, .sortedKeys])
        return data.map { String(decoding: $0, as: UTF8.self) } ?? "\(value)"
    }
}
