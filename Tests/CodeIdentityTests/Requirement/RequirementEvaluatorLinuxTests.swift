// SPDX-License-Identifier: Apache-2.0

// Tests of the Linux atoms and of how the two systems share one language.

import Testing

@testable import CodeIdentity

@Suite("RequirementEvaluatorLinux") struct RequirementEvaluatorLinuxTests {
    typealias Change = @Sendable (inout LinuxIdentity) -> Void

    static let daemonPackage = RequirementExpression.package(Array("systemd-timesyncd".utf8))
    static let daemonUnit = RequirementExpression.unit(Array("systemd-timesyncd.service".utf8))
    static let daemonPath = RequirementExpression.path(.equal("/usr/lib/systemd/systemd-timesyncd"))

    /// Result of the atom, then of its negation.
    static func both(_ atom: RequirementExpression, _ identity: LinuxIdentity) throws -> [RequirementResult] {
        [try evaluate(atom, identity), try evaluate(.not(atom), identity)]
    }

    @Test("A packaged daemon meets every atom that describes it") func aPackagedDaemonMeets() throws {
        for atom: RequirementExpression in [
            .osAnchor, Self.daemonPackage, .package(Array("systemd-timesyncd:amd64".utf8)), Self.daemonUnit,
            Self.daemonPath, .path(.beginsWith("/usr/lib/systemd/")), .digest([UInt8](repeating: 7, count: 32)),
            .user(101), .not(.interpreter),
        ] {
            #expect(try Self.both(atom, Synthetic.daemon) == [.true, .false])
        }
    }

    @Test("It meets none that describes another") func itMeetsNoneThat() throws {
        for atom: RequirementExpression in [
            .package(Array("systemd".utf8)), .package(Array("systemd-timesyncd:".utf8)),
            .package(Array("systemd-timesyncd:i386".utf8)), .package(Array("systemd-timesyncd-x".utf8)), .package([]),
            .unit(Array("systemd-timesyncd".utf8)), .path(.equal("/usr/lib/systemd")), .path(.beginsWith("/usr/bin/")),
            .path(.beginsWith("")), .digest([UInt8](repeating: 8, count: 32)), .user(0), .interpreter,
        ] {
            #expect(try Self.both(atom, Synthetic.daemon) == [.false, .true])
        }
    }

    private static let conditions: [(change: Change, reason: OSAnchor.Reason)] = [
        ({ $0.executable.claim = nil }, .noPackage),
        ({ $0.executable.claim?.verdict = .modified }, .package(.modified)),
        ({ $0.executable.claim?.verdict = .noDigest }, .package(.noDigest)),
        ({ $0.executable.deleted = true }, .deleted), ({ $0.executable.rootOwnedChain = false }, .writablePath),
        ({ $0.executable.role = .interpreter }, .role(.interpreter)),
        ({ $0.executable.role = .loader }, .role(.loader)),
        ({ $0.executable.role = .transferTool }, .role(.transferTool)),
        ({ $0.context.confinement = .snap("x") }, .confined),
        ({ $0.context.confinement = .otherMountNamespace }, .confined),
    ]

    @Test("anchor os names the condition that fails", arguments: conditions) func anchorOsNamesThe(
        change: Change, reason: OSAnchor.Reason
    ) throws {
        let identity = Synthetic.daemon(change)
        #expect(OSAnchor.judge(identity).reasons == [reason])
        #expect(try Self.both(.osAnchor, identity) == [.false, .true])
    }

    @Test("anchor os is never met where foreign code can run", arguments: InjectionPath.allCases) func anchorOsIsNever(
        path: InjectionPath
    ) throws {
        let identity = Synthetic.daemon { $0.injection = [path] }
        #expect(OSAnchor.judge(identity).reasons == [.injectable(path)])
        #expect(try evaluate(.osAnchor, identity) == .false)
        #expect(try evaluate(.not(.osAnchor), identity) == (path == .unreadableMappings ? .false : .true))
    }

    @Test("anchor os is undecided where something could not be found out")
    func anchorOsIsUndecided() throws {
        let identity = Synthetic.daemon { $0.problems = [CodeProblem(.unreadable, "cgroup")] }
        #expect(OSAnchor.judge(identity).reasons == [.unsure(.unreadable)])
        #expect(try Self.both(.osAnchor, identity) == [.false, .false])
        #expect(try Self.both(Self.daemonPackage, identity) == [.true, .false])
    }

    @Test("Facts of a program that changed while it was looked at decide nothing")
    func mixedFactsDecideNothing() throws {
        let identity = Synthetic.daemon { $0.problems = [CodeProblem(.changed, "exec")] }
        for atom: RequirementExpression in [
            .osAnchor, Self.daemonPackage, Self.daemonUnit, Self.daemonPath, .digest([UInt8](repeating: 7, count: 32)),
            .user(101), .interpreter,
        ] {
            #expect(try Self.both(atom, identity) == [.false, .false])
        }
        #expect(try evaluate(.always, identity) == .true)
    }

