// SPDX-License-Identifier: Apache-2.0

// A code requirement that a policy asks of programs.

public import CodeIdentity

/// A code requirement of a policy: `code` in a rule, or one of its named `requirements`.
public struct PolicyRequirement: Sendable {
    /// The name under `requirements`; nil for one that stands in a rule.
    public let name: String?
    /// As the document has it.
    public let text: String
    public let compiled: CompiledRequirement
    public let place: SourcePlace

    public init(name: String?, text: String, compiled: CompiledRequirement, place: SourcePlace) {
        self.name = name
        self.text = text
        self.compiled = compiled
        self.place = place
    }

    /// How explanations call it: by its name, else by its text.
    public var title: String { name ?? "'\(text)'" }
}
