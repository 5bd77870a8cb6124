// SPDX-License-Identifier: Apache-2.0

// What is different between two inventories: the answer to "system daemons change between releases".

/// One difference.
public struct InventoryChange: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        case appeared
        case vanished
        /// The same program or service under another path or name.
        case moved
        /// Who it is has changed: package, signer, requirement, owner, role, or the services that run it.
        case identity
        /// The same identity with another content: an update.
        case content
    }

    public enum Subject: String, Sendable, Hashable, Codable { case program, service }

    /// One field that differs; a list is written with commas.
    public struct Field: Sendable, Hashable, Codable {
        public var name: String
        public var old: String?
        public var new: String?
    }

    public var kind: Kind
    public var subject: Subject
    /// The path of the program, or `kind name` of the service.
    public var name: String
    /// For `moved`: where it was.
    public var from: String?
    /// What differs; of what appeared or vanished all that is known.
    public var fields: [Field]
    /// Whether the program is of the OS class in the new inventory; for one that vanished, in the old.
    public var isOSProgram: Bool
}

extension InventoryChange {
    /// All differences, sorted by subject and name.
    ///
    /// Linear in the size of both. A program that vanished and one that appeared are one that moved when their content is the
    /// same, or their signed identity is, and no third program shares it.
    public static func between(_ old: Inventory, and new: Inventory) -> [InventoryChange] {
        changes(old.programs, new.programs) + changes(old.services, new.services)
    }

    private static func changes<Item: InventoryItem>(_ old: [Item], _ new: [Item]) -> [InventoryChange] {
        let before = indexed(old)
        let after = indexed(new)
        let appeared = after.filter { before[$0.key] == nil }
        let vanished = before.filter { after[$0.key] == nil }
        let origins = moves(from: vanished.values, to: appeared.values)
        let left = Set(origins.values.map(\.key))

        var changes: [InventoryChange] = []
        for (name, item) in after {
            if let earlier = before[name] {
                let fields = differences(earlier, item)
                guard !fields.isEmpty else { continue }
                let kind: Kind = earlier.identityFields == item.identityFields ? .content : .identity
                changes.append(.init(kind, item, fields: fields))
            } else if let origin = origins[name] {
                changes.append(.init(.moved, item, from: origin.inventoryName, fields: differences(origin, item)))
            } else {
                changes.append(
                    .init(.appeared, item, fields: fields(of: item).map { .init(name: $0.name, new: $0.value) }))
            }
        }
        changes += vanished.values.filter { !left.contains($0.key) }.map { item in
            .init(.vanished, item, fields: fields(of: item).map { .init(name: $0.name, old: $0.value) })
        }
        return changes.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// The items by name; where several have one name, the others by name and place.
    ///
    /// Two launchd jobs may carry one label: neither may hide behind the other.
    private static func indexed<Item: InventoryItem>(_ items: [Item]) -> [[UInt8]: Item] {
        var index: [[UInt8]: Item] = [:]
        for item in items {
            let key = index[item.key] == nil ? item.key : item.key + [0] + Array(item.place.utf8)
            index[key] = index[key] ?? item
        }
        return index
    }

    /// The origin of each item that only moved.
    private static func moves<Item: InventoryItem>(
        from vanished: some Collection<Item>, to appeared: some Collection<Item>
    ) -> [[UInt8]: Item] {
        var origins: [[UInt8]: Item] = [:]
        var taken: Set<[UInt8]> = []
        // Content is the stronger mark: it goes first.
        for mark in [\Item.contentMark, \Item.identityMark] {
            let old = Dictionary(grouping: vanished.filter { !taken.contains($0.key) }) { $0[keyPath: mark] }
            let new = Dictionary(grouping: appeared.filter { origins[$0.key] == nil }) { $0[keyPath: mark] }
            for case (.some(let value), let candidates) in new where candidates.count == 1 {
                guard let sources = old[value], sources.count == 1 else { continue }
                origins[candidates[0].key] = sources[0]
                taken.insert(sources[0].key)
            }
        }
        return origins
    }

    /// What is known of an item.
    private static func fields(of item: some InventoryItem) -> [InventoryField] {
        (item.identityFields + item.contentFields).filter { $0.value != nil }
    }

    private static func differences<Item: InventoryItem>(_ old: Item, _ new: Item) -> [Field] {
        zip(old.identityFields + old.contentFields, new.identityFields + new.contentFields)
            .filter { $0.0.value != $0.1.value }
            .map { Field(name: $0.name, old: $0.value, new: $1.value) }
    }

    private init(_ kind: Kind, _ item: some InventoryItem, from: String? = nil, fields: [Field] = []) {
        self.init(
            kind: kind, subject: item.inventorySubject, name: item.inventoryName, from: from, fields: fields,
            isOSProgram: item.isOSItem)
    }
}

/// One named value of an item; every item of a type gives the same names in the same order.
struct InventoryField: Equatable {
    let name: String
    let value: String?

