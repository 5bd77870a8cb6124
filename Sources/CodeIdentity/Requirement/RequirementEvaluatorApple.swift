// SPDX-License-Identifier: Apache-2.0

// The atoms that are asked of signed code.

extension CodeSubject {
    /// The place in `certificates` of a slot: 0 the leaf, 1 its issuer, −1 the root, −2 below it.
    ///
    /// Nil out of range in either direction.
    func place(_ slot: Int) -> Int? {
        let place = slot < 0 ? certificates.count + slot : slot
        return certificates.indices.contains(place) ? place : nil
    }

    /// Whether the chain ends at one of Apple's roots.
    var isAppleAnchored: Bool {
        guard let root = place(-1) else { return false }
        return appleRoots.contains(certificates[root].sha256)
    }

    /// `anchor apple`: the running system's trust cache, else the certificates of Apple's own software.
    ///
    /// Nobody asked counts as no. Certificates that an administrator added to the firmware are not known here.
    func isAppleSigned(_ rule: AppleAnchorRule) -> Bool {
        if inTrustCache == .yes { return true }
        guard isAppleAnchored, let intermediate = place(-2),
            certificates[intermediate].subjectValue(ObjectIdentifiers.commonName)
                .map({ $0.elementsEqual("Apple Code Signing Certification Authority".utf8) }) == true,
            certificates[intermediate].subjectValue(ObjectIdentifiers.organization)
                .map({ $0.elementsEqual("Apple Inc.".utf8) }) == true
        else { return false }
        return rule == .beforeLeafMarker
            || certificates[0].extensions.contains { $0.identifier == AppleMarkers.macOSSoftwareSigning }
    }
}

extension CertificateFacts {
    /// The last attribute of a type, as requirements read a subject name.
    func subjectValue(_ type: [UInt8]) -> [UInt8]? { subject.last { $0.type == type }?.value }
}

extension CompiledRequirement {
    /// What an atom says of signed code.
    func outcome(of node: Node, for code: CodeSubject, _ rules: EvaluationRules) -> Outcome {
        switch node.operation {
        case .never, .and, .or, .not: return .false
        case .always: return .true
        case .invalid: return .error
        case .identifier: return Outcome(same(code.identifier, node.operand))
        case .cdhash: return Outcome(code.cdhash.map { same($0.bytes, node.operand) } ?? false)
        case .platform: return Outcome(Int(code.platform) == node.number)
        case .appleAnchor: return Outcome(code.isAppleSigned(rules.appleAnchor))
        case .appleGenericAnchor: return Outcome(code.isAppleAnchored)
        case .certificateHash:
            return Outcome(code.place(node.number).map { same(code.certificates[$0].sha1, node.operand) } ?? false)
        case .certificateField, .certificateExtension, .certificatePolicy, .certificateTimestamp:
            return certificate(node, code)
        case .info: return entry(node, of: code.info)
        case .entitlement: return entry(node, of: code.entitlements)
        case .notarized: return answer(code.notarized)
        case .legacyDeveloperID: return legacy(code, rules)
        case .certificateTrusted: return trusted(code, slot: node.number, rules)
        case .anchorTrusted: return anyTrusted(code, rules)
        case .osAnchor, .package, .unit, .path, .digest, .interpreter, .user: return .undecided
        }
    }

    /// What is asked of one certificate; a certificate that is not there is false, even for `absent`.
    ///
    /// Only for a timestamp a missing certificate is the same as a missing extension, of which `absent` is true.
    private func certificate(_ node: Node, _ code: CodeSubject) -> Outcome {
        guard let place = code.place(node.number) else {
            return Outcome(node.operation == .certificateTimestamp && node.match == .absent)
        }
        switch node.operation {
        case .certificateField:
            // An attribute that is not there, or is not known, is false even for `absent`.
            guard node.key.count > 0,
                let attribute = code.certificates[place].subject.last(where: { same($0.type, node.key) })
            else { return .false }
            return Outcome(matches(text: attribute.value, node))
        case .certificateExtension:
            return Outcome(
                matches(present: code.certificates[place].extensions.contains { same($0.identifier, node.key) }, node))
        case .certificatePolicy:
            return Outcome(matches(present: code.certificates[place].policies.contains { same($0, node.key) }, node))
        default:
            guard
                let found = code.certificates[place].extensions.first(where: { same($0.identifier, node.key) }),
                let moment = RequirementTimestamp.seconds(inExtension: found.value)
            else { return Outcome(node.match == .absent) }
            return Outcome(matches(date: Double(moment), node))
        }
    }

    /// What is asked of the top level of a property list.
    private func entry(_ node: Node, of dictionary: [String: PropertyListValue]) -> Outcome {
        let key = keys[node.number]
        // Swift's strings are equal when they are canonically equivalent, CFString's only when they are the same.
        guard let place = dictionary.index(forKey: key), dictionary[place].key.utf8.elementsEqual(key.utf8) else {
            return Outcome(node.match == .absent)
        }
        return matches(dictionary[place].value, node)
    }

    private func answer(_ answer: SystemAnswer) -> Outcome {
        switch answer {
        case .yes: .true
        case .no: .false
        case .unknown: .error
        }
    }

    /// Developer ID code from before notarisation (Apple's `legacydevid.cpp`).
    ///
    /// An account of 2019-04-08 or later, or a date that cannot be read, is false. Else a secure timestamp before
    /// 2019-06-01 is true, and Apple's list has the last word.
    private func legacy(_ code: CodeSubject, _ rules: EvaluationRules) -> Outcome {
        guard let leaf = code.certificates.first else { return .false }
        if let account = leaf.extension(AppleMarkers.developerIDDate) {
            guard let made = RequirementTimestamp.seconds(inExtension: account.value), made < 576_374_400 else {
                return .false
            }
        }
        if let signed = code.secureTimestamp, signed < 581_040_000 + CivilTime.appleEpoch { return .true }
        return answer(rules.authority?.isOnLegacyList(code) ?? .unknown)
    }

    private func trusted(_ code: CodeSubject, slot: Int, _ rules: EvaluationRules) -> Outcome {
        guard let authority = rules.authority else { return .error }
        guard let place = code.place(slot) else { return .false }
        switch authority.trust(in: code.certificates[place], isAnchor: place == code.certificates.count - 1) {
        case .trusted: return .true
        case .denied, .unspecified: return .false
        case .unknown: return .error
        }
    }

    /// Any certificate from the leaf up to the first that is denied.
    private func anyTrusted(_ code: CodeSubject, _ rules: EvaluationRules) -> Outcome {
        guard let authority = rules.authority else { return .error }
        for (place, certificate) in code.certificates.enumerated() {
            switch authority.trust(in: certificate, isAnchor: place == code.certificates.count - 1) {
            case .trusted: return .true
            case .denied: return .false
            case .unspecified: continue
            case .unknown: return .error
            }
        }
        return .false
    }
}
