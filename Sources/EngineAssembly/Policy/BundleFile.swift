// SPDX-License-Identifier: Apache-2.0

// Files of bundles and keys.

internal import CodeIdentity
internal import FlowModel
package import FlowPolicy
internal import Foundation

/// Files of bundles and keys, with the path in every problem.
package enum BundleFile {
    /// The bytes of a regular file that is not too large to be a bundle.
    package static func bytes(at path: String) throws -> [UInt8] {
        do {
            let file = try FileBytes(path: path)
            guard file.count <= UInt64(PolicyLimits.bundleBytes.value) else {
                throw Problem.refused("\(path): more than \(PolicyLimits.bundleBytes.value) bytes; split it")
            }
            return try file.read(at: 0, count: Int(file.count))
        } catch let problem as CodeProblem {
            throw Problem.refused("\(path): cannot be read: \(problem)")
        }
    }

    package static func signingKey(in path: String) throws -> BundleSigningKey {
        let text = String(decoding: try bytes(at: path), as: UTF8.self).trimmingCharacters(in: .newlines)
        guard let key = BundleSigningKey(secretText: text) else {
            throw Problem.refused("\(path): no secret key; make one with `weir policy bundle keygen`")
        }
        return key
    }

    package static func told<Value>(_ path: String, _ work: () throws(BundleProblem) -> Value) throws -> Value {
        do { return try work() } catch { throw Problem.refused("\(path): \(error)") }
    }
}
