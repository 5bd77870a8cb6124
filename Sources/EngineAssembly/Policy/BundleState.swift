// SPDX-License-Identifier: Apache-2.0

// `policy-bundle.json` of the state directory: which policy was taken last, and what it asks of the next.

package import FlowPolicy
internal import Foundation

/// What this installation remembers of the policies it took.
///
/// A file that cannot be read is refused, never taken for a first start: that would be the way back to an old policy.
package struct BundleState {
    package private(set) var memory: BundleMemory
    private let path: String

    /// The state of a directory; empty when nothing was remembered yet.
    package static func load(in directory: String) throws -> BundleState {
        let path = directory + "/policy-bundle.json"
        guard FileManager.default.fileExists(atPath: path) else {
            return BundleState(memory: BundleMemory(), path: path)
        }
        guard let data = FileManager.default.contents(atPath: path),
            let stored = try? JSONDecoder().decode(Stored.self, from: data)
        else {
            throw Problem.refused(
                "\(path): cannot be read; restore it, or remove it to forget which bundle was taken last")
        }
        return BundleState(memory: stored.memory, path: path)
    }

    /// The bundle in the content of a policy file, if it may be taken; nil for a document that may be taken without.
    package func bundle(in content: [UInt8], named name: String) throws -> PolicyBundle? {
        try BundleFile.told(name) { () throws(BundleProblem) in
            if PolicyBundle.isBundle(content) { return try memory.read(content) }
            try memory.allowUnsigned(name)
            return nil
        }
    }

    /// Remembers a policy on the disk; call it when the policy was read without a problem and before it is used.
    package mutating func take(_ bundle: PolicyBundle?, _ policy: Policy) throws {
        var next = memory
        next.take(bundle, policy.settings)
        guard next != memory else { return }
        do {
            let data = try JSONEncoder().encode(Stored(next))
            try data.write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw Problem.refused(
                "\(path): cannot be written, so the policy is not taken: \(error.localizedDescription)")
        }
        memory = next
    }

    private struct Stored: Codable {
        var name: String?
        var version: Int?
        var digest: String?
        /// Base64.
        var demandedKey: Data?

        init(_ memory: BundleMemory) {
            name = memory.taken?.name
            version = memory.taken?.version
            digest = memory.taken?.digest
            demandedKey = memory.demand.map { Data($0.key) }
        }

        var memory: BundleMemory {
            var taken: BundleMemory.Taken?
            if let name, let version, let digest {
                taken = BundleMemory.Taken(name: name, version: version, digest: digest)
            }
            return BundleMemory(
                taken: taken, demand: demandedKey.map { PolicySettings.BundleDemand(key: Array($0)) })
        }
    }
}
