// SPDX-License-Identifier: Apache-2.0

// What the two rungs prove, what stays a claim, and what that makes of a program.

import FlowModel
import Testing

@testable import CodeIdentity

@Suite("AppleIdentity") struct AppleIdentityTests {
    private func identity(
        _ kernel: KernelStatus, _ examination: AppleIdentity.Examination = .none
    ) -> AppleIdentity { AppleIdentity(token: .process(80), kernel: kernel, examination: examination) }

    private func app(adding bits: KernelCodeStatus = [], removing: KernelCodeStatus = []) -> KernelStatus {
        var status = KernelStatus.app
        status.bits = status.bits.union(bits).subtracting(removing)
        return status
    }

    // MARK: Names

    @Test("The identifier of a program of the system is proved by the kernel alone")
    func platformName() {
        #expect(identity(.trustd).provedName?.description == "platform:com.apple.trustd")
    }

    @Test("The identifier of any other program is a claim until the system has verified it")
    func claimedName() {
        var impostor = KernelStatus.app
        impostor.claimedIdentifier = "com.apple.trustd"
        #expect(identity(impostor).provedName == nil)
        #expect(identity(impostor, .missing).provedName == nil)
    }

    @Test("A name within a team is proved when Apple certified the team")
    func teamName() {
        #expect(identity(.app, .done(.app)).provedName == .team("AB12CD34EF", identifier: "com.example.app"))
        #expect(identity(.app, .done(.app)).provedName?.description == "AB12CD34EF:com.example.app")
    }

    @Test("A valid signature by anybody proves no name")
    func selfSigned() {
        var examination = CodeExamination.app
        examination.outcomes[AppleRequirements.team] = .unsatisfied
        #expect(identity(.app, .done(examination)).provedName == nil)
        examination.outcomes[AppleRequirements.team] = .failed(.code(.requirementUnsupported))
        #expect(identity(.app, .done(examination)).provedName == nil)
        #expect(identity(.app, .done(examination)).codeClass(osPrograms: .init()) == .known(.thirdParty))
    }

    @Test("Apple's own program outside the system has Apple's name and is not of the system")
    func appleName() {
        var examination = CodeExamination.app
        examination.outcomes[AppleRequirements.apple] = .satisfied
        let identity = identity(.app, .done(examination))
        #expect(identity.provedName == .apple(identifier: "com.example.app"))
        #expect(identity.codeClass(osPrograms: .init()) == .known(.thirdParty))
    }

    @Test("An invalid program has no name, whatever requirements said")
    func invalidName() {
        var examination = CodeExamination.app
        examination.invalidity = .code(.signatureFailed)
        #expect(identity(.app, .done(examination)).provedName == nil)
        #expect(identity(app(removing: .valid), .done(.app)).provedName == nil)
    }

    @Test("A program of the system that lost its signature has no name")
    func invalidPlatform() {
        var status = KernelStatus.trustd
        status.bits.remove(.valid)
        status.bits.insert(.debugged)
        #expect(identity(status).provedName == nil)
        #expect(identity(status).codeClass(osPrograms: .init(identifiers: ["com.apple.trustd"])) == .known(.unsigned))
    }

    @Test("The team requirement balances its parentheses and asks Developer ID for both marks")
    func teamRequirement() {
        let text = AppleRequirements.team
        #expect(text.filter { $0 == "(" }.count == text.filter { $0 == ")" }.count)
        #expect(text.hasPrefix("anchor apple generic and ("))
        #expect(text.contains("certificate 1[field.1.2.840.113635.100.6.2.6] exists and certificate leaf"))
    }

    // MARK: Classes

    @Test("A program of the system in the inventory is the OS, by hash or by identifier; any other serves its user")
    func platformClass() {
        let identity = identity(.trustd)
        #expect(identity.codeClass(osPrograms: .init()) == .known(.platformInteractive))
        #expect(identity.codeClass(osPrograms: .init(identifiers: ["com.apple.trustd"])) == .known(.os))
        #expect(identity.codeClass(osPrograms: .init(cdhashes: [.numbered(2)])) == .known(.os))
    }

    @Test("Taking the identifier of a program of the system does not make a program one")
    func impostorClass() {
        var impostor = KernelStatus.adhoc
        impostor.claimedIdentifier = "com.apple.trustd"
        let programs = OSProgramSet(cdhashes: [.numbered(3)], identifiers: ["com.apple.trustd"])
        #expect(identity(impostor).codeClass(osPrograms: programs) == .known(.unsigned))
    }

    @Test("The class of the rest is not known before the examination")
    func pendingClass() {
        #expect(identity(.app, .missing).codeClass(osPrograms: .init()) == .unknown(.thirdPartyPending))
        #expect(identity(.app, .missing).unknown == .unexamined)
        #expect(identity(.app, .done(.app)).codeClass(osPrograms: .init()) == .known(.thirdParty))
        #expect(identity(.app, .done(.app)).unknown == nil)
    }

