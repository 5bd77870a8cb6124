// SPDX-License-Identifier: Apache-2.0

// The program under test.

import Foundation

/// What `--policy` gets.
public enum WeirPolicy: Sendable {
    case report, redact
    /// The text of a policy document.
    case document(String)
}

/// One line of `weir events list --format json`.
public struct WeirEvent: Sendable {
    /// The top level of the object, numbers and inner values as text.
    public let fields: [String: String]

    public var kind: String { self["kind"] }
    public subscript(name: String) -> String { fields[name] ?? "" }
}

/// The `weir` program, where `WEIR_BINARY` says it is.
public enum WeirProgram {
    public static func path() throws -> String {
        let path = ProcessInfo.processInfo.environment["WEIR_BINARY"] ?? ""
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw TestKitError("WEIR_BINARY does not name a program: run these tests with `make interop`")
        }
        return path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    /// Runs a verb to its end.
    public static func run(_ arguments: [String], input: [UInt8] = [], within seconds: Double = 30) throws
        -> ProgramResult
    {
        try Program(try path(), arguments).run(input: input, within: seconds)
    }

    /// The events of a state folder.
    public static func events(state: String) throws -> [WeirEvent] {
        let arguments = ["events", "list", "--state", state, "--format", "json"]
        let lines = try Program(try path(), arguments).succeed().output.split(separator: UInt8(ascii: "\n"))
        return try lines.map { line in
            guard let object = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any] else {
                throw TestKitError("an event is no JSON object: \(String(decoding: line, as: UTF8.self))")
            }
            return WeirEvent(fields: object.mapValues { "\($0)" })
        }
    }
}

/// A running `weir proxy`.
public final class WeirProcess: Sendable {
    /// Where it listens, on 127.0.0.1.
    public let port: UInt16
    public let state: String
    public let process: RunningProgram

    /// Starts it and waits for the line `weir: listening on …`.
    ///
    /// - Parameter port: 0 lets the system choose.
    public init(
        policy: WeirPolicy, upstreamCA: String? = nil, state: String, port: UInt16 = 0, options: [String] = []
    ) throws {
        self.state = state
        var arguments = ["proxy", "--listen", "127.0.0.1:\(port)", "--state", state]
        arguments += ["--policy", try WeirProcess.argument(policy, state: state)]
        if let upstreamCA { arguments += ["--upstream-ca", upstreamCA] }
        let process = try Program(try WeirProgram.path(), arguments + options).start()
        self.process = process
        let found = Deadline(seconds: 20).poll { () -> UInt16? in
            if let port = WeirProcess.announcedPort(process.errors) { return port }
            return process.status == nil ? nil : 0
        }
        guard let found, found != 0 else {
            let said = process.errors
            process.kill()
            throw TestKitError("weir proxy is not listening; it said: \(said)")
        }
        self.port = found
    }

    public static func argument(_ policy: WeirPolicy, state: String) throws -> String {
        switch policy {
        case .report: return "report"
        case .redact: return "redact"
        case .document(let text):
            let file = state + ".policy.yaml"
            try Data(text.utf8).write(to: URL(fileURLWithPath: file))
            return file
        }
    }

    public var authority: String { state + "/ca.pem" }
    public var url: String { "http://127.0.0.1:\(port)" }

    /// Asks it to end and gives its exit status; nil when it does not end in time.
    @discardableResult
    public func terminate(within seconds: Double = 15) -> Int? {
        process.signal(SIGTERM)
        return process.wait(within: seconds)
    }

    public func kill() { process.kill() }

    /// All events, once one of them is the wanted one.
    public func events(with wanted: (WeirEvent) -> Bool) throws -> [WeirEvent] {
        var last: [WeirEvent] = []
        let found = try Deadline(seconds: 10).poll { () throws -> [WeirEvent]? in
            last = try WeirProgram.events(state: state)
            return last.contains(where: wanted) ? last : nil
        }
        guard let found else { throw TestKitError("no such event among \(last.map(\.fields))") }
        return found
    }

    private static func announcedPort(_ errors: String) -> UInt16? {
        for line in errors.split(separator: "\n") where line.hasPrefix("weir: listening on ") {
            return line.split(separator: ":").last.flatMap { UInt16($0) }
        }
        return nil
    }
}
