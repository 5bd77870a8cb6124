// SPDX-License-Identifier: Apache-2.0

// What can be wrong with a property list.

import FlowModel

extension CodeProblem.Code {
    /// Neither XML nor binary, or in an encoding that is not read.
    public static let propertyListFormat = Self("plist-format")
    /// Cut, unbalanced, or with something that has no business there.
    public static let propertyListSyntax = Self("plist-syntax")
    /// Text that is not in its encoding, or holds characters that readers treat differently.
    public static let propertyListText = Self("plist-text")
    /// A number, date or data that is not written as one.
    public static let propertyListValue = Self("plist-value")
    /// A dictionary with one key twice.
    public static let propertyListDuplicateKey = Self("plist-duplicate-key")
    /// A binary list whose objects overlap, repeat or point outside.
    public static let propertyListReference = Self("plist-reference")
}

extension CodeProblem {
    /// A bound of ours was reached; the detail names it.
    static func beyond(_ limit: Limit, at offset: Int? = nil, _ what: String) -> CodeProblem {
        let offset = offset.map { UInt64($0) }
        return CodeProblem(.limit, at: offset, "\(what): more than \(limit.value) (\(limit.name))")
    }
}
