// SPDX-License-Identifier: Apache-2.0

// Reads destinations: `to`, `address`, the `lists` and the files that they name.

internal import FlowModel

/// Reads what flows go to, and knows the lists and catalogues that can be named there.
struct DestinationReader {
    static let fileKeys = ["file"]

    private var lists: [String: Destination] = [:]
    private let catalogues: Catalogues
    /// The catalogues that were named, each put together once.
    private var taken: [String: Destination] = [:]
    /// What all rules ask for together.
    private var count = 0
    /// Lists and catalogues that a rule has named: their names are in memory once, however many rules name them.
    private var named: Set<String> = []
    /// The lists that rules name.
    var used: Set<String> {
        Set(named.lazy.filter { $0.hasPrefix("list ") }.map { String($0.dropFirst("list ".count)) })
    }

    init(_ catalogues: Catalogues) { self.catalogues = catalogues }

    /// Reads `lists`.
    mutating func define(_ node: DocumentNode, _ reading: inout NodeReading) {
        for (name, _, value) in reading.entries(node, "`lists`") {
            let what = "list `\(Quoted.short(name))`"
            if case .mapping = value.content {
                guard let fields = reading.fields(value, what, known: Self.fileKeys) else { continue }
                guard let path = fields["file"] else {
                    reading.note(.missingKey, value, "\(what) needs `file`: a text with one destination a line")
                    continue
                }
                guard let file = reading.open(path, "`file`", PolicyLimits.listBytes) else { continue }
                lists[name] = Self.lines(file, &reading)
            } else {
                var list = Destination()
                for item in reading.list(value, what) {
                    guard let text = reading.text(item, "a destination") else { continue }
                    if !list.insert(text) { Self.note(text, item.place, &reading) }
                }
                lists[name] = list
            }
        }
    }

    /// Reads a file: one destination a line; `#` begins a comment.
    private static func lines(_ file: Int, _ reading: inout NodeReading) -> Destination {
        var list = Destination()
        var place = Place(file: file, line: 0, column: 1)
        let space = { (byte: UInt8) in byte == 0x20 || (0x09...0x0d).contains(byte) }
        let text = reading.sources.texts[file]
        var entries = 0
        for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            place.line += 1
            let body = line.prefix { $0 != UInt8(ascii: "#") }
            guard let first = body.firstIndex(where: { !space($0) }), let last = body.lastIndex(where: { !space($0) })
            else { continue }
            entries += 1
            guard entries <= PolicyLimits.listEntries.value else {
                reading.note(
                    .tooMany, place,
                    "there are more than \(PolicyLimits.listEntries.value) destinations in this file: split it")
                break
            }
            let entry = Substring(body[first...last])
            guard !list.insert(entry) else { continue }
            place.column = body.distance(from: body.startIndex, to: first) + 1
            note(String(entry), place, &reading)
        }
        return list
    }

    /// Reads a `to`.
    mutating func read(_ node: DocumentNode, _ reading: inout NodeReading) -> Destination {
        var destination = Destination()
        for item in reading.list(node, "`to`") {
            guard let text = reading.text(item, "`to`") else { continue }
            if text.hasPrefix("list ") {
                let name = String(text.dropFirst("list ".count))
                if let list = lists[name] {
                    add(list, text, item, &destination, &reading)
                } else {
                    missing("list", name, among: lists.keys.sorted(), "Add it under `lists`.", item, &reading)
                }
            } else if text.hasPrefix("catalogue ") {
                let name = String(text.dropFirst("catalogue ".count))
                if let catalogue = catalogue(name) {
                    add(catalogue, text, item, &destination, &reading)
                } else {
                    missing(
                        "catalogue", name, among: catalogues.hostCatalogues,
                        "There are \(NodeReading.list(catalogues.hostCatalogues)).", item, &reading)
                }
            } else if destination.insert(text) {
                destination.texts.append(text)
                count += 1
            } else {
                Self.note(text, item.place, &reading)
            }
        }
        return destination
    }

    private mutating func catalogue(_ name: String) -> Destination? {
        if let known = taken[name] { return known }
        guard let hosts = catalogues.hosts(in: name) else { return nil }
        let destination = Destination(names: hosts)
        taken[name] = destination
        return destination
    }

    private mutating func add(
        _ other: Destination, _ title: String, _ node: DocumentNode, _ destination: inout Destination,
        _ reading: inout NodeReading
    ) {
        // Networks are kept by each rule for itself, beyond the first list that it names.
        count += named.insert(title).inserted ? other.count : other.prefixes.count
        guard count <= PolicyLimits.destinations.value else {
            reading.note(
                .tooMany, node,
                "with `\(Quoted.short(title))` the rules ask for more than \(PolicyLimits.destinations.value) "
                    + "destinations, the networks of a list counted wherever it is named: join rules")
            return
        }
        destination.formUnion(other, title)
    }

    private func missing(
        _ kind: String, _ name: String, among names: @autoclosure () -> [String],
        _ advice: @autoclosure () -> String, _ node: DocumentNode, _ reading: inout NodeReading
    ) {
        let hint = reading.hint(name, among: names())
        let words = reading.isListFull ? "" : " \(advice())"
        reading.noteMissing(.unknownName, node, "there is no \(kind) `\(Quoted.short(name))`.\(hint)\(words)")
    }

    /// Reads an item of `address`.
    func prefix(_ node: DocumentNode, _ reading: inout NodeReading) -> IPPrefix? {
        guard let text = reading.text(node, "`address`") else { return nil }
        if let prefix = IPPrefix(unbracketed: text[...]) { return prefix }
        reading.note(
            .badValue, node,
            "`\(Quoted.short(text))` is no address and no network with its host bits clear: "
                + "write 192.0.2.7 or 192.0.2.0/24"
        )
        return nil
    }

    private static func note(_ text: String, _ place: Place, _ reading: inout NodeReading) {
        let advice: String
        if text == "*" {
            advice = "leave `to` out to match every destination"
        } else if text.contains("*") {
            advice =
                "a `*` can only be the whole first label: \"*.example.com\" is everything below example.com"
        } else if text.contains("://") {
            advice = "write the host alone, without scheme or path"
        } else if !text.utf8.allSatisfy({ $0 < 0x80 }) {
            advice = "write an international name in its ASCII form, which begins with xn--"
        } else if let port = Endpoint(text)?.port {
            advice = "write the host alone, and `port: \(port)` beside `to`"
        } else if text.contains("/") {
            advice = "write a network with its host bits clear, as in 192.0.2.0/24"
        } else {
            advice = "write a name, \"*.\" and a name, an address or a network"
        }
        reading.note(.badValue, place, "`\(Quoted.short(text))` is no destination: \(advice)")
    }
}

extension Destination {
    /// Takes in a host, a network or everything below a name; false when the text is none of these.
    fileprivate mutating func insert(_ text: some StringProtocol) -> Bool {
        // A name never looks like an address, and most entries are names.
        if let pattern = HostPattern(text) {
            names.insert(pattern)
        } else if let prefix = IPPrefix(unbracketed: Substring(text)) {
            prefixes.append(prefix)
        } else {
            return false
        }
        return true
    }
}

extension IPPrefix {
    /// Reads an address or a network; an IPv6 address may stand in brackets.
    fileprivate init?(unbracketed text: Substring) {
        self.init(text.hasPrefix("[") && text.hasSuffix("]") ? text.dropFirst().dropLast() : text)
    }
}
