// SPDX-License-Identifier: Apache-2.0

// What can go wrong while a Linux process is looked at.

public import FlowModel

extension CodeProblem.Code {
    /// The process has ended, or became another one, while it was looked at.
    public static let processExited = Self("process-exited")
    /// A thread of the kernel: it has no executable.
    public static let kernelThread = Self("kernel-thread")
    /// A file of `/proc` does not have the form that proc(5) gives it.
    public static let procMalformed = Self("proc-malformed")
    /// A mapping whose code is not the program's or its packages'; the detail names it.
    public static let mappedCode = Self("mapped-code")
    /// The unit file is masked, though its processes run.
    public static let unitMasked = Self("unit-masked")
}

extension CodeProblem {
    /// What policy is told when an identity could not be had: the process is gone, or the system did not answer.
    public var unknownCause: UnknownCause { code == .processExited ? .exited : .unresolved }
}