    @Test("Unsigned, ad-hoc and broken programs are unsigned: nobody vouches for them")
    func unsignedClass() {
        #expect(identity(.unsigned).codeClass(osPrograms: .init()) == .known(.unsigned))
        #expect(identity(.adhoc, .done(.app)).codeClass(osPrograms: .init()) == .known(.unsigned))
        #expect(identity(app(removing: .valid)).codeClass(osPrograms: .init()) == .known(.unsigned))
    }

    @Test("Every error of the examination has its class", arguments: CodeSigningError.Code.allCases)
    func errorClass(_ code: CodeSigningError.Code) {
        let failed = identity(.app, .failed(.code(code)))
        let invalid = identity(.app, .done(CodeExamination(invalidity: .code(code))))
        let expected: IdentitySummary.Class =
            switch CodeSigningError.code(code).meaning {
            case .gone: .unknown(.exited)
            case .changedOnDisk, .unknown: .unknown(.unresolved)
            case .refuted: .known(.unsigned)
            }
        #expect(failed.codeClass(osPrograms: .init()) == expected)
        #expect(invalid.codeClass(osPrograms: .init()) == expected)
        #expect(failed.provedName == nil && invalid.provedName == nil)
    }

    // MARK: Injection

    @Test("A hardened program that validates libraries and is held to its signature has no way in")
    func closed() { #expect(identity(.app, .done(.app)).injection == []) }

    @Test(
        "Each bit that opens a way in is told",
        arguments: [
            ([], [.runtime, .forcedLibraryValidation], [.notHardened]),
            ([.libraryValidation], [.runtime, .forcedLibraryValidation], []),
            ([], [.forcedLibraryValidation], [.libraryValidationOff]),
            ([.getTaskAllow], [], [.getTaskAllow]),
            ([.debugged], [], [.debugged, .notEnforced]),
            ([], [.hard, .kill], [.notEnforced]),
            ([], [.hard], []),
            ([.enforcement], [.hard, .kill], []),
            ([.invalidAllowed], [], [.notEnforced]),
        ] as [(KernelCodeStatus, KernelCodeStatus, [InjectionPath])])
    func bits(_ adding: KernelCodeStatus, _ removing: KernelCodeStatus, _ paths: [InjectionPath]) {
        #expect(identity(app(adding: adding, removing: removing)).injection == paths)
    }

    @Test(
        "Each entitlement that opens a way in is told, of code that did not verify as well",
        arguments: [
            ("com.apple.security.cs.disable-library-validation", .libraryValidationOff),
            ("com.apple.security.cs.allow-dyld-environment-variables", .dyldEnvironment),
            ("com.apple.security.get-task-allow", .getTaskAllow),
            ("com.apple.security.cs.allow-unsigned-executable-memory", .unsignedExecutableMemory),
            ("com.apple.security.cs.disable-executable-page-protection", .pageProtectionOff),
        ] as [(String, InjectionPath)])
    func entitlements(_ key: String, _ path: InjectionPath) {
        var examination = CodeExamination.app
        examination.facts?.entitlements = [key: .boolean(true)]
        #expect(identity(.app, .done(examination)).injection == [path])
        examination.invalidity = .code(.signatureFailed)
        #expect(identity(.app, .done(examination)).injection == [path])
        for other: PropertyListValue in [.boolean(false), .integer(1), .string("true")] {
            examination.facts?.entitlements = [key: other]
            #expect(identity(.app, .done(examination)).injection == [])
        }
    }

    @Test("A cdhash names what runs only while the kernel enforces the signature")
    func cdhashTrust() {
        #expect(app().isCDHashTrustworthy)
        #expect(app(adding: .enforcement, removing: [.hard, .kill]).isCDHashTrustworthy)
        #expect(!app(removing: [.hard, .kill]).isCDHashTrustworthy)
        #expect(!app(removing: .valid).isCDHashTrustworthy)
        // Debugging leaves the system's enforcement bit standing.
        #expect(!app(adding: [.enforcement, .debugged], removing: [.hard, .kill]).isCDHashTrustworthy)
        #expect(!KernelStatus(bits: app().bits).isCDHashTrustworthy)
    }

    @Test("Nothing says whether a program acts for another")
    func actsForAnother() { #expect(identity(.trustd).actsForAnother == .unknowable) }

    @Test("A requirement that was not asked has no outcome, and one of invalid code is not satisfied")
    func outcomes() {
        #expect(identity(.app, .done(.app)).outcome(of: AppleRequirements.team) == .satisfied)
        #expect(identity(.app, .done(.app)).outcome(of: "anchor trusted") == nil)
        #expect(identity(.app, .missing).outcome(of: AppleRequirements.team) == nil)
    }
}
