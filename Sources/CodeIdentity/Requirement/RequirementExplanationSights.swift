// SPDX-License-Identifier: Apache-2.0

// What an atom saw when it was asked.

import FlowModel

private typealias Text = ExplanationText

extension CompiledRequirement {
    /// What signed code showed to an atom.
    func sight(of node: Node, for code: CodeSubject) -> String {
        switch node.operation {
        case .and, .or, .not, .never, .always, .invalid: return "nothing is looked at"
        case .identifier: return "identifier is \(Text.quoted(code.identifier))"
        case .cdhash: return code.cdhash.map { "cdhash is H\"\($0)\"" } ?? "no cdhash"
        case .platform: return "platform is \(code.platform)"
        case .appleAnchor:
            return "trust cache: \(code.inTrustCache.rawValue); \(root(code))" + softwareChain(code)
        case .appleGenericAnchor: return root(code)
        case .certificateHash:
            return code.place(node.number).map {
                "\(Text.slot(node.number)) has SHA-1 \(Text.hash(code.certificates[$0].sha1))"
            } ?? missing(node, code)
        case .certificateField, .certificateExtension, .certificatePolicy, .certificateTimestamp:
            return code.place(node.number).map { certificate(node, code.certificates[$0]) } ?? missing(node, code)
        case .info: return entry(node, "info", code.info)
        case .entitlement: return entry(node, "entitlement", code.entitlements)
        case .notarized: return "notarised: \(code.notarized.rawValue)"
        case .legacyDeveloperID:
            let signed = code.secureTimestamp.map { $0.subtractingReportingOverflow(CivilTime.appleEpoch) }
            return
                "secure timestamp is \(signed.map { $0.overflow ? "absurd" : ExplanationText.time($0.partialValue) } ?? "missing")"
        case .certificateTrusted:
            return code.place(node.number).map { "trust settings of \(Text.quoted(name(code.certificates[$0])))" }
                ?? missing(node, code)
        case .anchorTrusted: return "trust settings of \(code.certificates.count) certificates"
        case .osAnchor, .package, .unit, .path, .digest, .interpreter, .user: return "asked of a Mac program"
        }
    }

    /// What a Linux program showed to an atom.
    func sight(of node: Node, for identity: LinuxIdentity) -> String {
        let executable = identity.executable
        let confined = identity.context.confinement == .none ? "" : "; in a container or another mount namespace"
        switch node.operation {
        case .and, .or, .not, .never, .always, .invalid: return "nothing is looked at"
        case .osAnchor:
            let reasons = OSAnchor.judge(identity).reasons
            return reasons.isEmpty ? "every condition is met" : reasons.map(\.description).joined(separator: "; ")
        case .package:
            guard let claim = executable.claim else { return "no package owns it" + confined }
            let architecture = claim.architecture.map { ":\($0)" } ?? ""
            return "package is \(Text.quoted((claim.package + architecture).utf8)), \(claim.verdict.rawValue)"
                + (executable.deleted ? "; its file is deleted or replaced" : "") + confined
        case .unit: return unit(identity.context) + confined
        case .path:
            return "path is \(Text.quoted(executable.path.utf8))"
                + (executable.rootOwnedChain ? "" : "; it is not root's alone")
                + (executable.deleted ? "; its file is deleted or replaced" : "") + confined
        case .digest: return executable.sha256.map { "digest is \(Text.hash($0))" } ?? "it was not hashed"
        case .interpreter: return "its role is \(executable.role.rawValue)"
        case .user: return identity.user.map { "user is \($0)" } ?? "a file has no user"
        default: return "asked of a Linux program"
        }
    }

    private func unit(_ context: RunContext) -> String {
        guard let unit = context.unit else { return "no unit" }
        var text = "unit is \(Text.quoted(unit.name.utf8))"
        if !unit.system { text += "; a user's manager runs it" }
        if unit.file == nil { text += "; it has no unit file" }
        text += "; its file is \(unit.claim.map { "packaged, \($0.verdict.rawValue)" } ?? "of no package")"
        return unit.dropIns.isEmpty ? text : text + "; \(unit.dropIns.count) drop-ins"
    }

