// SPDX-License-Identifier: Apache-2.0

import FlowModel
import Testing

@testable import CodeIdentity
@testable import FlowPolicy

@Suite struct CodeEvidenceTests {
    private static let token = AuditToken(fields: [501, 501, 20, 501, 20, 100, 100_007, 1])

    private func requirement(_ text: String) throws -> CompiledRequirement {
        try CompiledRequirement(Requirement(text: text).expression)
    }

    private func mac(
        _ bits: KernelCodeStatus, _ identifier: String, examination: AppleIdentity.Examination = .none,
        osPrograms: Set<String> = []
    ) -> CodeEvidence {
        let identity = AppleIdentity(
            token: Self.token, kernel: KernelStatus(bits: bits, claimedIdentifier: identifier), examination: examination
        )
        return CodeEvidence(identity.answer(.settled, osPrograms: OSProgramSet(identifiers: osPrograms)))
    }

    @Test(arguments: [
        ("anchor apple", true), (#"anchor apple and identifier "com.apple.curl""#, true),
        (#"identifier "com.apple.curl""#, true), (#"anchor apple and identifier "com.apple.ssh""#, false),
        (#"anchor apple and ! identifier "com.apple.ssh""#, true),
        (#"identifier "com.apple.ssh" or identifier "com.apple.curl""#, true), ("never", false),
        // Nobody knows these of a program that is known by the kernel's word only, so neither they nor their opposites hold.
        (#"anchor apple and ! entitlement["com.apple.private.x"] exists"#, false),
        (#"entitlement["com.apple.private.x"] exists"#, false), ("! anchor apple generic", false),
        (#"! certificate leaf[subject.OU] = "AB12CD34EF""#, false), ("notarized", false), ("! notarized", false),
        (#"anchor apple or info[CFBundleVersion] = "1""#, false), (#"! package "curl""#, false),
        (#"! cdhash H"0123456789abcdef0123456789abcdef01234567""#, false),
    ])
    func `A program of the system meets only what the kernel's word answers`(_ text: String, _ expected: Bool) throws {
        let curl = mac([.valid, .signed, .platformBinary], "com.apple.curl")
        #expect(try curl.satisfies(requirement(text)) == expected)
    }

    @Test func `An ad-hoc tool that calls itself a daemon of the system proves no name and meets nothing`() throws {
        let tool = mac([.valid, .signed, .adhoc], "com.apple.trustd", osPrograms: ["com.apple.trustd"])
        #expect(tool.name == nil && tool.summary.codeClass == .known(.unsigned))
        for text in [#"identifier "com.apple.trustd""#, "anchor apple", "! anchor apple"] {
            #expect(try !tool.satisfies(requirement(text)))
        }
        #expect(Catalogues.shipped.classified(tool).neverRow == nil)
    }

    @Test func `A program of the system that the inventory knows is of the class os`() {
        let daemon = mac([.valid, .signed, .platformBinary], "com.apple.apsd", osPrograms: ["com.apple.apsd"])
        let summary = Catalogues.shipped.classified(daemon)
        #expect(summary.codeClass == .known(.os) && summary.neverRow == "macos-daemons/com.apple.apsd")
        #expect(summary.classReason?.hasPrefix("the kernel calls it a program of the system, and") == true)
    }

    @Test func `An app meets what the system evaluated for it, and nothing else`() throws {
        let text = #"anchor apple generic and identifier "com.example.app""#
        let asked = RequirementPrinter.text(try Requirement(text: text).expression)
        let app = mac(
            [.valid, .signed, .runtime], "com.example.app",
            examination: .done(
                CodeExamination(
                    outcomes: [AppleRequirements.team: .satisfied, asked: .satisfied],
                    facts: StaticCodeFacts(
                        path: "/Applications/App", identifier: "com.example.app", team: "AB12CD34EF", flags: []))))
        #expect(app.name == .apple(.team("AB12CD34EF", identifier: "com.example.app")))
        #expect(try app.satisfies(requirement(text)))
        #expect(try !app.satisfies(requirement(#"identifier "com.example.app""#)), "nobody asked the system that")
        #expect(app.summary.classReason == "its signature is valid, as AB12CD34EF:com.example.app")
    }

    private func linux(_ change: (inout LinuxIdentity) -> Void = { _ in }) -> CodeEvidence {
        let claim = PackageClaim(package: "chrony", verdict: .intact)
        var identity = LinuxIdentity(
            process: ProcessInstance(pid: 100, startTicks: 1), user: 0,
            executable: LinuxExecutable(path: "/usr/sbin/chronyd", claim: claim, rootOwnedChain: true),
            context: RunContext(
                unit: RunContext.Unit(
                    name: "chrony.service", system: true, file: "/lib/systemd/system/chrony.service", claim: claim)))
        change(&identity)
        return CodeEvidence(
            MakerAnswer(summary: IdentitySummary(.known(identity.codeClass)), maker: .linux(identity)))
    }

    @Test func `A packaged daemon proves package, path and unit, and meets what is asked of them`() throws {
        let daemon = linux()
        #expect(daemon.name == .linux(package: "chrony", path: "/usr/sbin/chronyd") && daemon.unit == "chrony.service")
        #expect(try daemon.satisfies(requirement(#"anchor os and package "chrony" and unit "chrony.service""#)))
        #expect(try !daemon.satisfies(requirement("! anchor apple")), "an atom of the other system is undecided")
        let summary = Catalogues.shipped.classified(daemon)
        #expect(summary.codeClass == .known(.os) && summary.neverRow == "linux-daemons/chronyd")
        #expect(summary.classReason?.contains("only root can change it") == true)
    }

    @Test func `What anybody could have changed proves no name`() {
        #expect(linux { $0.executable.claim?.verdict = .modified }.name == nil)
        #expect(linux { $0.executable.claim = nil }.name == nil)
        #expect(linux { $0.executable.rootOwnedChain = false }.name == nil)
        #expect(linux { $0.executable.deleted = true }.name == nil)
        #expect(linux { $0.context.unit?.dropIns = ["/etc/systemd/system/chrony.service.d/x.conf"] }.unit == nil)
        #expect(linux { $0.context.unit?.system = false }.unit == nil)
        #expect(linux { $0.context.unit?.claim = nil }.unit == nil)
    }

    @Test func `Of a maker that is not known nothing is proved`() throws {
        let nobody = CodeEvidence(MakerAnswer(summary: IdentitySummary(.unknown(.exited)), unknown: .exited))
        #expect(nobody.name == nil)
        #expect(try !nobody.satisfies(requirement("always")))
    }
}
