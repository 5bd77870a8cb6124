// SPDX-License-Identifier: Apache-2.0

// Where a policy comes from: a preset by name, or a file; and what it is read against.

internal import ContentInspection
internal import FlowModel
package import FlowPolicy
internal import Foundation

package enum PolicySource {
    package static let detectors = Detectors.all.map { DetectorName(id: $0.id, family: $0.family) }

    /// What a policy may refer to on this machine; `device` takes part in roll-outs, `system` makes the flows.
    package static func environment(
        device: String? = nil, system: CatalogueSystem = .current
    ) -> PolicyEnvironment {
        var environment = PolicyEnvironment(
            detectors: detectors, files: DiskPolicyFiles(), userID: userID, device: device)
        environment.system = system
        return environment
    }

    /// What described flows may leave out, and name.
    package static func context() -> FlowDescription.Context {
        FlowDescription.Context(
            now: AssembledEngine.now(), utcOffset: Int32(clamping: TimeZone.current.secondsFromGMT()), userID: userID)
    }

    /// Reads a preset or a file; every problem of a file is one line with its place.
    package static func load(_ name: String, _ environment: PolicyEnvironment = environment()) throws -> Policy {
        try explained { try read(name, environment) }
    }

    /// The same, with the problems as they are; a bundle is read whoever signed it.
    package static func read(_ name: String, _ environment: PolicyEnvironment) throws -> Policy {
        switch try content(of: name) {
        case .preset(let preset): return try read(preset: preset, environment)
        case .file(let bytes) where PolicyBundle.isBundle(bytes):
            let bundle = try BundleFile.told(name) { () throws(BundleProblem) in try PolicyBundle.readUntrusted(bytes) }
            return try read(bundle, environment)
        case .file(let bytes): return try read(bytes, name, environment)
        }
    }

    /// What a name of a policy leads to.
    package enum Content {
        case preset(String)
        case file([UInt8])
    }

    package static func content(of name: String) throws -> Content {
        if let preset = presetName(name) { return .preset(preset) }
        return .file(try told(name) { () throws(PolicyFileProblem) in try DiskPolicyFiles.bytes(of: name) })
    }

    package static func read(preset name: String, _ environment: PolicyEnvironment) throws -> Policy {
        guard let preset = Policy.preset(name, environment) else {
            throw Problem.internalError("the preset \(name) cannot be read")
        }
        return preset
    }

    /// A policy document on the disk.
    package static func read(_ bytes: [UInt8], _ name: String, _ environment: PolicyEnvironment) throws -> Policy {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Problem.refused("\(name): not UTF-8 text: save it as UTF-8")
        }
        return try Policy.read(yaml: text, file: name, environment)
    }

    /// The policy in a bundle, whose files are the only ones that it can name.
    package static func read(_ bundle: PolicyBundle, _ environment: PolicyEnvironment) throws -> Policy {
        var environment = environment
        environment.files = bundle.files
        return try Policy.read(yaml: bundle.document.text, file: bundle.document.name, environment)
    }

    /// The preset that `report` or `preset report` names.
    package static func presetName(_ name: String) -> String? {
        let word = name.hasPrefix("preset ") ? String(name.dropFirst(7)) : name
        return Policy.presetNames.contains(word) ? word : nil
    }

    /// The text of a file, a policy or another.
    package static func text(of path: String) throws -> String {
        try told(path) { () throws(PolicyFileProblem) in try DiskPolicyFiles.text(of: path) }
    }

    private static func told<Value>(_ path: String, _ work: () throws(PolicyFileProblem) -> Value) throws -> Value {
        do {
            return try work()
        } catch {
            let hint = path.contains("/") ? "" : "; the presets are \(Policy.presetNames.joined(separator: ", "))"
            throw Problem.refused("\(path): \(error.description)\(hint)")
        }
    }

    /// The text of a file or, for `-`, of standard input, and what to call it.
    package static func input(_ path: String) throws -> (text: String, name: String) {
        guard path == "-" else { return (try text(of: path), path) }
        let limit = AssemblyLimits.policyFile.value
        let data = try FileHandle.standardInput.read(upToCount: limit + 1) ?? Data()
        guard data.count <= limit else {
            throw Problem.refused("standard input has more than \(limit) bytes: split it")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw Problem.refused("standard input is not UTF-8 text")
        }
        return (text, "standard input")
    }

    /// Turns the problems of a document into lines of one refusal.
    package static func explained<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let problems as PolicyProblems {
            throw refusal(problems)
        }
    }

    package static func refusal(_ problems: PolicyProblems) -> Problem {
        .refused(problems.description.split(separator: "\n").joined(separator: "\nweir: "))
    }

    /// The number of a user of this machine.
    private static func userID(_ name: String) -> UInt32? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 1 << 14)
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        return entry.pw_uid
    }
}
