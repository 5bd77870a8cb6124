// SPDX-License-Identifier: Apache-2.0

// What a system runs, recorded so that two releases can be compared.

/// The programs and services of one system, or of some folders of it.
///
/// Programs are sorted by path and services by kind and name, so that the same system gives the same record.
public struct Inventory: Sendable, Hashable {
    public var header: InventoryHeader
    public var programs: [InventoryProgram]
    public var services: [InventoryService]

    public init(header: InventoryHeader, programs: [InventoryProgram] = [], services: [InventoryService] = []) {
        self.header = header
        self.programs = programs
        self.services = services
    }
}

/// What was recorded, where and when.
public struct InventoryHeader: Sendable, Hashable, Codable {
    /// The version of the record's form.
    public static let currentVersion = 1

    public var version: Int
    /// For people, for example `Debian GNU/Linux 12 (bookworm)` or `macOS 26.1 (25B78)`.
    public var system: String
    /// The folders that were searched, as seen from the root of the volume.
    public var folders: [String]
    /// Seconds since 1970-01-01 UTC.
    public var takenAt: Int64
    /// What kept the record from being whole: folders that could not be read, bounds that were reached.
    public var problems: [String]

    public init(
        version: Int = InventoryHeader.currentVersion, system: String, folders: [String], takenAt: Int64,
        problems: [String] = []
    ) {
        self.version = version
        self.system = system
        self.folders = folders
        self.takenAt = takenAt
        self.problems = problems
    }
}

/// One program file.
public struct InventoryProgram: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Hashable, Codable {
        case machO = "mach-o"
        case elf
        /// A text that begins with `#!`.
        case script
    }

    /// What the package database says of the file.
    public struct Package: Sendable, Hashable, Codable {
        public var name: String
        public var architecture: String?
        public var version: String?
        public var verdict: PackageVerdict

        public init(_ claim: PackageClaim) {
            name = claim.package
            architecture = claim.architecture
            version = claim.version
            verdict = claim.verdict
        }
    }

    /// What the signature of one slice says.
    public struct Slice: Sendable, Hashable, Codable {
        public var arch: String
        /// `cms`, `adhoc`, `adhoc-linker` or `unsigned`.
        public var signing: String
        public var identifier: String?
        public var team: String?
        public var cdhash: String?
        /// The class of the signer, only where its certificate chain was proved.
        public var signer: String?
        /// The designated requirement in canonical text.
        public var designated: String?

        public init(
            arch: String, signing: String, identifier: String? = nil, team: String? = nil, cdhash: String? = nil,
            signer: String? = nil, designated: String? = nil
        ) {
            self.arch = arch
            self.signing = signing
            self.identifier = identifier
            self.team = team
            self.cdhash = cdhash
            self.signer = signer
            self.designated = designated
        }
    }

    /// The path from the root of the volume.
    public var path: String
    public var kind: Kind
    /// Bytes.
    public var size: UInt64
    /// Sixty-four hexadecimal digits; nil when the file could not be read.
    public var sha256: String?
    /// Whether it runs as its owner or its group (setuid, setgid).
    public var changesUser: Bool
    /// Whether file and folders belong to root and nobody else can write them.
    public var rootOwned: Bool
    public var role: ProgramRole
    /// The program that a script names in its first line.
    public var interpreter: String?
    public var package: Package?
    public var slices: [Slice]
    /// The services whose program this is, sorted.
    public var runsFor: [String]
    /// Whether one of them is the system's own: see `InventoryService.isSystemService`.
    public var runsForSystem: Bool
    public var problems: [String]

    public init(
        path: String, kind: Kind, size: UInt64, sha256: String? = nil, changesUser: Bool = false,
        rootOwned: Bool = false, role: ProgramRole = .ordinary, interpreter: String? = nil, package: Package? = nil,
        slices: [Slice] = [], runsFor: [String] = [], runsForSystem: Bool = false, problems: [String] = []
    ) {
        self.path = path
        self.kind = kind
        self.size = size
        self.sha256 = sha256
        self.changesUser = changesUser
        self.rootOwned = rootOwned
        self.role = role
        self.interpreter = interpreter
        self.package = package
        self.slices = slices
        self.runsFor = runsFor
        self.runsForSystem = runsForSystem
        self.problems = problems
    }

    /// Whether this is a program of the OS class, as far as a file alone can say: design section "by class, not name".
    ///
    /// It does one thing (no interpreter, loader or transfer tool) and one of the system's own services runs it. On macOS
    /// every slice is signed by Apple itself; the kernel must still call the process a platform binary. On Linux it is an
    /// unmodified packaged file outside of `/opt` that only root can write.
    public var isOSProgram: Bool {
        guard runsForSystem, role == .ordinary, problems.isEmpty else { return false }
        switch kind {
        case .machO: return !slices.isEmpty && slices.allSatisfy { $0.signer == SignerClass.apple.rawValue }
        case .elf: return package?.verdict == .intact && rootOwned && !path.hasPrefix("/opt/")
        case .script: return false
        }
    }
}

/// One thing that the system starts by itself.
public struct InventoryService: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Hashable, Codable {
        case systemd
        case launchDaemon = "launch-daemon"
        case launchAgent = "launch-agent"
        case xpcService = "xpc-service"
    }

    public var kind: Kind
    /// The unit's name, the job's label or the XPC service's bundle identifier.
    public var name: String
    /// The file that defines it, from the root of the volume.
    public var file: String
    /// The programs it starts, from the root of the volume, symbolic links followed; sorted.
    public var programs: [String]
    public var package: InventoryProgram.Package?
    /// Files that change the packaged unit.
    public var dropIns: [String]
    public var problems: [String]

    public init(
        kind: Kind, name: String, file: String, programs: [String] = [], package: InventoryProgram.Package? = nil,
        dropIns: [String] = [], problems: [String] = []
    ) {
        self.kind = kind
        self.name = name
        self.file = file
        self.programs = programs
        self.package = package
        self.dropIns = dropIns
        self.problems = problems
    }

    /// Whether the system brought it, nothing changes it, and it starts nothing that users choose.
    ///
    /// Anybody's service may run `/bin/sh`, which does not make that a program of the system. A systemd unit is the
    /// system's when it is packaged and unmodified and has no foreign drop-ins; a launchd job or XPC service when it lies
    /// on the sealed system volume.
    public var isSystemService: Bool {
        switch kind {
        case .systemd:
            package?.verdict == .intact && dropIns.isEmpty && ProgramRoles.carriesUsers(name) == nil
        case .launchDaemon, .launchAgent, .xpcService:
            file.hasPrefix("/System/") && !file.hasPrefix("/System/Volumes/Data/")
        }
    }
}
