// SPDX-License-Identifier: Apache-2.0

// Who a Linux process or file is, as far as package, digest, unit and mappings say.

/// A running process, named so that a reused number is noticed.
public struct ProcessInstance: Hashable, Sendable {
    public var pid: Int32
    /// Clock ticks since boot (field 22 of `/proc/PID/stat`).
    public var startTicks: UInt64

    public init(pid: Int32, startTicks: UInt64) {
        self.pid = pid
        self.startTicks = startTicks
    }
}

/// What a package says of one file.
public struct PackageClaim: Hashable, Sendable {
    /// The package's name without its architecture.
    public var package: String
    public var architecture: String?
    public var version: String?
    public var verdict: PackageVerdict

    public init(package: String, architecture: String? = nil, version: String? = nil, verdict: PackageVerdict) {
        self.package = package
        self.architecture = architecture
        self.version = version
        self.verdict = verdict
    }
}

/// Whether a file is the one its package brought.
public enum PackageVerdict: String, Sendable, Hashable, Codable {
    /// The digest is the package's.
    case intact
    /// The digest is another.
    case modified
    /// The package keeps no digest for the file (a configuration file, or none recorded).
    case noDigest = "no-digest"
    /// A package transaction is under way, or the database changed while it was read: ask again.
    case inTransaction = "in-transaction"
    /// It could not be hashed.
    case unreadable
}

/// The program file of a process or a file on disk.
public struct LinuxExecutable: Hashable, Sendable {
    /// The path as the kernel names it, without ` (deleted)`.
    public var path: String
    public var key: FileKey?
    public var deleted: Bool
    /// SHA-256 of the content, when it was read.
    public var sha256: [UInt8]?
    public var claim: PackageClaim?
    /// Whether every folder from `/` down and the file itself belong to root and nobody else can write them.
    public var rootOwnedChain: Bool
    public var role: ProgramRole

    public init(
        path: String, key: FileKey? = nil, deleted: Bool = false, sha256: [UInt8]? = nil, claim: PackageClaim? = nil,
        rootOwnedChain: Bool = false, role: ProgramRole = .ordinary
    ) {
        self.path = path
        self.key = key
        self.deleted = deleted
        self.sha256 = sha256
        self.claim = claim
        self.rootOwnedChain = rootOwnedChain
        self.role = role
    }
}

/// What a program is for, as far as it decides whether its own identity says what runs.
public enum ProgramRole: String, Sendable, Hashable, Codable {
    case ordinary
    /// It runs a script: python, perl, sh, node, …
    case interpreter
    /// `ld.so`: it runs another program.
    case loader
    /// It carries what a user tells it to: curl, wget, ssh, rsync, …
    case transferTool = "transfer-tool"
}

/// A script that an interpreter runs, as its arguments claim.
public struct ScriptClaim: Hashable, Sendable {
    public var path: String
    public var sha256: [UInt8]?
    public var claim: PackageClaim?

    public init(path: String, sha256: [UInt8]? = nil, claim: PackageClaim? = nil) {
        self.path = path
        self.sha256 = sha256
        self.claim = claim
    }
}

/// Where a process runs: its systemd unit, or the container or application that it belongs to.
public struct RunContext: Hashable, Sendable {
    public enum Confinement: Hashable, Sendable {
        case none
        case container(runtime: String, id: String)
        case snap(String)
        case flatpak(String)
        case appImage(String)
        /// Another mount namespace than ours, and nothing says whose.
        case otherMountNamespace
    }

    public struct Unit: Hashable, Sendable {
        public var name: String
        /// Whether the system manager runs it, not a user's.
        public var system: Bool
        /// The unit file in force and the package that owns it.
        public var file: String?
        public var claim: PackageClaim?
        /// Files that change the packaged unit.
        public var dropIns: [String]

        public init(name: String, system: Bool, file: String? = nil, claim: PackageClaim? = nil, dropIns: [String] = [])
        {
            self.name = name
            self.system = system
            self.file = file
            self.claim = claim
            self.dropIns = dropIns
        }
    }

    /// The path in cgroup v2.
    public var cgroup: String?
    public var unit: Unit?
    public var confinement: Confinement

    public init(cgroup: String? = nil, unit: Unit? = nil, confinement: Confinement = .none) {
        self.cgroup = cgroup
        self.unit = unit
        self.confinement = confinement
    }
}

/// Who a Linux process, or a program file, is.
public struct LinuxIdentity: Sendable, Hashable {
    public var process: ProcessInstance?
    /// The effective user; nil for a file.
    public var user: UInt32?
    public var executable: LinuxExecutable
    /// What an interpreter or a loader says it runs.
    ///
    /// Arguments can be forged.
    public var script: ScriptClaim?
    public var context: RunContext
    /// How foreign code can run, or runs, in it; sorted, without duplicates.
    public var injection: [InjectionPath]
    /// What could not be found out, and what contradicts itself.
    public var problems: [CodeProblem]

    public init(
        process: ProcessInstance? = nil, user: UInt32? = nil, executable: LinuxExecutable, script: ScriptClaim? = nil,
        context: RunContext = .init(), injection: [InjectionPath] = [], problems: [CodeProblem] = []
    ) {
        self.process = process
        self.user = user
        self.executable = executable
        self.script = script
        self.context = context
        self.injection = injection
        self.problems = problems
    }
}
