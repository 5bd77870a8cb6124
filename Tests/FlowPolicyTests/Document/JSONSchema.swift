// SPDX-License-Identifier: Apache-2.0

// A small validator for the keywords that the policy's schema uses (JSON Schema, draft 2020-12).

import Foundation

@testable import FlowPolicy

struct JSONSchema {
    typealias Object = [String: Any]

    private static let keywords: Set = [
        "$schema", "$defs", "$ref", "title", "description", "type", "properties", "required", "additionalProperties",
        "items", "minItems", "minProperties", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum",
        "anyOf",
        "oneOf",
    ]

    let root: Object

    init(_ text: String) throws {
        root = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? Object ?? [:]
    }

    /// What is wrong with a document, each with its line.
    func problems(_ node: DocumentNode) -> [String] { check(node, root) }

    private func check(_ node: DocumentNode, _ schema: Object) -> [String] {
        var problems: [String] = []
        func fail(_ what: String) { problems.append("line \(node.place.line): \(what)") }
        if let reference = schema["$ref"] as? String { problems += check(node, definition(reference)) }
        if let types = schema["type"] {
            let allowed = (types as? [String]) ?? [types as? String ?? ""]
            if Set(allowed).isDisjoint(with: Self.types(node)) { fail("type \(allowed)") }
        }
        if let values = schema["enum"] as? [Any], !values.contains(where: { Self.equals(node, $0) }) {
            fail("not one of \(values)")
        }
        for (keyword, count) in [("anyOf", 1...Int.max), ("oneOf", 1...1)] {
            guard let schemas = schema[keyword] as? [Object] else { continue }
            if !count.contains(schemas.count(where: { check(node, $0).isEmpty })) { fail(keyword) }
        }
        switch node.content {
        case .text(let text, _):
            if let pattern = schema["pattern"] as? String, Self.types(node).contains("string"),
                text.range(of: pattern, options: .regularExpression) == nil
            {
                fail("pattern \(pattern)")
            }
            if let least = schema["minLength"] as? Int, text.count < least { fail("minLength") }
            if let most = schema["maxLength"] as? Int, text.count > most { fail("maxLength") }
            if let number = Int(text) {
                if let least = schema["minimum"] as? Int, number < least { fail("minimum") }
                if let most = schema["maximum"] as? Int, number > most { fail("maximum") }
            }
        case .list(let items):
            if let least = schema["minItems"] as? Int, items.count < least { fail("minItems") }
            if let each = schema["items"] as? Object { for item in items { problems += check(item, each) } }
        case .mapping(let pairs):
            if let least = schema["minProperties"] as? Int, pairs.count < least { fail("minProperties") }
            let properties = schema["properties"] as? [String: Object] ?? [:]
            for key in schema["required"] as? [String] ?? [] where node[key] == nil { fail("required \(key)") }
            for (key, value) in pairs {
                if let known = properties[key.word ?? ""] {
                    problems += check(value, known)
                } else if let rest = schema["additionalProperties"] as? Object {
                    problems += check(value, rest)
                } else if schema["additionalProperties"] as? Bool == false {
                    fail("key \(key.word ?? "")")
                }
            }
        case .tagged: fail("tag")
        }
        return problems
    }

    /// The types that a YAML value has in JSON, by the core schema of YAML 1.2.
    private static func types(_ node: DocumentNode) -> Set<String> {
        switch node.content {
        case .list: return ["array"]
        case .mapping: return ["object"]
        case .tagged: return []
        case .text(let text, let isPlain):
            guard isPlain else { return ["string"] }
            if node.isNull { return ["null"] }
            if text == "true" || text == "false" { return ["boolean"] }
            return Int(text) == nil ? ["string"] : ["integer"]
        }
    }

    private static func equals(_ node: DocumentNode, _ value: Any) -> Bool {
        if value is NSNull { return node.isNull }
        if let text = value as? String { return types(node).contains("string") && node.word == text }
        return types(node).contains("integer") && node.word == "\(value)"
    }

    private func definition(_ reference: String) -> Object {
        let name = reference.replacing("#/$defs/", with: "")
        return (root["$defs"] as? Object)?[name] as? Object ?? ["enum": [Any]()]
    }

    /// The keys of an object: `/vendor` below the root, `#rule` among the definitions, `#rule/x` below one.
    func keys(_ path: String) -> [String] {
        let parts = path.split(separator: "/").map(String.init)
        var object = root
        for part in parts {
            if part.hasPrefix("#") {
                object = definition("#/$defs/" + part.dropFirst())
            } else {
                object = (object["properties"] as? Object)?[part] as? Object ?? [:]
            }
        }
        return (object["properties"] as? Object)?.keys.sorted() ?? []
    }

    /// The words of a definition.
    func words(_ name: String) -> [String] {
        (definition("#/$defs/" + name)["enum"] as? [Any] ?? []).compactMap { $0 as? String }.sorted()
    }

    /// How many objects refuse keys that they do not name.
    var closedObjects: Int { Self.schemas(root).count { $0["additionalProperties"] as? Bool == false } }

    func unknownKeywords() -> [String] {
        Set(Self.schemas(root).flatMap(\.keys)).subtracting(Self.keywords).sorted()
    }

    /// A schema and every schema in it.
    private static func schemas(_ object: Object) -> [Object] {
        var inner: [Object] = []
        for key in ["properties", "$defs"] {
            inner += (object[key] as? [String: Object])?.values.map(\.self) ?? []
        }
        for key in ["anyOf", "oneOf"] { inner += object[key] as? [Object] ?? [] }
        for key in ["items", "additionalProperties"] { inner += (object[key] as? Object).map { [$0] } ?? [] }
        return [object] + inner.flatMap(schemas)
    }
}
