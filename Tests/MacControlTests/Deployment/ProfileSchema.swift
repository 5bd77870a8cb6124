// SPDX-License-Identifier: Apache-2.0

// A reader of configuration profiles that knows nothing but Apple's schema (Tests/Vectors/profiles/schema.csv).

import Foundation

/// The keys that Apple documents, by payload type and path.
struct ProfileSchema {
    private struct Key {
        let type: String
        let isRequired: Bool
        let values: [String]
    }

    private var keys: [String: [String: Key]] = [:]

    init() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Vectors/profiles/schema.csv")
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") where !line.hasPrefix("#") {
            let cells = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            keys[cells[0], default: [:]][cells[1]] = Key(
                type: cells[2], isRequired: cells[3] == "required",
                values: cells[4].isEmpty ? [] : cells[4].components(separatedBy: "|"))
        }
    }

    /// Everything in a profile that the schema does not allow; sorted.
    func problems(_ profile: [String: Any]) -> [String] {
        var found = check(profile, "Configuration", keys["Configuration"] ?? [:])
        for payload in profile["PayloadContent"] as? [[String: Any]] ?? [] {
            let type = payload["PayloadType"] as? String ?? "none"
            guard let own = keys[type] else {
                found.append("\(type): this payload is not known")
                continue
            }
            found += check(payload, type, own.merging(keys["any"] ?? [:]) { own, _ in own })
        }
        return found.sorted()
    }

    private func check(_ dictionary: [String: Any], _ type: String, _ keys: [String: Key]) -> [String] {
        var found: [String] = []
        for (name, key) in keys where key.isRequired && !name.contains(".") && dictionary[name] == nil {
            found.append("\(type): \(name) is missing")
        }
        func walk(_ value: Any, _ path: String, _ pattern: String) {
            guard let key = keys[pattern] else { return found.append("\(type): \(path) is not known") }
            let isFit: Bool
            switch key.type {
            case "string": isFit = value is String
            case "boolean": isFit = (value as? NSNumber).map { CFGetTypeIDIsBoolean($0) } ?? (value is Bool)
            case "integer": isFit = value is Int
            case "data": isFit = value is Data
            case "array": isFit = value is [Any]
            case "dictionary": isFit = value is [String: Any]
            default: isFit = true
            }
            guard isFit else { return found.append("\(type): \(path) is no \(key.type)") }
            if !key.values.isEmpty, !key.values.contains("\(value)") {
                found.append("\(type): \(path) is not one of \(key.values.joined(separator: "|"))")
            }
            // The payloads of a profile are checked by their own types.
            if pattern == "PayloadContent.[]" || key.type == "any" { return }
            for (name, inner) in value as? [String: Any] ?? [:] {
                let exact = pattern + "." + name
                walk(inner, path + "." + name, keys[exact] == nil ? pattern + ".*" : exact)
            }
            for inner in value as? [Any] ?? [] { walk(inner, path + ".[]", pattern + ".[]") }
        }
        for (name, value) in dictionary { walk(value, name, name) }
        return found
    }

    private func CFGetTypeIDIsBoolean(_ number: NSNumber) -> Bool { number.objCType.pointee == CChar(bitPattern: 0x63) }
}
