// SPDX-License-Identifier: Apache-2.0

// Which files make a system unit what it is: systemd's search, asked of the disk.

import FlowModel

/// What stands behind the name of a system unit.
///
/// The service manager may have loaded an older state: it reads files when it is told to.
struct UnitLookup {
    /// The file in force, links followed; nil when there is none.
    var file: String?
    /// The file is empty or a link to /dev/null.
    var masked = false
    /// Every `.conf` of a folder that applies, the unit's own first.
    var dropIns: [String] = []

    /// The folders of system units, first found wins (systemd.unit(5), "System Unit Search Path").
    static let folders = [
        "/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient",
        "/run/systemd/generator.early", "/etc/systemd/system", "/etc/systemd/system.attached", "/run/systemd/system",
        "/run/systemd/system.attached", "/run/systemd/generator", "/usr/local/lib/systemd/system",
        "/usr/lib/systemd/system", "/lib/systemd/system", "/run/systemd/generator.late",
    ]

    /// The folders that are there.
    static func folders(in files: any UnitFiles) -> [String] {
        // Where /lib is a link the folder is the one under /usr; the rest need not exist.
        folders.filter { folder in
            if folder == "/lib/systemd/system", case .link? = files.entry("/lib") { return false }
            return files.entry(folder) == .folder
        }
    }

    init(_ unit: UnitName, in files: any UnitFiles) {
        self.init(unit, in: files, aliases: UnitAliases(in: files))
    }

    /// For who looks up many units: the aliases are read once.
    init(_ unit: UnitName, in files: any UnitFiles, aliases: UnitAliases) {
        let folders = aliases.folders
        // An instance of its own comes before the template, wherever it stands.
        search: for name in [unit.text, unit.template].compactMap({ $0 }) {
            for folder in folders {
                guard let entry = files.entry("\(folder)/\(name)") else { continue }
                resolve("\(folder)/\(name)", entry, in: files)
                break search
            }
        }
        // Drop-ins of an alias apply to the unit as well.
        var seen: Set<String> = []
        for name in [unit] + aliases.names(of: unit) {
            for part in name.dropInNames where seen.insert(part).inserted {
                for folder in folders {
                    let names = files.names(in: "\(folder)/\(part).d").filter { $0.hasSuffix(".conf") }
                    dropIns += names.map { "\(folder)/\(part).d/\($0)" }
                }
            }
        }
    }

    private mutating func resolve(_ path: String, _ entry: UnitFileEntry, in files: any UnitFiles) {
        var path = path
        var entry: UnitFileEntry? = entry
        for _ in 0..<CodeIdentityLimits.unitLinks.value {
            switch entry {
            case .link(let target):
                path = AbsolutePath.resolve(target, from: AbsolutePath.folder(of: path))
                if path == "/dev/null" { masked = true }
                entry = files.entry(path)
            case .file(let size):
                if size == 0 { masked = true }
                file = path
                return
            case .folder, .other, nil: return
            }
        }
    }
}

/// The other names of units: links in their folders.
struct UnitAliases {
    let folders: [String]
    /// The aliases of each name that links end in.
    private var byTarget: [String: [UnitName]] = [:]

    init(in files: any UnitFiles) {
        folders = UnitLookup.folders(in: files)
        for folder in folders {
            for name in files.names(in: folder) {
                guard case .link(let target)? = files.entry("\(folder)/\(name)"), let alias = UnitName(name),
                    let end = target.split(separator: "/").last
                else { continue }
                byTarget[String(end), default: []].append(alias)
            }
        }
    }

    /// The names whose drop-ins apply to the unit as well; an alias of its template is one of the instance.
    func names(of unit: UnitName) -> [UnitName] {
        let most = CodeIdentityLimits.unitNames.value
        let own = byTarget[unit.text, default: []].prefix(most)
        let templates = (unit.template.flatMap { byTarget[$0] } ?? []).prefix(most)
        let instances = templates.compactMap { alias in
            alias.instance == "" ? UnitName("\(alias.prefix)@\(unit.instance ?? "").\(alias.type)") : nil
        }
        return Array((own + instances).prefix(most))
    }
}

/// Paths by their text alone.
enum AbsolutePath {
    /// The folder of an absolute path; `/` has itself.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    static func lastComponent(of path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    /// An absolute path without `.`, `..` and doubled slashes; a relative one is taken from `folder`.
    static func resolve(_ path: String, from folder: String) -> String {
        var parts: [Substring] = []
        for part in (path.hasPrefix("/") ? path : "\(folder)/\(path)").split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}
