// SPDX-License-Identifier: Apache-2.0

// CodeResources: which files of a bundle are sealed, and with what content.

import FlowModel

/// The resource seal of a bundle, as its file says it (resources.cpp).
///
/// Only a seal whose bytes slot 3 of the code directory holds is worth checking against.
public struct ResourceSeal: Sendable {
    /// What a rule makes of the paths it matches.
    struct Rule: Sendable {
        var pattern: SealPattern
        var weight = 1
        var isOmitted = false
        var isNested = false
    }

    /// What a path must be.
    enum Item: Sendable, Equatable {
        case file(hashes: [CodeHashType: [UInt8]])
        case symbolicLink(target: String)
        case code(cdhash: [UInt8]?, requirement: String)
    }

    struct Sealed: Sendable {
        let item: Item
        let isOptional: Bool
    }

    /// 2; or 1 for a seal that covers resources only, by SHA-1.
    public let version: Int
    let rules: [Rule]
    let sealed: [String: Sealed]
    /// Whether the rules seal everything that no other rule speaks of.
    let coversEverything: Bool

    /// How many paths are sealed.
    public var count: Int { sealed.count }

    /// Reads a seal of version 2, or, where there is none, of version 1.
    ///
    /// Throws `plist-…`, `seal-malformed`, `seal-rule` or `limit`: one rule that is not understood makes the seal
    /// useless, as nobody can say what it leaves out.
    public init(_ bytes: [UInt8]) throws(CodeProblem) {
        let list = try PropertyList.read(bytes)
        version = list["files2"] == nil ? 1 : 2
        let suffix = version == 1 ? "" : "2"
        guard let files = list["files" + suffix]?.dictionary, let rules = list["rules" + suffix]?.dictionary else {
            throw CodeProblem(.sealMalformed, "the seal has no files or no rules")
        }
        let limit = CodeIdentityLimits.sealRules
        guard rules.count <= limit.value else { throw .beyond(limit, "rules") }
        coversEverything = rules[version == 1 ? "^Resources/" : "^.*"] == .boolean(true)
        var read: [Rule] = []
        for (pattern, value) in rules.sorted(by: { $0.key < $1.key }) { read.append(try Self.rule(pattern, value)) }
        self.rules = read
        var sealed: [String: Sealed] = [:]
        sealed.reserveCapacity(files.count)
        for (path, value) in files { sealed[path] = try Self.sealed(path, value) }
        self.sealed = sealed
    }

    private static func rule(_ pattern: String, _ value: PropertyListValue) throws(CodeProblem) -> Rule {
        var rule = Rule(pattern: try SealPattern(pattern))
        switch value {
        case .boolean(let isSealed): rule.isOmitted = !isSealed
        case .dictionary(let entries):
            for (key, value) in entries {
                switch (key, value) {
                case ("omit", .boolean(let flag)): rule.isOmitted = flag
                case ("nested", .boolean(let flag)): rule.isNested = flag
                // It says how the seal was made; whether a file may be missing stands with the file.
                case ("optional", .boolean): break
                case ("weight", .integer(let weight)) where 0...Int64(UInt32.max) ~= weight: rule.weight = Int(weight)
                case ("weight", .real(let weight)) where 0...Double(UInt32.max) ~= weight: rule.weight = Int(weight)
                default: throw CodeProblem(.sealRule, "the rule \(pattern): \(key) is not understood")
                }
            }
        case .string, .integer, .real, .date, .data, .array:
            throw CodeProblem(.sealRule, "the rule \(pattern) is not understood")
        }
        return rule
    }

    private static func sealed(_ path: String, _ value: PropertyListValue) throws(CodeProblem) -> Sealed {
        func malformed(_ detail: String) -> CodeProblem {
            CodeProblem(.sealMalformed, "the seal of \(path): \(detail)")
        }
        guard (try? TreePath.parts(path))?.isEmpty == false else { throw malformed("no path inside the bundle") }
        let entries: [String: PropertyListValue]
        switch value {
        case .data(let hash): entries = ["hash": .data(hash)]
        case .dictionary(let dictionary): entries = dictionary
        case .string, .integer, .real, .boolean, .date, .array: throw malformed("neither a hash nor a dictionary")
        }
        var isOptional = false
        if let optional = entries["optional"] {
            guard let flag = optional.boolean else { throw malformed("optional is no boolean") }
            isOptional = flag
        }
        var hashes: [CodeHashType: [UInt8]] = [:]
        for type in CodeHashType.allCases {
            let key = type == .sha1 ? "hash" : "hash\(type.rawValue)"
            guard let value = entries[key] else { continue }
            guard let hash = value.data, hash.count == type.size else { throw malformed("\(key) is no such hash") }
            hashes[type] = hash
        }
        let item: Item
        switch (entries["requirement"], entries["symlink"], hashes.isEmpty) {
        case (.string(let requirement), nil, true):
            guard entries["cdhash"] == nil || entries["cdhash"]?.data?.count == 20 else {
                throw malformed("the cdhash is none")
            }
            item = .code(cdhash: entries["cdhash"]?.data, requirement: requirement)
        case (nil, .string(let target), true): item = .symbolicLink(target: target)
        case (nil, nil, false): item = .file(hashes: hashes)
        default: throw malformed("not one of hash, symlink and requirement")
        }
        return Sealed(item: item, isOptional: isOptional)
    }
}
