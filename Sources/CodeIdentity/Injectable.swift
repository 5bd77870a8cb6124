// SPDX-License-Identifier: Apache-2.0

// Whether foreign code can run under an identity: then the identity names less than it seems to.

/// One way in which code that is not the program's may run as the program.
public enum InjectionPath: String, Sendable, Hashable, Codable, CaseIterable {
    // macOS
    /// Neither the hardened runtime nor library validation is on.
    case notHardened = "not-hardened"
    /// The entitlement that turns library validation off.
    case libraryValidationOff = "library-validation-off"
    /// `DYLD_` variables are allowed by entitlement.
    case dyldEnvironment = "dyld-environment"
    /// The entitlement or status that lets others debug it (get-task-allow).
    case getTaskAllow = "get-task-allow"
    /// It is being debugged, or was.
    case debugged
    /// Unsigned memory may be executable.
    case unsignedExecutableMemory = "unsigned-executable-memory"
    /// The protection of its executable pages is off.
    case pageProtectionOff = "page-protection-off"
    /// The kernel does not hold the process to its signature.
    case notEnforced = "not-enforced"

    // Linux
    /// A tracer is attached.
    case traced
    /// A library that no package owns is mapped.
    case foreignMapping = "foreign-mapping"
    /// Memory without a file is executable.
    case anonymousExecutable = "anonymous-executable"
    /// A mapped file is deleted, replaced or has another digest than its package says.
    case changedMapping = "changed-mapping"
    /// A mapped file, or a folder above it, can be written by others than root.
    case writableMapping = "writable-mapping"
    /// Its environment asks the loader for more (LD_PRELOAD, LD_AUDIT, LD_LIBRARY_PATH).
    case loaderEnvironment = "loader-environment"
    /// The program runs what its arguments say: an interpreter or a loader.
    case runsOtherCode = "runs-other-code"
    /// Its mappings could not be read, so nothing is known of them.
    case unreadableMappings = "unreadable-mappings"
}
