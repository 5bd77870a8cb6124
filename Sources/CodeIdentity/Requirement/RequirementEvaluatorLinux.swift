// SPDX-License-Identifier: Apache-2.0

// The atoms that are asked of Linux programs.
//
// An atom is true when it is proved, false when the facts say otherwise, and undecided when they are not known: a file has
// no user, a package transaction is under way, and in a container neither the host's paths nor its packages mean anything.

extension CompiledRequirement {
    /// What an atom says of a Linux program.
    func outcome(of node: Node, for identity: LinuxIdentity) -> Outcome {
        let outcome = fact(node, identity)
        // Facts of two images are facts of none.
        let isMixed = outcome != .error && identity.problems.contains { $0.code == .changed }
        return isMixed && node.operation != .always && node.operation != .never ? .undecided : outcome
    }

    private func fact(_ node: Node, _ identity: LinuxIdentity) -> Outcome {
        switch node.operation {
        case .never, .and, .or, .not: .false
        case .always: .true
        case .invalid: .error
        case .osAnchor: OSAnchor.outcome(identity)
        case .package: package(node, identity)
        case .unit: unit(node, identity)
        case .path: path(node, identity)
        case .digest: identity.executable.sha256.map { Outcome(same($0, node.operand)) } ?? .undecided
        case .interpreter: Outcome(identity.executable.role == .interpreter)
        case .user: identity.user.map { Outcome(Int($0) == node.number) } ?? .undecided
        case .identifier, .cdhash, .platform, .notarized, .legacyDeveloperID, .appleAnchor, .appleGenericAnchor,
            .anchorTrusted, .certificateTrusted, .certificateHash, .certificateField, .certificateExtension,
            .certificatePolicy, .certificateTimestamp, .info, .entitlement:
            .undecided
        }
    }

    /// `package "NAME"` or `package "NAME:ARCH"`: the executable is the package's own file, still in place.
    private func package(_ node: Node, _ identity: LinuxIdentity) -> Outcome {
        if identity.context.confinement != .none { return .undecided }
        guard let claim = identity.executable.claim, names(claim, node), !identity.executable.deleted else {
            return .false
        }
        return outcome(of: claim.verdict)
    }

    private func names(_ claim: PackageClaim, _ node: Node) -> Bool {
        var wanted = slice(node.operand)
        guard wanted.starts(with: claim.package.utf8) else { return false }
        wanted = wanted.dropFirst(claim.package.utf8.count)
        guard wanted.first == 0x3A, let architecture = claim.architecture else { return wanted.isEmpty }
        return wanted.dropFirst().elementsEqual(architecture.utf8)
    }

    /// `unit "NAME"`: the system manager runs it by a unit file that is the package's own, without drop-ins.
    private func unit(_ node: Node, _ identity: LinuxIdentity) -> Outcome {
        // A container's processes may lie below the unit of its runtime.
        if identity.context.confinement != .none { return .undecided }
        guard let unit = identity.context.unit, unit.name.utf8.elementsEqual(slice(node.operand)), unit.system,
            unit.dropIns.isEmpty, unit.file != nil, let claim = unit.claim
        else { return .false }
        return outcome(of: claim.verdict)
    }

    /// `path "…"`: where the executable lies, if root alone can have put it there.
    private func path(_ node: Node, _ identity: LinuxIdentity) -> Outcome {
        if identity.context.confinement != .none { return .undecided }
        let executable = identity.executable
        return Outcome(
            matches(text: executable.path.utf8, node) && executable.rootOwnedChain && !executable.deleted)
    }

    private func outcome(of verdict: PackageVerdict) -> Outcome {
        switch verdict {
        case .intact: .true
        case .modified, .noDigest: .false
        case .inTransaction, .unreadable: .undecided
        }
    }
}