    @Test("anchor os collects every reason") func anchorOsCollectsEvery() {
        let identity = Synthetic.daemon {
            $0.executable.claim = nil
            $0.executable.deleted = true
            $0.injection = [.traced, .foreignMapping]
        }
        #expect(
            OSAnchor.judge(identity).reasons == [
                .noPackage, .deleted, .injectable(.traced), .injectable(.foreignMapping),
            ])
        #expect(!OSAnchor.judge(identity).holds)
    }

    @Test(
        "While the package cannot be compared, neither the atom nor its negation holds",
        arguments: [PackageVerdict.inTransaction, .unreadable])
    func whileThePackageCannot(verdict: PackageVerdict) throws {
        let identity = Synthetic.daemon {
            $0.executable.claim?.verdict = verdict
            $0.context.unit?.claim?.verdict = verdict
        }
        for atom in [.osAnchor, Self.daemonPackage, Self.daemonUnit] {
            #expect(try Self.both(atom, identity) == [.false, .false])
        }
        // Another reason decides, whether it comes before or behind.
        let deleted = Synthetic.daemon {
            $0.executable.claim?.verdict = verdict
            $0.executable.deleted = true
            $0.injection = [.unreadableMappings]
        }
        #expect(try Self.both(.osAnchor, deleted) == [.false, .true])
        #expect(try Self.both(.package(Array("curl".utf8)), identity) == [.false, .true])
    }

    @Test(
        "A package is only what its intact file in place proves",
        arguments: [
            { $0.executable.claim?.verdict = .modified }, { $0.executable.claim?.verdict = .noDigest },
            { $0.executable.claim = nil }, { $0.executable.deleted = true },
        ] as [Change]) func aPackageIsOnly(change: Change) throws
    {
        #expect(try Self.both(Self.daemonPackage, Synthetic.daemon(change)) == [.false, .true])
    }

    @Test(
        "A unit is only the packaged one of the system manager",
        arguments: [
            { $0.context.unit = nil }, { $0.context.unit?.system = false }, { $0.context.unit?.file = nil },
            { $0.context.unit?.claim = nil }, { $0.context.unit?.claim?.verdict = .modified },
            { $0.context.unit?.claim?.verdict = .noDigest }, { $0.context.unit?.dropIns = ["/etc/x.conf"] },
        ] as [Change]) func aUnitIsOnly(change: Change) throws
    {
        #expect(try Self.both(Self.daemonUnit, Synthetic.daemon(change)) == [.false, .true])
    }

    @Test(
        "A path is only what root put there",
        arguments: [{ $0.executable.rootOwnedChain = false }, { $0.executable.deleted = true }] as [Change])
    func aPathIsOnly(change: Change) throws {
        #expect(try evaluate(Self.daemonPath, Synthetic.daemon(change)) == .false)
    }

    @Test(
        "In a container paths, packages and units of the host decide nothing",
        arguments: [
            .container(runtime: "docker", id: "1"), .snap("x"), .flatpak("x"), .appImage("x"), .otherMountNamespace,
        ] as [RunContext.Confinement])
    func inAContainerPaths(confinement: RunContext.Confinement)
        throws
    {
        let identity = Synthetic.daemon { $0.context.confinement = confinement }
        for atom in [Self.daemonPath, .path(.equal("/other")), Self.daemonPackage, Self.daemonUnit] {
            #expect(try Self.both(atom, identity) == [.false, .false])
        }
    }

    @Test("A file without digest or user decides nothing about them") func aFileWithoutDigest() throws {
        let identity = Synthetic.daemon {
            $0.executable.sha256 = nil
            $0.user = nil
        }
        #expect(try Self.both(.digest([UInt8](repeating: 7, count: 32)), identity) == [.false, .false])
        #expect(try Self.both(.user(0), identity) == [.false, .false])
    }

    @Test("An interpreter is told by its role") func anInterpreterIsTold() throws {
        #expect(try evaluate(.interpreter, Synthetic.daemon { $0.executable.role = .interpreter }) == .true)
        #expect(try evaluate(.interpreter, Synthetic.daemon { $0.executable.role = .loader }) == .false)
    }

    @Test("Apple's atoms are undecided of a Linux program, and so are their negations") func appleSAtomsAre() throws {
        for atom: RequirementExpression in [
            .identifier("x"), .appleAnchor, .appleGenericAnchor, .certificateHash(slot: 0, [UInt8](1...20)),
            .legacyInfoValue(key: [0x61], value: [0x62]), .cdhash([UInt8](1...20)), .info("a", .absent),
            .entitlement("a", .absent), .field(0, "subject.CN", .exists), .marker(0, [0x2A], .absent),
            .certificatePolicy(slot: 0, oid: [0x2A], .absent), .certificateTimestamp(slot: 0, oid: [0x2A], .absent),
            .certificateTrusted(slot: 0), .anchorTrusted, .platform(0), .notarized, .legacyDeveloperID,
        ] {
            #expect(try Self.both(atom, Synthetic.daemon) == [.false, .false])
            #expect(try evaluate(.or(.not(atom), .never), Synthetic.daemon) == .false)
            #expect(try evaluate(.and(.not(atom), .always), Synthetic.daemon) == .false)
        }
    }

    @Test("One rule can name both systems") func oneRuleCanName() throws {
        let rule = RequirementExpression.or(
            .and(.osAnchor, Self.daemonUnit), .and(.appleAnchor, .identifier("com.apple.timed")))
        #expect(try evaluate(rule, Synthetic.daemon) == .true)
        #expect(try evaluate(rule, Synthetic.code()) == .false)
        var timed = Synthetic.code(Synthetic.appleSoftware)
        timed.identifier = Array("com.apple.timed".utf8)
        #expect(try evaluate(rule, timed) == .true)
    }
}
