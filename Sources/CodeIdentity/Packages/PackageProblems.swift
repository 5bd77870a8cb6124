// SPDX-License-Identifier: Apache-2.0

// What can be wrong with a package database and with the way to a file.

import FlowModel

extension CodeProblem.Code {
    /// A line of a package database does not have the form it should have; it was left out.
    public static let packageLine = Self("package-line")
    /// A file of a package database ends within a line; the rest was left out.
    public static let packageCut = Self("package-cut")
    /// An entry of the status file lacks what names it or its state, or names it twice.
    public static let packageEntry = Self("package-entry")
    /// An installed package has no list of files, or a list no package.
    public static let packageList = Self("package-list")
    /// Packages are being changed, so that an unknown file may be a new one: ask again.
    public static let packageTransaction = Self("package-transaction")
    /// A folder, link or file on the way does not belong to root, or others can write it.
    public static let pathNotOwned = Self("path-not-owned")
    /// An access list that the mode does not show may let others write.
    public static let pathAccessList = Self("path-access-list")
}

/// Problems as they are found: the first ones whole, the others counted.
struct ProblemList: Sendable {
    private var first: [CodeProblem] = []
    private var more = 0

    mutating func add(_ problem: CodeProblem) {
        if first.count < CodeIdentityLimits.packageProblems.value { first.append(problem) } else { more += 1 }
    }

    /// All of them; the last one says how many others there are.
    var all: [CodeProblem] {
        more == 0
            ? first
            : first + [CodeProblem(.limit, "\(more) more problems (\(CodeIdentityLimits.packageProblems.name))")]
    }
}
