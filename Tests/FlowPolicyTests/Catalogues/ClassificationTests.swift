// SPDX-License-Identifier: Apache-2.0

import CodeIdentity
import FlowModel
import Testing

@testable import FlowPolicy

@Suite struct ClassificationTests {
    private func evidence(_ codeClass: CodeClass, _ name: CodeEvidence.Name?) -> CodeEvidence {
        CodeEvidence(summary: IdentitySummary(.known(codeClass)), name: name) { _ in false }
    }

    private func platform(_ codeClass: CodeClass, _ identifier: String) -> IdentitySummary {
        Catalogues.shipped.classified(evidence(codeClass, .apple(.platform(identifier: identifier))))
    }

    /// What becomes of a program of macOS: its class by facts and its identifier, then the class and the row.
    @Test(arguments: [
        ("apsd", CodeClass.os, "com.apple.apsd", CodeClass.os, "macos-daemons/com.apple.apsd"),
        ("mDNSResponder", .os, "com.apple.mDNSResponder", .os, "macos-daemons/com.apple.mDNSResponder"),
        ("softwareupdated", .os, "com.apple.softwareupdated", .os, "macos-daemons/com.apple.softwareupdated"),
        ("trustd, whose row is not confirmed", .os, "com.apple.trustd", .os, ""),
        ("a daemon that no catalogue knows", .os, "com.apple.made-tomorrow-d", .os, ""),
        ("a daemon that no inventory knows", .platformInteractive, "com.apple.apsd", .platformInteractive, ""),
        ("Safari", .platformInteractive, "com.apple.Safari", .platformInteractive, ""),
        ("curl", .platformInteractive, "com.apple.curl", .platformInteractive, ""),
        ("curl that a launchd job runs", .os, "com.apple.curl", .platformInteractive, ""),
        ("the networking process of web views", .os, "com.apple.WebKit.Networking", .platformInteractive, ""),
        ("nsurlsessiond for an app", .os, "com.apple.nsurlsessiond", .platformInteractive, ""),
        ("Messages", .platformInteractive, "com.apple.MobileSMS", .userCarryingPinned, ""),
        ("the agent of Messages", .os, "com.apple.imagent", .userCarryingPinned, ""),
    ])
    func `A program of macOS gets the class of its proved identifier`(
        _ story: String, _ facts: CodeClass, _ identifier: String, _ expected: CodeClass, _ row: String
    ) {
        let summary = platform(facts, identifier)
        #expect(summary.codeClass == .known(expected))
        #expect(summary.neverRow ?? "" == row)
        #expect(summary.provedName == "platform:\(identifier)")
    }

