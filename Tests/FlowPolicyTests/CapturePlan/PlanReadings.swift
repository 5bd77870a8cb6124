// SPDX-License-Identifier: Apache-2.0

// What kernels make of the printed forms: written from the forms' own rules, without the code that prints them.

import FlowModel
import FlowPolicy
import Foundation
import Testing

/// The rule lists as macOS reads them: excluded beats included, loopback only for rules that name it.
enum NetworkRuleReading {
    private struct Lists: Decodable {
        var included: [NetworkRule]
        var excluded: [NetworkRule]
    }

    static func captures(_ form: NetworkExtensionForm, _ to: Endpoint, _ transport: Transport) throws -> Bool {
        try captures(form.included, form.excluded, to, transport)
    }

    static func lists(_ json: String) throws -> (included: [NetworkRule], excluded: [NetworkRule]) {
        let lists = try JSONDecoder().decode(Lists.self, from: Data(json.utf8))
        return (lists.included, lists.excluded)
    }

    static func captures(
        _ included: [NetworkRule], _ excluded: [NetworkRule], _ to: Endpoint, _ transport: Transport
    ) throws -> Bool {
        let address = try #require(to.address)
        func hits(_ rule: NetworkRule) throws -> Bool {
            guard rule.transport == .any || rule.transport.rawValue == transport.rawValue,
                rule.port == 0 || rule.port == to.port
            else { return false }
            guard let text = rule.address else { return !address.isLoopback }
            let network = try #require(IPAddress(text))
            if address.isLoopback, !network.isLoopback { return false }
            return Bits.agree(network.networkBytes, address.networkBytes, rule.prefix)
        }
        return try included.contains(where: hits) && !excluded.contains(where: hits)
    }
}

enum Bits {
    static func agree(_ a: [UInt8], _ b: [UInt8], _ count: Int) -> Bool {
        a.count == b.count
            && (0..<count).allSatisfy { bit in (a[bit / 8] ^ b[bit / 8]) & (0x80 >> UInt8(bit % 8)) == 0 }
    }
}

/// A ruleset as the kernel walks it, for the words that Weir prints; an unknown word is an error.
struct NFTablesReading {
    private var chains: [String: [[String]]] = [:]

    struct UnknownWord: Error { let line: [String] }

    init(_ text: String) {
        var chain = ""
        for line in text.split(separator: "\n") {
            let code = line.drop { $0 == " " }
            if code.hasPrefix("#") { continue }
            // Sets become one word.
            var words: [String] = []
            var set: [String]?
            for word in code.split(separator: " ").map(String.init) {
                if word == "{", !words.isEmpty, words.first != "chain", words.first != "table", words.first != "set" {
                    set = []
                } else if word == "}", let members = set {
                    words.append(members.joined())
                    set = nil
                } else if set != nil {
                    set?.append(word)
                } else {
                    words.append(word)
                }
            }
            if words.first == "chain" {
                chain = words[1]
            } else if !chain.isEmpty {
                chains[chain, default: []].append(words)
            }
        }
    }

    func captures(_ to: Endpoint, _ transport: Transport, _ interface: InterfaceClass?) throws -> Bool {
        try walk(transport == .tcp ? "redirect_tcp" : "mark_udp", to, transport, interface) == "captured"
    }

    private func next(_ words: inout ArraySlice<String>, _ rule: [String]) throws -> String {
        guard let word = words.popFirst() else { throw UnknownWord(line: rule) }
        return word
    }

    private func walk(
        _ chain: String, _ to: Endpoint, _ transport: Transport, _ interface: InterfaceClass?
    ) throws -> String {
        let address = try #require(to.address)
        rules: for rule in chains[chain] ?? [] {
            var words = rule[...]
            while let word = words.popFirst() {
                var isHit = true
                switch word {
                case "type", "}": continue rules
                case "meta":
                    switch words.popFirst() {
                    case "l4proto":
                        let value = try next(&words, rule)
                        if value == "!=" {
                            let other = try next(&words, rule)
                            // The engine is alive.
                            isHit = other != "@alive" && other != transport.rawValue
                        } else {
                            isHit = value.split(separator: ",").contains { $0 == transport.rawValue }
                        }
                    case "nfproto":
                        isHit = (words.popFirst() == "ipv4") == (address.networkBytes.count == 4)
                    case "mark":
                        if words.first == "set" { return "captured" }
                        words.removeFirst()
                        isHit = false
                    default: throw UnknownWord(line: rule)
                    }
                case "ct":
                    words.removeFirst(2)
                    isHit = false
                case "oifname": isHit = words.popFirst() == "\"awdl*\"" && interface == .peerToPeer
                case "ip", "ip6":
                    words.removeFirst()
                    isHit = try next(&words, rule).split(separator: ",").contains { text in
                        IPPrefix(text)?.contains(address) ?? false
                    }
                case "th":
                    words.removeFirst()
                    isHit = try next(&words, rule).split(separator: ",").contains { text in
                        let ends = text.split(separator: "-").compactMap { UInt16($0) }
                        return ends[0] <= to.port && to.port <= ends[ends.count - 1]
                    }
                case "counter": break
                case "accept": return "accepted"
                case "redirect": return "captured"
                case "jump":
                    let outcome = try walk(try next(&words, rule), to, transport, interface)
                    if outcome != "returned" { return outcome }
                default: throw UnknownWord(line: rule)
                }
                if !isHit { continue rules }
            }
        }
        return "returned"
    }
}

/// The maps as a hook asks them.
struct BPFReading {
    private struct Line: Decodable {
        var map: String?
        var key: String?
        var value: String?
    }
    private var maps: [String: [(key: [UInt8], value: [UInt8])]] = [:]

    init(_ lines: String) throws {
        for text in lines.split(separator: "\n") {
            let line = try JSONDecoder().decode(Line.self, from: Data(text.utf8))
            guard let map = line.map else { continue }
            maps[map, default: []].append((Self.bytes(try #require(line.key)), Self.bytes(try #require(line.value))))
        }
    }

    private static func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex.utf8)
        return stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
        }
    }

    private static func number(_ bytes: some Sequence<UInt8>) -> Int {
        Array(bytes).reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    /// The value of the longest prefix of the data that stands in the map.
    private func look(_ map: String, _ data: [UInt8]) -> Int? {
        var best: (length: Int, value: Int)?
        for (key, value) in maps[map] ?? [] {
            let length = Self.number(key[0..<4])
            if length > best?.length ?? -1, Bits.agree(Array(key[4...]), data, length) {
                best = (length, Self.number(value))
            }
        }
        return best?.value
    }

    func captures(_ to: Endpoint, _ transport: Transport) throws -> Bool {
        let address = try #require(to.address).networkBytes
        let map = address.count == 4 ? "weir_net4" : "weir_net6"
        guard let set = look(map, [transport == .tcp ? 6 : 17, 0, 0, 0] + address), set != 0 else { return false }
        let port = [UInt8(to.port >> 8), UInt8(to.port & 255), 0, 0]
        return look(
            "weir_port", [UInt8(set >> 24), UInt8(set >> 16 & 255), UInt8(set >> 8 & 255), UInt8(set & 255)] + port)
            == 1
    }
}
