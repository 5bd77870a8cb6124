// SPDX-License-Identifier: Apache-2.0

// Names of users in paths: `/home/alice/bin/tool` says who, and a path is what events show of a program.

internal import FlowModel

/// Puts pseudonyms in the place of the names that home directories have.
///
/// A home directory is what lies in a folder called `home` (Linux, wherever it is mounted) or `Users` (macOS). One that
/// lies elsewhere is not known as one.
struct HomeNames {
    let pseudonym: UserPseudonym

    /// The path with the name of its home directory replaced, wherever that is a whole name in it.
    func hidden(inPath path: some StringProtocol) -> String {
        let names = path.split(separator: "/", omittingEmptySubsequences: false)
        guard let parent = names.dropFirst().firstIndex(where: { $0 == "home" || $0 == "Users" }),
            parent + 1 < names.endIndex, !names[parent + 1].isEmpty, names[parent + 1] != "Shared"
        else { return String(path) }
        let name = names[parent + 1]
        let stand = pseudonym.ofName(name)
        return names.map { $0 == name ? stand : String($0) }.joined(separator: "/")
    }

    /// The text with every path in it treated so; a path ends at what ends a word.
    func hidden(inText text: String) -> String {
        var result = ""
        var rest = text[...]
        while let start = rest.firstIndex(of: "/") {
            result += rest[..<start]
            let path = rest[start...].prefix { !Self.endsPath($0) }
            result += hidden(inPath: path)
            rest = rest[path.endIndex...]
        }
        return result + rest
    }

    func hidden(in reason: Reason) -> Reason { Reason(reason.code, hidden(inText: reason.detail)) }

    private static func endsPath(_ character: Character) -> Bool {
        character.isWhitespace || "\"'`“”‘’,;:()[]{}<>|".contains(character)
    }
}
