// SPDX-License-Identifier: Apache-2.0

// Reads the XML form of a property list, without recursion and without forgiving anything.

import FlowModel

/// The elements of a property list; there are no others.
enum PropertyListElement: String {
    case plist, dict, array, key, string, integer, real, date, data
    case `true`, `false`
}

/// Reads one XML property list.
struct XMLPropertyListReader {
    /// An array or dictionary that is not closed yet.
    private struct Container {
        let element: PropertyListElement
        let offset: Int
        var elements: [PropertyListValue] = []
        var entries: [String: PropertyListValue] = [:]
        /// The key that waits for its value.
        var key: String?
    }

    private var scanner: XMLScanner
    private var open: [Container] = []
    private var items = 0

    /// Reads a whole list; `encoding` is what the XML declaration has to say, in lower case.
    static func read(_ bytes: [UInt8], encoding: String) throws(CodeProblem) -> PropertyListValue {
        var reader = Self(scanner: XMLScanner(bytes))
        try reader.scanner.prolog(encoding: encoding)
        try reader.scanner.rootTag()
        let value = try reader.value()
        try reader.scanner.skipMiscellany()
        try reader.scanner.closeTag(.plist)
        try reader.scanner.skipMiscellany()
        guard reader.scanner.isAtEnd else { throw reader.scanner.syntax("something follows </plist>") }
        return value
    }

    private mutating func value() throws(CodeProblem) -> PropertyListValue {
        while true {
            try scanner.skipMiscellany()
            let tag = try scanner.tag()
            guard let value = try value(of: tag) else { continue }
            items += 1
            let limit = CodeIdentityLimits.propertyListItems
            guard items <= limit.value else { throw .beyond(limit, at: tag.offset, "values") }
            if open.isEmpty { return value }
            attach(value)
        }
    }

    /// The value that the tag completes; nil when the tag was a key or opened an array or dictionary.
    private mutating func value(of tag: XMLScanner.Tag) throws(CodeProblem) -> PropertyListValue? {
        if tag.form == .closing { return try close(tag) }
        if tag.element == .key {
            try key(tag)
            return nil
        }
        if let container = open.last, container.element == .dict, container.key == nil {
            throw syntax("<\(tag.element.rawValue)> stands where a <key> is wanted", at: tag.offset)
        }
        let isEmpty = tag.form == .empty
        switch tag.element {
        case .dict where isEmpty: return .dictionary([:])
        case .array where isEmpty: return .array([])
        case .string where isEmpty: return .string("")
        case .data where isEmpty: return .data([])
        case .dict, .array:
            let limit = CodeIdentityLimits.propertyListDepth
            guard open.count < limit.value else { throw .beyond(limit, at: tag.offset, "values inside each other") }
            open.append(Container(element: tag.element, offset: tag.offset))
            return nil
        case .string: return .string(try scanner.text(of: .string))
        case .true, .false:
            if !isEmpty { try scanner.closeTag(tag.element) }
            return .boolean(tag.element == .true)
        case .integer, .real, .date, .data:
            guard !isEmpty else { throw syntax("<\(tag.element.rawValue)/> has no value", at: tag.offset) }
            let offset = scanner.position
            let content = try scanner.plainContent(of: tag.element)
            guard let value = PropertyListScalar.value(of: content, as: tag.element) else {
                throw CodeProblem(
                    .propertyListValue, at: UInt64(offset), "this is not how <\(tag.element.rawValue)> is written")
            }
            return value
        case .key, .plist: throw syntax("<\(tag.element.rawValue)> stands where a value is wanted", at: tag.offset)
        }
    }

    private mutating func close(_ tag: XMLScanner.Tag) throws(CodeProblem) -> PropertyListValue {
        guard let container = open.popLast(), container.element == tag.element else {
            throw syntax("</\(tag.element.rawValue)> closes nothing that is open", at: tag.offset)
        }
        guard container.key == nil else {
            throw syntax("the dictionary opened at \(container.offset) ends with a key", at: tag.offset)
        }
        return container.element == .dict ? .dictionary(container.entries) : .array(container.elements)
    }

    private mutating func key(_ tag: XMLScanner.Tag) throws(CodeProblem) {
        guard let container = open.last, container.element == .dict, container.key == nil else {
            throw syntax("<key> stands where none is wanted", at: tag.offset)
        }
        let key = tag.form == .empty ? "" : try scanner.text(of: .key)
        try PropertyListText.checkKey(key, at: tag.offset)
        guard container.entries[key] == nil else {
            throw CodeProblem(.propertyListDuplicateKey, at: UInt64(tag.offset), "the key stands here a second time")
        }
        open[open.count - 1].key = key
    }

    /// Puts a value into the innermost container.
    ///
    /// It is changed in place: taking it out of the array would copy it, once for each value.
    private mutating func attach(_ value: PropertyListValue) {
        let last = open.count - 1
        if let key = open[last].key {
            open[last].entries[key] = value
            open[last].key = nil
        } else {
            open[last].elements.append(value)
        }
    }

    private func syntax(_ detail: String, at offset: Int) -> CodeProblem {
        CodeProblem(.propertyListSyntax, at: UInt64(offset), detail)
    }
}