    init(_ name: String, _ value: String?) {
        self.name = name
        self.value = value
    }

    init(_ name: String, _ values: [String]) {
        self.init(name, values.isEmpty ? nil : values.joined(separator: ", "))
    }
}

protocol InventoryItem {
    var inventorySubject: InventoryChange.Subject { get }
    var inventoryName: String { get }
    /// The file behind it.
    var place: String { get }
    var isOSItem: Bool { get }
    /// Who it is.
    var identityFields: [InventoryField] { get }
    /// Which issue of it.
    var contentFields: [InventoryField] { get }
    /// What is equal in two places only for the same content, or the same identity; nil when nothing is.
    var contentMark: String? { get }
    var identityMark: String? { get }
}

extension InventoryItem {
    /// The name by its bytes: to Swift, two spellings of `é` are one name, and to a file system two files.
    fileprivate var key: [UInt8] { Array(inventoryName.utf8) }
}

extension InventoryProgram: InventoryItem {
    var inventorySubject: InventoryChange.Subject { .program }
    var inventoryName: String { path }
    var place: String { path }
    var isOSItem: Bool { isOSProgram }
    var contentMark: String? { sha256 }

    /// A package has many programs, so only a signature names one.
    var identityMark: String? {
        guard let slice = slices.first, let identifier = slice.identifier, let signer = slice.signer else { return nil }
        return "\(signer) \(slice.team ?? "") \(identifier)"
    }

    var identityFields: [InventoryField] {
        [
            .init("kind", kind.rawValue), .init("os-program", String(isOSProgram)),
            .init("changes-user", String(changesUser)), .init("root-owned", String(rootOwned)),
            .init("role", role.rawValue), .init("interpreter", interpreter), .init("package", package?.name),
            .init("architecture", package?.architecture), .init("verdict", package?.verdict.rawValue),
            .init("signing", each(\.signing)), .init("identifier", each(\.identifier)), .init("team", each(\.team)),
            .init("signer", each(\.signer)), .init("designated", each(\.designatedWithoutHashes)),
            .init("runs-for", runsFor), .init("problems", problems),
        ]
    }

    var contentFields: [InventoryField] {
        [
            .init("version", package?.version), .init("sha256", sha256), .init("cdhash", each(\.cdhash)),
            .init("size", String(size)),
        ]
    }

    /// One value for each slice, or one for all where they agree.
    private func each(_ value: (Slice) -> String?) -> [String] {
        let values = slices.map { value($0) ?? "-" }
        if let first = values.first, values.allSatisfy({ $0 == first }) { return first == "-" ? [] : [first] }
        return zip(slices, values).map { "\($0.arch) \($1)" }
    }
}

extension InventoryProgram.Slice {
    /// The designated requirement of ad-hoc code is its own hash, which is content and no identity.
    fileprivate var designatedWithoutHashes: String? {
        guard let designated, !designated.hasPrefix("cdhash ") else { return nil }
        return designated
    }
}

extension InventoryService: InventoryItem {
    var inventorySubject: InventoryChange.Subject { .service }
    var inventoryName: String { "\(kind.rawValue) \(name)" }
    var place: String { file }
    var isOSItem: Bool { isSystemService }
    var contentMark: String? { nil }
    var identityMark: String? { nil }

    var identityFields: [InventoryField] {
        [
            .init("file", file), .init("programs", programs), .init("package", package?.name),
            .init("verdict", package?.verdict.rawValue), .init("drop-ins", dropIns), .init("problems", problems),
        ]
    }

    var contentFields: [InventoryField] { [.init("version", package?.version)] }
}
