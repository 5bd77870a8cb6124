// SPDX-License-Identifier: Apache-2.0

// The class of a Linux program, and why.

public import FlowModel

/// A class of code with the facts that led to it.
public struct CodeClassification: Hashable, Sendable {
    public var codeClass: CodeClass
    /// Sentences for people: for `os` what holds, for every other class what stands against a better one.
    public var reasons: [String]
}

extension LinuxIdentity {
    /// The class, without its reasons.
    public var codeClass: CodeClass { classification.codeClass }

    /// The class of the program, decided by facts and never by its name.
    ///
    /// - `os`: an ordinary, intact, packaged program on a root-owned path, all of whose code is its packages', run by
    ///   the system manager from a packaged unit that nothing changes. Only this may be left alone without a look.
    /// - `platform-interactive`: any other intact packaged program: what a user runs, interpreters, transfer tools. The
    ///   package database does not say whose package it is, so a vendor's program counts here too, unless it lies in
    ///   `/opt`, which no distribution uses for its own (FHS 3.0, 3.13).
    /// - `third-party`: packaged in `/opt`, a snap's read-only image, or in what the system manager runs as a
    ///   container.
    /// - `unsigned`: nobody vouches for the bytes: no package, changed since, not provable, or changeable by others.
    ///
    /// `vendor` and `user-carrying-pinned` need knowledge of products: policy's catalogues give them.
    public var classification: CodeClassification {
        if let doubt = unproved {
            return thirdPartyImage.map { CodeClassification(codeClass: .thirdParty, reasons: [$0, doubt]) }
                ?? CodeClassification(codeClass: .unsigned, reasons: [doubt])
        }
        let package = executable.claim?.package ?? ""
        if executable.path.hasPrefix("/opt/") {
            let reason = "package \(package) installs in /opt, where no distribution puts its own programs"
            return CodeClassification(codeClass: .thirdParty, reasons: [reason])
        }
        let against = againstSystem
        if !against.isEmpty { return CodeClassification(codeClass: .platformInteractive, reasons: against) }
        return CodeClassification(
            codeClass: .os,
            reasons: [
                "\(executable.path) is what package \(package) brought, and only root can change it",
                "all code it has mapped is its packages', and nobody traces it",
                "it runs in \(context.unit?.name ?? ""), a packaged system unit that nothing changes",
            ])
    }

    /// Why nobody vouches for the program file; nil when its package does.
    private var unproved: String? {
        let path = executable.path
        guard let claim = executable.claim else { return "no package owns \(path)" }
        let doubt: String? =
            switch claim.verdict {
            case .intact: nil
            case .modified: "\(path) is not what package \(claim.package) brought"
            case .noDigest: "package \(claim.package) keeps no digest of \(path)"
            case .inTransaction: "package \(claim.package) is being changed right now"
            case .unreadable: "\(path) could not be hashed"
            }
        if let doubt { return doubt }
        if executable.deleted { return "\(path) was deleted or replaced since it was started" }
        if !executable.rootOwnedChain { return "\(path), or a folder above it, can be changed by others than root" }
        return nil
    }

    /// What else vouches for an unpackaged program: only what no user can forge.
    private var thirdPartyImage: String? {
        // Snaps are mounted read-only by root; a cgroup of that name a user can make.
        if executable.rootOwnedChain,
            executable.path.hasPrefix("/snap/") || executable.path.hasPrefix("/var/lib/snapd/snap/")
        {
            return "\(executable.path) lies in a snap that root mounted"
        }
        if case .container(let runtime, let id) = context.confinement, let cgroup = context.cgroup,
            !cgroup.split(separator: "/").contains("user.slice")
        {
            return "it runs in \(runtime) container \(id), which the system started"
        }
        return nil
    }

    /// Everything that keeps an intact packaged program from being the operating system's own work.
    private var againstSystem: [String] {
        var reasons: [String] = []
        if let known = ProgramRoles.known(path: executable.path, package: executable.claim?.package) {
            reasons.append("\(executable.path) speaks for others: \(known.reason)")
        } else if executable.role != .ordinary {
            reasons.append("\(executable.path) is a \(executable.role.rawValue)")
        }
        reasons += injection.map { "foreign code may run in it: \($0.rawValue)" }
        if process == nil { reasons.append("a file is not the system's work until a system unit runs it") }
        switch context.confinement {
        case .none: break
        case .container(let runtime, let id): reasons.append("it runs in \(runtime) container \(id)")
        case .snap(let name): reasons.append("it belongs to snap \(name)")
        case .flatpak(let name): reasons.append("it belongs to flatpak \(name)")
        case .appImage(let name): reasons.append("it belongs to AppImage \(name)")
        case .otherMountNamespace: reasons.append("it runs in a mount namespace of its own")
        }
        if process != nil { reasons += againstUnit }
        reasons += problems.map { "not all is known: \($0)" }
        return reasons
    }

    private var againstUnit: [String] {
        guard let unit = context.unit else { return ["no system unit runs it"] }
        guard unit.system else { return ["\(unit.name) is a user's unit"] }
        var reasons: [String] = []
        if unit.name.hasSuffix(".scope") { reasons.append("\(unit.name) is a session or a group made at run time") }
        if let reason = ProgramRoles.carriesUsers(unit.name) { reasons.append("\(unit.name): \(reason)") }
        switch (unit.file, unit.claim?.verdict) {
        case (nil, _): reasons.append("\(unit.name) has no unit file")
        case (_, .intact): break
        case (let file?, nil): reasons.append("no package owns unit file \(file)")
        case (let file?, let verdict?): reasons.append("unit file \(file) is not proved: \(verdict.rawValue)")
        }
        if !unit.dropIns.isEmpty {
            reasons.append("\(unit.name) is changed by \(unit.dropIns.joined(separator: ", "))")
        }
        return reasons
    }
}
