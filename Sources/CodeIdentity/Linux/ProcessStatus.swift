// SPDX-License-Identifier: Apache-2.0

// /proc/PID/status: user, tracer and confinement of a process.

/// The lines of `/proc/PID/status` that identity uses (proc_pid_status(5)).
struct ProcessStatus: Hashable {
    /// The effective user.
    var user: UInt32
    /// 0 when nobody traces it, or somebody whom our PID namespace does not show.
    var tracer: UInt64
    var noNewPrivileges: Bool
    /// 0 off, 1 strict, 2 filter.
    var seccomp: UInt64

    init(_ bytes: [UInt8]) throws(CodeProblem) {
        var user: UInt32?
        var tracer: UInt64?
        var noNewPrivileges = false
        var seccomp: UInt64 = 0
        // The kernel escapes a line feed in the name, so that no process writes a line of its own here.
        for line in bytes.split(separator: 0x0A) {
            guard let colon = line.firstIndex(of: 0x3A) else { continue }
            let values = ProcFields.fields(line[line.index(after: colon)...])
            let name = line[..<colon]
            if name.begins(with: "Uid"), values.count == 4 {
                user = user ?? ProcFields.decimal(values[1]).flatMap { UInt32(exactly: $0) }
            } else if name.begins(with: "TracerPid") {
                tracer = tracer ?? values.first.flatMap(ProcFields.decimal)
            } else if name.begins(with: "NoNewPrivs") {
                noNewPrivileges = values.first.flatMap(ProcFields.decimal) == 1
            } else if name.elementsEqual("Seccomp".utf8) {
                seccomp = values.first.flatMap(ProcFields.decimal) ?? 0
            }
        }
        guard let user else { throw CodeProblem(.procMalformed, at: 0, "status without four user numbers") }
        guard let tracer else { throw CodeProblem(.procMalformed, at: 0, "status without a tracer") }
        self.user = user
        self.tracer = tracer
        self.noNewPrivileges = noNewPrivileges
        self.seccomp = seccomp
    }
}
