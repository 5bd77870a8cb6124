// SPDX-License-Identifier: Apache-2.0

// The record of good builds: `build.json` in the state directory.

package import FlowPolicy
internal import Foundation

package enum BuildFile {
    private struct Content: Codable {
        var version: Int
        var good: [GoodBuild]
    }

    package static func path(in state: String) -> String { state + "/build.json" }

    /// The record; a file that cannot be read, or is of another version, is a lost one.
    package static func read(in state: String) -> BuildWatch {
        let path = path(in: state)
        if access(path, F_OK) != 0, errno == ENOENT || errno == ENOTDIR { return .fresh }
        guard let text = SmallText.read(path),
            let content = try? JSONDecoder().decode(Content.self, from: Data(text.utf8)), content.version == 1
        else { return .lost }
        return BuildWatch(good: content.good)
    }

    /// Writes the record, whole or not at all; `isNew` leaves a record alone that another process has made meanwhile.
    package static func write(_ watch: BuildWatch, in state: String, isNew: Bool = false) throws {
        let path = path(in: state)
        let draft = "\(path).\(getpid())"
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = try encoder.encode(Content(version: 1, good: watch.good)) + Data("\n".utf8)
        defer { unlink(draft) }
        guard
            FileManager.default.createFile(
                atPath: draft, contents: text, attributes: [.posixPermissions: 0o600]),
            isNew ? link(draft, path) == 0 || errno == EEXIST : rename(draft, path) == 0
        else { throw Problem.refused("\(path): cannot be written; check the state directory's permissions") }
    }
}
