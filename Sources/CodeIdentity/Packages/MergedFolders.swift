// SPDX-License-Identifier: Apache-2.0

// Folders that have moved into /usr while packages still name them by their old place.

import FlowModel

/// The merged folders of one root: `/bin` and its like, where they are links into `/usr`.
///
/// dpkg says `/bin/ls`, the kernel `/usr/bin/ls`. What is folded is what the links of this root say, never what a
/// distribution usually does.
struct MergedFolders: Sendable {
    /// Both with a slash in front and behind.
    private var aliases: [(from: [UInt8], to: [UInt8])] = []

    init() {}

    init(of files: some PackageFiles, problems: inout ProblemList) {
        // Inside /usr first (`/usr/sbin` is a link to `bin` on some systems), so that the others can end there.
        for (folder, home) in [("usr", ""), ("", "usr/")] {
            let parent = folder.isEmpty ? "" : folder + "/"
            let names: [String]
            do {
                names = try files.names(in: folder, limit: CodeIdentityLimits.packageNames.value)
            } catch {
                problems.add(error)
                continue
            }
            for name in names.sorted() where name == "bin" || name == "sbin" || name.hasPrefix("lib") {
                guard let link = files.link(at: parent + name), let target = Self.single(link, below: home) else {
                    continue
                }
                let from = Array("/\(parent)\(name)/".utf8)
                let to = Array("/usr/\(target)/".utf8)
                aliases.append((from, folded(to) ?? to))
            }
        }
    }

    /// The one name in `NAME` (seen from `/usr`) or `usr/NAME` (seen from `/`) or `/usr/NAME`; nil for another target.
    private static func single(_ link: String, below home: String) -> Substring? {
        let prefix = link.hasPrefix("/") ? "/usr/" : home
        guard link.hasPrefix(prefix) else { return nil }
        let name = link.dropFirst(prefix.count)
        return name.isEmpty || name.contains("/") || name.hasPrefix(".") ? nil : name
    }

    /// The path without the merged folder; nil when it names none.
    func folded(_ path: [UInt8]) -> [UInt8]? {
        for alias in aliases where path.starts(with: alias.from) { return alias.to + path.dropFirst(alias.from.count) }
        return nil
    }
}
