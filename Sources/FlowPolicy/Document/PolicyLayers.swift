// SPDX-License-Identifier: Apache-2.0

// From the files of a policy to one document: includes put in their place, overlays laid over what they extend.

internal import FlowModel

/// One document of a chain of overlays, with what it includes.
struct PolicyLayer {
    static let keys =
        [
            "version", "mode", "extends", "include", "requirements", "lists", "catalogues", "vendor", "capture", "dns",
            "unknown", "deferred", "privacy", "require-bundle", "rules", "profiles",
        ]
    static let includedKeys = ["include"] + definitions
    /// What an included file may hold.
    static let definitions = ["requirements", "lists", "profiles"]

    var fields: NodeReading.Fields
    /// The definitions of the document and of what it includes, by key.
    var definitions: [String: [DocumentNode.Pair]] = [:]
    /// Where each of them stands, so that none is defined twice.
    private var places: [String: [String: Place]] = [:]

    init(fields: NodeReading.Fields) { self.fields = fields }

    /// Takes a definition in; the place of an earlier one of the same name when there is one.
    mutating func define(_ kind: String, _ name: String, _ pair: DocumentNode.Pair) -> Place? {
        if let known = places[kind]?[name] { return known }
        places[kind, default: [:]][name] = pair.key.place
        definitions[kind, default: []].append(pair)
        return nil
    }

    /// The document itself, without what is merged in a way of its own.
    var settings: DocumentNode {
        var pairs: [DocumentNode.Pair] = []
        for key in Self.keys where !["extends", "include", "rules", "catalogues"].contains(key) {
            let place = fields.key(key).place
            if Self.definitions.contains(key), let defined = definitions[key] {
                let value = DocumentNode(content: .mapping(defined), place: fields[key]?.place ?? place)
                pairs.append((DocumentNode(content: .text(key, isPlain: true), place: place), value))
            } else if !Self.definitions.contains(key), let value = fields[key] {
                pairs.append((fields.key(key), value))
            }
        }
        return DocumentNode(content: .mapping(pairs), place: fields.node.place)
    }
}

/// Everything that the files of a policy say together.
struct MergedPolicy {
    /// The settings and definitions of all layers.
    var settings: DocumentNode
    /// The rules after all changes; nil when no layer has any.
    var rules: (node: DocumentNode, items: [DocumentNode])?
    /// The changes to catalogues, the base's first.
    var catalogues: [DocumentNode] = []

    /// Reads a document and every file it names; nil when the document itself cannot be read.
    init?(_ yaml: String, file: String, _ reading: inout NodeReading) {
        let layers = Self.layers(yaml, file, &reading)
        guard let base = layers.first else { return nil }
        settings = base.settings
        for layer in layers.dropFirst() { settings = settings.patched(by: layer.settings) }
        catalogues = layers.compactMap { $0.fields["catalogues"] }
        for (number, layer) in layers.enumerated() {
            guard let node = layer.fields["rules"] else { continue }
            guard case .list = node.content else {
                reading.note(.wrongType, node, "`rules` must be a list of rules, each beginning with `- name:`")
                reading.isIncomplete = true
                continue
            }
            let items = reading.list(node, "`rules`")
            var changes = RuleChanges(rules?.items ?? [])
            // A document that extends another holds changes even where that other could not be read.
            if number == 0, layer.fields["extends"] == nil {
                changes.rules = items
            } else {
                changes.apply(items, node, &reading)
            }
            rules = (node, changes.rules)
        }
    }

