// SPDX-License-Identifier: Apache-2.0

// Whether somebody wants Weir to rest: `rest.json` of the state directory, so that it outlives a restart.

internal import EngineAssembly
internal import FlowPolicy
internal import Foundation

/// A pause or an off that somebody asked for.
enum Rest: Hashable, Sendable {
    case none
    /// Milliseconds since 1970-01-01 UTC.
    case paused(until: Int64)
    case off

    /// What is left of it at a moment.
    func at(_ now: Int64) -> Rest {
        if case .paused(let until) = self, until <= now { return .none }
        return self
    }

    /// A mode in which nothing is taken; nil when nobody wants a rest.
    ///
    /// So a pause is a policy like any other: admission, the rules of the system and every event know it.
    var cap: ModeCap? {
        switch self {
        case .none: nil
        case .paused: ModeCap(.off, because: "an administrator paused it")
        case .off: ModeCap(.off, because: "an administrator switched it off")
        }
    }

    private struct Content: Codable {
        var version = 1
        var pausedUntil: Int64?
        var isOff: Bool
    }

    /// What is recorded; a file that cannot be read records nothing, and so Weir works.
    static func read(in state: String) -> Rest {
        guard let text = SmallText.read(path(in: state)),
            let content = try? JSONDecoder().decode(Content.self, from: Data(text.utf8)), content.version == 1
        else { return .none }
        return content.isOff ? .off : content.pausedUntil.map { .paused(until: $0) } ?? .none
    }

    func write(in state: String) throws {
        var content = Content(isOff: self == .off)
        if case .paused(let until) = self { content.pausedUntil = until }
        try JSONEncoder().encode(content).write(to: URL(filePath: Self.path(in: state)), options: .atomic)
    }

    private static func path(in state: String) -> String { state + "/rest.json" }
}
