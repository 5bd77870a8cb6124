// SPDX-License-Identifier: Apache-2.0

// /proc/PID/stat: the start time, and where the image of the program lies.

/// Where exec put the program: with address space randomisation, another exec of the same file gives other numbers.
///
/// It stands for the kernel's exec id, which `/proc` does not tell (`do_task_stat` in fs/proc/array.c).
public struct ImageLayout: Hashable, Sendable {
    /// Where the code begins: 1 when we may not know, 0 while exec has not come so far.
    public var code: UInt64
    /// Where the stack began: 0 when we may not know.
    public var stack: UInt64

    /// False between the moment when exec has given up the old memory and the one when the new program is whole: its
    /// mappings and arguments are not there yet.
    public var loaded: Bool { code != 0 }

    public init(code: UInt64 = 1, stack: UInt64 = 0) {
        self.code = code
        self.stack = stack
    }
}

/// The fields of `/proc/PID/stat` that identity uses (proc_pid_stat(5)).
struct ProcessStat: Hashable {
    var command: String
    var state: UInt8
    var flags: UInt64
    /// Its threads, those that have ended but the first one left out.
    var threads: UInt64
    var startTicks: UInt64
    var layout: ImageLayout

    /// A zombie or a dead thread; the process has ended when it has no other.
    var ended: Bool { state == 0x5A || state == 0x58 || state == 0x78 }
    /// PF_KTHREAD.
    var isKernelThread: Bool { flags & 0x20_0000 != 0 }

    init(_ bytes: [UInt8]) throws(CodeProblem) {
        // The command may hold blanks and brackets; nothing after it does.
        guard let open = bytes.firstIndex(of: 0x28), let close = bytes.lastIndex(of: 0x29), open < close else {
            throw CodeProblem(.procMalformed, at: 0, "stat without a command in brackets")
        }
        command = ProcFields.text(bytes[bytes.index(after: open)..<close])
        let fields = ProcFields.fields(bytes[bytes.index(after: close)...].prefix { $0 != 0x0A })
        /// By the number in proc_pid_stat(5), where the state is 3.
        func field(_ number: Int) -> UInt64? {
            fields.indices.contains(number - 3) ? ProcFields.decimal(fields[number - 3]) : nil
        }
        guard let state = fields.first, state.count == 1, let letter = state.first, let flags = field(9),
            let threads = field(20), let start = field(22), let code = field(26), let stack = field(28)
        else { throw CodeProblem(.procMalformed, at: UInt64(close), "stat without its fields 3 to 28") }
        self.state = letter
        self.flags = flags
        self.threads = threads
        startTicks = start
        layout = ImageLayout(code: code, stack: stack)
    }
}