    private func root(_ code: CodeSubject) -> String {
        guard let place = code.place(-1) else { return "no certificates" }
        let root = code.certificates[place]
        return "root \(Text.quoted(name(root))) is \(code.isAppleAnchored ? "" : "not ")one of Apple's"
    }

    private func softwareChain(_ code: CodeSubject) -> String {
        guard let intermediate = code.place(-2) else { return "" }
        let marked = code.certificates[0].extension(AppleMarkers.macOSSoftwareSigning) != nil
        return "; issuer \(Text.quoted(name(code.certificates[intermediate])))"
            + "; leaf \(marked ? "has" : "lacks") the marker of macOS software"
    }

    private func name(_ certificate: CertificateFacts) -> [UInt8] {
        certificate.subjectValue(ObjectIdentifiers.commonName) ?? []
    }

    private func missing(_ node: Node, _ code: CodeSubject) -> String {
        "no certificate at slot \(Text.slot(node.number)), the chain has \(code.certificates.count)"
    }

    private func certificate(_ node: Node, _ certificate: CertificateFacts) -> String {
        let slot = Text.slot(node.number)
        switch node.operation {
        case .certificateField:
            guard let field = SubjectField.objectIdentifiers.first(where: { same($0.oid, node.key) }) else {
                return "nothing: no attribute has this name"
            }
            return certificate.subjectValue(field.oid).map { "\(slot) subject.\(field.name) is \(Text.quoted($0))" }
                ?? "\(slot) has no subject.\(field.name)"
        case .certificatePolicy:
            return "\(slot) \(certificate.policies.contains { same($0, node.key) } ? "has" : "lacks") the policy"
        case .certificateTimestamp:
            guard let found = certificate.extensions.first(where: { same($0.identifier, node.key) }) else {
                return "\(slot) lacks the extension"
            }
            return RequirementTimestamp.seconds(inExtension: found.value).map {
                "\(slot) has \(ExplanationText.time($0))"
            }
                ?? "\(slot) has the extension, but no time in it"
        default:
            let found = certificate.extensions.contains { same($0.identifier, node.key) }
            return "\(slot) \(found ? "has" : "lacks") the extension"
        }
    }

    private func entry(_ node: Node, _ name: String, _ dictionary: [String: PropertyListValue]) -> String {
        let key = keys[node.number]
        guard let place = dictionary.index(forKey: key), dictionary[place].key.utf8.elementsEqual(key.utf8) else {
            return "no such key among \(dictionary.count)"
        }
        return "\(name) is \(describe(dictionary[place].value))"
    }

    private func describe(_ value: PropertyListValue) -> String {
        switch value {
        case .string(let text): Text.quoted(text.utf8)
        case .integer(let number): "the number \(number)"
        case .real(let number): "the number \(number)"
        case .boolean(let value): value ? "true" : "false"
        case .date(let seconds): Int64(exactly: seconds.rounded()).map(ExplanationText.time) ?? "a date"
        case .data(let bytes): "data of \(bytes.count) bytes"
        case .dictionary(let entries): "a dictionary of \(entries.count)"
        case .array(let elements): array(elements)
        }
    }

    /// The first texts of an array, within the bound of one text.
    private func array(_ elements: [PropertyListValue]) -> String {
        var shown: [String] = []
        var room = CodeIdentityLimits.explanationText.value
        for element in elements {
            guard case .string(let text) = element, text.utf8.count < room else { break }
            room -= text.utf8.count + 4
            shown.append(Text.quoted(text.utf8))
        }
        return "an array of \(elements.count)" + (shown.isEmpty ? "" : ": " + shown.joined(separator: ", "))
            + (shown.count < elements.count && !shown.isEmpty ? ", …" : "")
    }
}