    /// The chain of documents, the base first.
    private static func layers(_ yaml: String, _ file: String, _ reading: inout NodeReading) -> [PolicyLayer] {
        var layers: [PolicyLayer] = []
        var chain = [file]
        var next: Int? = reading.sources.add(file, path: file, yaml)
        while let current = next {
            next = nil
            guard let root = reading.compose(current) else { break }
            guard let fields = reading.fields(root, "a policy", known: PolicyLayer.keys) else {
                reading.isIncomplete = true
                break
            }
            var layer = PolicyLayer(fields: fields)
            version(fields, &reading)
            var included: Set<String> = []
            define(fields, &layer, [reading.sources.names[current]], &included, &reading)
            layers.insert(layer, at: 0)
            guard let node = fields["extends"] else { break }
            guard chain.count < PolicyLimits.chain.value else {
                reading.note(
                    .tooDeep, node, "this is overlay \(chain.count) of a chain: at most that many are read, join some")
                reading.isIncomplete = true
                break
            }
            guard let base = extended(node, &reading) else {
                reading.isIncomplete = true
                break
            }
            let name = reading.sources.names[base]
            guard !chain.contains(name) else {
                reading.note(
                    .cycle, node,
                    "`\(Quoted.short(name))` extends this document, directly or through others: "
                        + "extend another")
                reading.isIncomplete = true
                break
            }
            chain.append(name)
            next = base
        }
        return layers
    }

    private static func version(_ fields: NodeReading.Fields, _ reading: inout NodeReading) {
        guard let value = fields["version"] else {
            reading.note(.missingKey, fields.node, "a policy begins with `version: 1`")
            return
        }
        if let text = reading.text(value, "`version`"), text != "1" {
            reading.note(.badValue, value, "`version` is `\(Quoted.short(text))`: this program reads version 1")
        }
    }

    /// Opens what a document extends: a preset by name, or a file.
    private static func extended(_ node: DocumentNode, _ reading: inout NodeReading) -> Int? {
        guard let text = node.word, text.hasPrefix("preset ") else {
            return reading.open(node, "`extends`", PolicyLimits.documentBytes)
        }
        let name = String(text.dropFirst("preset ".count))
        guard let preset = Policy.presetText(name) else {
            let hint = reading.hint(name, among: Policy.presetNames)
            reading.note(
                .unknownName, node,
                "there is no preset `\(Quoted.short(name))`.\(hint) There are \(NodeReading.list(Policy.presetNames)).")
            return nil
        }
        return reading.sources.add(text, path: text, preset)
    }

    /// Collects the definitions of a file and of the files it includes.
    ///
    /// `chain` holds the files on the way here; a file that two others include is read once.
    private static func define(
        _ fields: NodeReading.Fields, _ layer: inout PolicyLayer, _ chain: [String], _ included: inout Set<String>,
        _ reading: inout NodeReading
    ) {
        for key in PolicyLayer.definitions {
            guard let node = fields[key] else { continue }
            for (name, keyNode, value) in reading.entries(node, "`\(key)`") {
                guard let known = layer.define(key, name, (keyNode, value)) else { continue }
                reading.note(
                    .duplicateName, keyNode,
                    "`\(Quoted.short(name))` stands under `\(key)` in \(reading.sources.name(known)):\(known.line) too: "
                        + "give one another name")
            }
        }
        guard let includes = fields["include"] else { return }
        for node in reading.list(includes, "`include`") {
            guard chain.count <= PolicyLimits.chain.value else {
                reading.note(
                    .tooDeep, node,
                    "this is include \(chain.count) of a chain: at most "
                        + "\(PolicyLimits.chain.value) are followed, join some")
                reading.isIncomplete = true
                return
            }
            guard let file = reading.open(node, "`include`", PolicyLimits.documentBytes) else { continue }
            let name = reading.sources.names[file]
            guard !chain.contains(name) else {
                reading.note(
                    .cycle, node, "`\(Quoted.short(name))` includes itself, directly or through others: take one out")
                continue
            }
            guard included.insert(name).inserted else { continue }
            guard let root = reading.compose(file),
                let fields = reading.fields(root, "an included file", known: PolicyLayer.includedKeys)
            else {
                reading.isIncomplete = true
                continue
            }
            define(fields, &layer, chain + [name], &included, &reading)
        }
    }
}
