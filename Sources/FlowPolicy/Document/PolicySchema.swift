// SPDX-License-Identifier: Apache-2.0

// The JSON Schema of a policy document, as it ships.

internal import CCatalogues

extension Policy {
    /// The JSON Schema (draft 2020-12) of a policy document, for editors and for tools that write policies.
    ///
    /// What it refuses, the reader refuses; the reader knows more: names that are not there, rules that are never
    /// reached, keys that contradict each other.
    public static let schema: String = {
        let file = weir_policy_schema()
        return String(decoding: UnsafeBufferPointer(start: file.bytes, count: file.count), as: UTF8.self)
    }()
}
