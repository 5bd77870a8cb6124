// SPDX-License-Identifier: Apache-2.0

// /proc/PID/status: user, tracer and threads of a process.

/// The lines of `/proc/PID/status` that identity uses (proc_pid_status(5)).
struct ProcessStatus: Hashable {
    /// The effective user.
    var user: UInt32
    /// 0 when nobody traces it, or somebody whom our PID namespace does not show.
    var tracer: UInt64
    /// The process that the thread belongs to.
    var process: UInt64
    var threads: UInt64

    init(_ bytes: [UInt8]) throws(CodeProblem) {
        var user: UInt32?
        var tracer: UInt64?
        var process: UInt64?
        var threads: UInt64?
        // The kernel escapes a line feed in the name, so that no process writes a line of its own here.
        for line in bytes.split(separator: 0x0A) {
            guard let colon = line.firstIndex(of: 0x3A) else { continue }
            let values = ProcFields.fields(line[line.index(after: colon)...])
            let name = line[..<colon]
            if name.begins(with: "Uid"), values.count == 4 {
                user = user ?? ProcFields.decimal(values[1]).flatMap { UInt32(exactly: $0) }
            } else if name.begins(with: "TracerPid") {
                tracer = tracer ?? values.first.flatMap(ProcFields.decimal)
            } else if name.begins(with: "Tgid") {
                process = process ?? values.first.flatMap(ProcFields.decimal)
            } else if name.begins(with: "Threads") {
                threads = threads ?? values.first.flatMap(ProcFields.decimal)
            }
        }
        guard let user else { throw CodeProblem(.procMalformed, at: 0, "status without four user numbers") }
        guard let tracer, let process, let threads else {
            throw CodeProblem(.procMalformed, at: 0, "status without tracer, process or number of threads")
        }
        self.user = user
        self.tracer = tracer
        self.process = process
        self.threads = threads
    }
}
