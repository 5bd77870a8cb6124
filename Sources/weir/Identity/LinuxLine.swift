// SPDX-License-Identifier: Apache-2.0

// A Linux program or process as a line of JSON, and as text for people.

#if os(Linux)
import CodeIdentity
import FlowModel
import Foundation

/// What `weir identity` says of a Linux program file or process.
struct LinuxLine: Encodable {
    struct Package: Encodable {
        let name: String
        let architecture: String?
        let version: String?
        let verdict: String

        init(_ claim: PackageClaim) {
            name = claim.package
            architecture = claim.architecture
            version = claim.version
            verdict = claim.verdict.rawValue
        }
    }

    struct Unit: Encodable {
        let name: String
        let system: Bool
        let file: String?
        let package: Package?
        let dropIns: [String]
    }

    struct Script: Encodable {
        let path: String
        let sha256: String?
        let package: Package?
    }

    let path: String
    let pid: Int32?
    let startTicks: UInt64?
    let user: UInt32?
    let executable: String
    let deleted: Bool
    let sha256: String?
    let package: Package?
    let rootOwned: Bool
    let role: String
    let script: Script?
    let cgroup: String?
    let unit: Unit?
    let confinement: String
    let `class`: String
    let reasons: [String]
    /// Whether `anchor os` is true of it, and what speaks against that.
    let anchorOS: Bool
    let anchorOSReasons: [String]
    let injectable: [String]
    let problems: [ProblemLine]

    init(_ identity: LinuxIdentity, path: String) {
        self.path = path
        pid = identity.process?.pid
        startTicks = identity.process?.startTicks
        user = identity.user
        executable = identity.executable.path
        deleted = identity.executable.deleted
        sha256 = identity.executable.sha256?.hexadecimal
        package = identity.executable.claim.map(Package.init)
        rootOwned = identity.executable.rootOwnedChain
        role = identity.executable.role.rawValue
        script = identity.script.map {
            Script(path: $0.path, sha256: $0.sha256?.hexadecimal, package: $0.claim.map(Package.init))
        }
        cgroup = identity.context.cgroup
        unit = identity.context.unit.map {
            Unit(
                name: $0.name, system: $0.system, file: $0.file, package: $0.claim.map(Package.init),
                dropIns: $0.dropIns)
        }
        confinement = Self.text(identity.context.confinement)
        let classification = identity.classification
        `class` = classification.codeClass.rawValue
        reasons = classification.reasons
        let anchor = OSAnchor.judge(identity)
        anchorOS = anchor.holds
        anchorOSReasons = anchor.reasons.map(\.description)
        injectable = identity.injection.map(\.rawValue)
        problems = identity.problems.map(ProblemLine.init)
    }

    /// The same for people.
    var text: String {
        var lines: [(String, String)] = []
        if let pid {
            lines.append(
                ("process", "\(pid), user \(user.map(String.init) ?? "?"), started at tick \(startTicks ?? 0)"))
        }
        lines.append(("executable", executable + (deleted ? " (deleted or replaced)" : "")))
        if let sha256 { lines.append(("sha256", sha256)) }
        lines.append(("package", package.map(Self.text) ?? "none"))
        lines.append(("root's alone", rootOwned ? "yes" : "no"))
        lines.append(("role", role))
        if let script {
            lines.append(
                ("script", "\(script.path), as the arguments say (\(script.package.map(Self.text) ?? "no package"))"))
        }
        if let unit {
            let changed = unit.dropIns.isEmpty ? "" : ", changed by \(unit.dropIns.joined(separator: ", "))"
            let owner = unit.package.map(Self.text) ?? "no package"
            lines.append(
                (
                    "unit",
                    "\(unit.name)\(unit.system ? "" : " of a user"), \(unit.file ?? "no file") (\(owner))\(changed)"
                ))
        }
        if let cgroup { lines.append(("cgroup", cgroup)) }
        if confinement != "none" { lines.append(("confined", confinement)) }
        lines.append(("class", self.`class`))
        lines += reasons.map { ("because", $0) }
        lines.append(("anchor os", anchorOS ? "true" : "false: " + anchorOSReasons.joined(separator: "; ")))
        lines.append(("injectable", injectable.isEmpty ? "no way seen" : injectable.joined(separator: ", ")))
        lines += problems.map { ("problem", "\($0.code): \($0.message)") }
        return IdentityText.block(path, lines)
    }

    private static func text(_ package: Package) -> String {
        "\(package.name) \(package.version ?? "") \(package.architecture ?? ""), \(package.verdict)"
    }

    private static func text(_ confinement: RunContext.Confinement) -> String {
        switch confinement {
        case .none: "none"
        case .container(let runtime, let id): "container \(runtime) \(id)"
        case .snap(let name): "snap \(name)"
        case .flatpak(let name): "flatpak \(name)"
        case .appImage(let name): "AppImage \(name)"
        case .otherMountNamespace: "another mount namespace"
        }
    }
}
#endif
