// SPDX-License-Identifier: Apache-2.0

// A process that does what `weir exec` does, so that tests can kill it, pipe it, and run it as another user.

import CLinuxFlow
import Foundation
import Glibc
import Testing

@testable import LinuxIntake

/// The tests that make namespaces and processes: one at a time, because a fork takes every open descriptor along.
@Suite(.serialized) struct KernelTests {}

/// What a forked Weir says over its report pipe.
struct WeirReport {
    var prepared: Int32 = -1
    var failure = weir_exec_failure()
    var pid: pid_t = 0
    var outcome = weir_exec_outcome()
}

/// A child of the test that prepares a namespace, runs a command in it, and reports; it serves no connection.
struct ForkedWeir {
    let pid: pid_t
    let input: CInt
    let output: CInt
    private let report: CInt

    /// Starts it; `before` runs in the child, first thing, and must not allocate.
    init(
        _ arguments: [[UInt8]], user: uid_t? = nil, environment: CommandEnvironment = .current(),
        before: () -> Void = {}
    )
        throws
    {
        let stdin = try ForkedWeir.pipe()
        let stdout = try ForkedWeir.pipe()
        let report = try ForkedWeir.pipe()
        let allowDumps = ForkedWeir.allowDumps
        let child = try #require(
            withCStrings(arguments) { arguments in
                withCStrings(environment.entries) { environment in
                    let child = fork()
                    guard child == 0 else { return child }
                    // It never becomes another program, so close-on-exec does not do this.
                    for descriptor in [stdin.writer, stdout.reader, report.reader] { close(descriptor) }
                    // The threads of Swift block every signal; the main thread of a program does not.
                    var none = sigset_t()
                    sigemptyset(&none)
                    sigprocmask(SIG_SETMASK, &none, nil)
                    dup2(stdin.reader, 0)
                    dup2(stdout.writer, 1)
                    if let user {
                        setgroups(0, nil)
                        setgid(user)
                        setuid(user)
                        // A change of user hides the process from itself until the next exec, which a real Weir has behind it.
                        _ = allowDumps(4, 1, 0, 0, 0)
                    }
                    before()
                    ForkedWeir.main(arguments, environment, report.writer)
                }
            } ?? nil)
        for descriptor in [stdin.reader, stdout.writer, report.writer] { close(descriptor) }
        pid = child
        input = stdin.writer
        output = stdout.reader
        self.report = report.reader
    }

    private static func main(
        _ arguments: UnsafePointer<UnsafeMutablePointer<CChar>?>,
        _ environment: UnsafePointer<UnsafeMutablePointer<CChar>?>,
        _ descriptor: CInt
    ) -> Never {
        var session = weir_exec_session()
        var report = WeirReport()
        report.prepared = weir_exec_prepare(&session, &report.failure)
        if report.prepared == 0 {
            report.pid = session.pid
            _ = weir_exec_forward_signals(&session)
            _ = weir_exec_start(&session, arguments, environment)
            var ended = pollfd(fd: session.pidfd, events: Int16(POLLIN), revents: 0)
            while poll(&ended, 1, -1) < 1 {}
            weir_exec_result(&session, &report.outcome)
        }
        write(descriptor, &report, MemoryLayout<WeirReport>.size)
        _exit(0)
    }

    /// Reads what the command writes, up to the end, or to the end of the first line.
    func read(line: Bool = false) -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while Glibc.read(output, &byte, 1) == 1, !(line && byte == 0x0a) { bytes.append(byte) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Waits for its end; nil when it was killed before it could report.
    func finish() -> WeirReport? {
        var value = WeirReport()
        let count = Glibc.read(report, &value, MemoryLayout<WeirReport>.size)
        close(report)
        close(output)
        waitpid(pid, nil, 0)
        return count == MemoryLayout<WeirReport>.size ? value : nil
    }

    static func pipe() throws -> (reader: CInt, writer: CInt) {
        var ends: [CInt] = [-1, -1]
        try #require(Glibc.pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// prctl, which Swift does not import because C declares it with varying arguments.
    private static var allowDumps: @convention(c) (CInt, UInt, UInt, UInt, UInt) -> CInt {
        unsafeBitCast(dlsym(nil, "prctl"), to: (@convention(c) (CInt, UInt, UInt, UInt, UInt) -> CInt).self)
    }
}

/// Runs a shell script in a namespace and gives its output and end.
func runForked(_ script: String, user: uid_t? = nil, input: [UInt8] = [], before: () -> Void = {}) throws
    -> (output: String, report: WeirReport)
{
    let weir = try ForkedWeir(["sh", "-c", script].map { Array($0.utf8) }, user: user, before: before)
    let writer = Thread { [descriptor = weir.input] in
        var rest = input[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count <= 0 { break }
            rest = rest.dropFirst(count)
        }
        close(descriptor)
    }
    writer.start()
    let output = weir.read()
    return (output, try #require(weir.finish()))
}

/// Whether any process is still in a namespace, named as /proc does (`pid:[4026531836]`).
func isInhabited(_ namespace: String) -> Bool {
    let kind = namespace.prefix { $0 != ":" }
    let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return processes.contains { process in
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/ns/\(kind)")) == namespace
    }
}

/// Waits until something holds, as long as a slow machine may need.
func eventually(_ condition: () -> Bool) async -> Bool {
    for _ in 0..<500 {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(20))
    }
    return condition()
}
