// SPDX-License-Identifier: Apache-2.0

// Real programs: started, waited for with a deadline, and always ended.

import Foundation

/// What a program left behind.
public struct ProgramResult: Sendable {
    /// The exit status, or 128 plus the number of the signal that ended it, as a shell says it.
    public var status: Int
    public var output: [UInt8]
    public var errors: String

    public var text: String { String(decoding: output, as: UTF8.self) }
}

/// A program with its arguments, not started yet.
public struct Program: Sendable {
    /// A path, or a name that is looked for in the system's folders and then in `PATH`.
    public var name: String
    public var arguments: [String]
    /// Everything the program sees, besides `PATH`, `HOME`, `TMPDIR` and `LANG`; nothing is inherited.
    public var environment: [String: String]
    public var folder: String?

    public init(_ name: String, _ arguments: [String] = [], environment: [String: String] = [:], folder: String? = nil)
    {
        self.name = name
        self.arguments = arguments
        self.environment = environment
        self.folder = folder
    }

    /// Runs it to its end; at the deadline it is killed and the test told so.
    public func run(input: [UInt8] = [], within seconds: Double = 30) throws -> ProgramResult {
        let running = try start(input: input)
        defer { running.kill() }
        guard let status = running.wait(within: seconds) else {
            throw TestKitError("\(name) did not end within \(seconds) s; it said: \(running.errors.suffix(500))")
        }
        return ProgramResult(status: status, output: running.output, errors: running.errors)
    }

    /// Runs it and expects exit status 0.
    @discardableResult
    public func succeed(input: [UInt8] = [], within seconds: Double = 30) throws -> ProgramResult {
        let result = try run(input: input, within: seconds)
        guard result.status == 0 else {
            throw TestKitError("\(name) \(arguments) ended with \(result.status): \(result.errors.suffix(2000))")
        }
        return result
    }

    /// Starts it in a process group of its own.
    public func start(input: [UInt8] = []) throws -> RunningProgram {
        let folder = try TemporaryFolder()
        let inputFile = try folder.write(input, to: "input")
        let outputFile = try folder.write("", to: "output")
        let errorFile = try folder.write("", to: "errors")
        var environment = self.environment
        for (name, value) in [
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": folder.path, "TMPDIR": folder.path, "LANG": "C.UTF-8",
        ] where environment[name] == nil {
            environment[name] = value
        }
        // `env -C` changes the folder and becomes the program: same process, and posix_spawn on Linux cannot do it.
        let change = self.folder.map { ["/usr/bin/env", "-C", $0] } ?? []
        let words = change + [try Program.path(of: name)] + arguments
        let pid = try spawn(
            words[0], Array(words.dropFirst()), environment: environment, files: [inputFile, outputFile, errorFile])
        return RunningProgram(pid: pid, folder: folder)
    }

    /// Finds a program.
    ///
    /// The system's folders come first: that is where `make deps` installs, whatever version managers stand in `PATH`.
    public static func path(of name: String) throws -> String {
        if name.contains("/") { return name }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let postgres = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        let folders =
            ["/usr/bin", "/bin", "/usr/sbin", "/sbin"] + postgres.map { "/usr/lib/postgresql/\($0)/bin" }
            + path.split(separator: ":").map(String.init)
        for folder in folders where FileManager.default.isExecutableFile(atPath: "\(folder)/\(name)") {
            return "\(folder)/\(name)"
        }
        throw TestKitError("\(name) is not installed: run `make deps`")
    }
}

/// A program that was started.
///
/// Whoever starts one calls `kill` in a `defer`: the object does not end the program by going away, because Swift may
/// let go of an object after its last use, in the middle of a test.
public final class RunningProgram: Sendable {
    public let pid: Int32
    private let folder: TemporaryFolder
    private let ended = LockedValue<Int?>(nil)

    init(pid: Int32, folder: TemporaryFolder) {
        self.pid = pid
        self.folder = folder
    }

    /// What it has written so far.
    public var output: [UInt8] { TemporaryFolder.read(folder("output")) ?? [] }
    public var errors: String { String(decoding: TemporaryFolder.read(folder("errors")) ?? [], as: UTF8.self) }

    /// The exit status, or nil while it runs.
    public var status: Int? {
        ended.withValue { ended in
            if ended == nil {
                var raw: Int32 = 0
                if waitpid(pid, &raw, WNOHANG) == pid {
                    let signal = Int(raw & 0x7f)
                    ended = signal == 0 ? Int((raw >> 8) & 0xff) : 128 + signal
                }
            }
            return ended
        }
    }

    /// Waits for the end and returns the exit status; nil when it still runs after that time.
    public func wait(within seconds: Double) -> Int? {
        Deadline(seconds: seconds).poll { status }
    }

    public func signal(_ number: Int32) {
        if status == nil { _ = Foundation.kill(pid, number) }
    }

    /// Ends it and everything it started in its process group, and removes its files.
    public func kill() {
        _ = Foundation.kill(-pid, SIGKILL)
        _ = wait(within: 10)
        folder.remove()
    }

    /// The most memory that was ever resident, in KiB.
    public func memory() throws -> Int {
        let text = String(decoding: TemporaryFolder.read("/proc/\(pid)/status") ?? [], as: UTF8.self)
        for line in text.split(separator: "\n") where line.hasPrefix("VmHWM:") {
            if let value = Int(line.filter(\.isNumber)) { return value }
        }
        throw TestKitError("/proc/\(pid)/status has no VmHWM: has the program ended?")
    }
}
