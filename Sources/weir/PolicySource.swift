// SPDX-License-Identifier: Apache-2.0

// Where a policy comes from: a preset by name, or a file.

import ContentInspection
import FlowPolicy
import Foundation

enum PolicySource {
    static let detectors = Detectors.all.map { DetectorName(id: $0.id, family: $0.family) }

    /// Reads a preset or a file, which does no more than a cap allows; every problem is one line with its place.
    static func load(_ name: String, under cap: ModeCap? = nil) throws -> Policy {
        let environment = PolicyEnvironment(detectors: detectors, modeCap: cap)
        if let preset = Policy.preset(name, environment) { return preset }
        do {
            return try Policy.read(yaml: try text(of: name), file: name, environment)
        } catch let problems as PolicyProblems {
            throw Problem.refused(problems.problems.map(\.description).joined(separator: "\nweir: "))
        }
    }

    static func text(of path: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            let presets = Policy.presetNames.joined(separator: ", ")
            throw Problem.refused("\(path): no such policy file that can be read; the presets are \(presets)")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw Problem.refused("\(path): not UTF-8 text; a policy is a YAML document")
        }
        return text
    }
}