    @Test func `A row that is not confirmed decides nothing and says so`() {
        let trustd = platform(.os, "com.apple.trustd")
        #expect(
            trustd.classReason?.contains("row macos-daemons/com.apple.trustd is not confirmed (label)") == true)
        #expect(platform(.platformInteractive, "com.apple.cloudd").codeClass == .known(.platformInteractive))
    }

    @Test func `A tool that only calls itself a daemon of the system matches no row`() {
        // An ad-hoc signature proves no name; whatever it claims is left out of the evidence.
        let claimed = Catalogues.shipped.classified(evidence(.unsigned, nil))
        #expect(claimed == IdentitySummary(.known(.unsigned)))
        // Even a name beside the class `unsigned` asks no row.
        let odd = Catalogues.shipped.classified(evidence(.unsigned, .apple(.platform(identifier: "com.apple.apsd"))))
        #expect(odd.codeClass == .known(.unsigned) && odd.neverRow == nil)
        let pinned = Catalogues.shipped.classified(
            evidence(.unsigned, .apple(.platform(identifier: "com.apple.imagent"))))
        #expect(pinned.codeClass == .known(.unsigned))
        // A team that signs with Apple's identifier is still that team.
        let team = Catalogues.shipped.classified(
            evidence(.thirdParty, .apple(.team("AB12CD34EF", identifier: "com.apple.apsd"))))
        #expect(team.codeClass == .known(.thirdParty) && team.neverRow == nil)
        #expect(team.provedName == "AB12CD34EF:com.apple.apsd")
    }

    @Test func `Apple's developer tools do what a user wants, though the kernel does not call them the system's`() {
        let git = evidence(.thirdParty, .apple(.apple(identifier: "com.apple.git")))
        #expect(Catalogues.shipped.classified(git).codeClass == .known(.platformInteractive))
        let daemon = evidence(.thirdParty, .apple(.apple(identifier: "com.apple.apsd")))
        #expect(Catalogues.shipped.classified(daemon).neverRow == nil, "only the class os is never taken")
    }

    @Test(arguments: [
        ("U68MSDN6DR", "org.whispersystems.signal-desktop", CodeClass.userCarryingPinned),
        ("AB12CD34EF", "org.whispersystems.signal-desktop", .thirdParty),
        ("U68MSDN6DR", "org.whispersystems.other", .thirdParty),
        ("EQHXZ8M8AV", "com.google.Chrome", .thirdParty), ("AB12CD34EF", "com.example.app", .thirdParty),
    ])
    func `An app counts as pinned by team and identifier together`(
        _ team: String, _ identifier: String, _ expected: CodeClass
    ) {
        let summary = Catalogues.shipped.classified(evidence(.thirdParty, .apple(.team(team, identifier: identifier))))
        #expect(summary.codeClass == .known(expected))
    }

    @Test(arguments: [
        ("chrony", "/usr/sbin/chronyd", CodeClass.os, CodeClass.os, "linux-daemons/chronyd"),
        ("systemd-timesyncd", "/lib/systemd/systemd-timesyncd", .os, .os, "linux-daemons/systemd-timesyncd"),
        ("chrony", "/usr/sbin/other", .os, .os, ""),
        ("chrony", "/usr/sbin/chronyd", .platformInteractive, .platformInteractive, ""),
        ("made-tomorrow", "/usr/sbin/tomorrowd", .os, .os, ""),
        ("curl", "/usr/bin/curl", .platformInteractive, .platformInteractive, ""),
        ("davfs2", "/usr/sbin/mount.davfs", .os, .platformInteractive, ""),
        ("gvfs-backends", "/usr/libexec/gvfsd-smb", .os, .platformInteractive, ""),
        ("sudo-agent", "/opt/agent/bin/agent", .thirdParty, .thirdParty, ""),
    ])
    func `A program of Linux gets the class of its package and path`(
        _ package: String, _ path: String, _ facts: CodeClass, _ expected: CodeClass, _ row: String
    ) {
        let summary = Catalogues.shipped.classified(evidence(facts, .linux(package: package, path: path)))
        #expect(summary.codeClass == .known(expected))
        #expect(summary.neverRow ?? "" == row)
        #expect(summary.provedName == "package \(package) (\(path))")
    }

    @Test func `What an administrator calls a vendor's is a vendor's, whatever the facts alone would say`() {
        var settings = PolicySettings()
        settings.vendorTeams = ["AB12CD34EF"]
        settings.vendorPackages = ["acme-agent"]
        let app = evidence(.thirdParty, .apple(.team("AB12CD34EF", identifier: "com.example.app")))
        #expect(Catalogues.shipped.classified(app, settings).codeClass == .known(.vendor))
        // A vendor's packaged service looks like the distribution's own.
        let agent = evidence(.os, .linux(package: "acme-agent", path: "/usr/sbin/acme-agent"))
        #expect(Catalogues.shipped.classified(agent, settings).codeClass == .known(.vendor))
        #expect(Catalogues.shipped.classified(agent).codeClass == .known(.os))
        let other = evidence(.thirdParty, .apple(.team("ZZ12CD34EF", identifier: "AB12CD34EF")))
        #expect(Catalogues.shipped.classified(other, settings).codeClass == .known(.thirdParty))
    }

    @Test func `A class that is not known stays so, with the name that is proved`() {
        let unknown = CodeEvidence(
            summary: IdentitySummary(.unknown(.platformUnresolved)),
            name: .apple(.platform(identifier: "com.apple.apsd"))
        ) { _ in false }
        let summary = Catalogues.shipped.classified(unknown)
        #expect(summary.codeClass == .unknown(.platformUnresolved) && summary.neverRow == nil)
        #expect(summary.provedName == "platform:com.apple.apsd")
    }

    @Test(arguments: ["com.apple.apsd", "macos-daemons/com.apple.apsd"])
    func `A program leaves the never set when a policy names its row`(_ name: String) {
        var settings = PolicySettings()
        settings.inspectedNeverRows = [name]
        let apsd = evidence(.os, .apple(.platform(identifier: "com.apple.apsd")))
        #expect(Catalogues.shipped.classified(apsd, settings).neverRow == nil)
        #expect(Catalogues.shipped.classified(apsd).neverRow != nil)
    }

    @Test func `No row both leaves a program alone and says that it carries what users send`() {
        let shipped = Catalogues.shipped
        for row in shipped.programs where row.tier == .never && row.evidence.decides {
            let name: CodeEvidence.Name
            switch row.match {
            case .applePlatform(let identifier): name = .apple(.platform(identifier: identifier))
            case .team(let team, let identifier): name = .apple(.team(team, identifier: identifier ?? "any"))
            case .package(let package, let paths): name = .linux(package: package, path: paths.first ?? "/usr/bin/any")
            }
            #expect(shipped.rows(of: name).allSatisfy { $0.codeClass == nil }, "\(row.row)")
        }
    }

    @Test func `Rows that are added later are found too`() {
        var catalogues = Catalogues(edition: "test")
        catalogues.programs = [
            ProgramRow(
                catalogue: "own", id: "a", match: .package("a", paths: []), codeClass: .platformInteractive,
                tier: .inspect, role: "a tool", evidence: .seen, source: "test")
        ]
        let summary = catalogues.classified(evidence(.os, .linux(package: "a", path: "/usr/bin/a")))
        #expect(summary.codeClass == .known(.platformInteractive))
        #expect(summary.classReason == "row own/a: a tool")
    }
}
