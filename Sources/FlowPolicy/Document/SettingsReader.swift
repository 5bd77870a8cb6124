// SPDX-License-Identifier: Apache-2.0

// Reads what a policy says once for all rules.

internal import FlowModel

/// Reads `capture`, `vendor`, `dns`, `deferred`, `privacy` and `require-bundle`.
struct SettingsReader {
    static let captureKeys = ["exclude", "inspect-never"]
    static let vendorKeys = ["teams", "packages"]
    static let dnsKeys = ["others"]
    static let deferredKeys = ["within", "then"]
    static let privacyKeys = ["users", "retain"]
    static let bundleKeys = ["key"]
    /// The catalogues whose rows of tier `default` may be left alone too.
    static let excludable = ["core-protocols", "apple-core-ports"]

    let catalogues: Catalogues

    func read(_ fields: NodeReading.Fields, _ reading: inout NodeReading) -> PolicySettings {
        var settings = PolicySettings()
        capture(fields["capture"], &settings, &reading)
        vendor(fields["vendor"], &settings, &reading)
        if let value = fields["dns"], let dns = reading.fields(value, "`dns`", known: Self.dnsKeys),
            let others = dns["others"],
            let choice = reading.choice(others, "`others`", of: PolicySettings.DNS.allCases)
        {
            settings.dns = choice
        }
        if let value = fields["deferred"],
            let deferred = reading.fields(value, "`deferred`", known: Self.deferredKeys)
        {
            settings.deadline.milliseconds = deferred["within"].flatMap {
                reading.number($0, "`within`", units: [("ms", 1), ("s", 1_000)], in: 1...60_000)
            }
            if let value = deferred["then"],
                let outcome = reading.choice(value, "`then`", of: PolicySettings.Deadline.Outcome.allCases)
            {
                settings.deadline.outcome = outcome
            }
        }
        if let value = fields["privacy"], let privacy = reading.fields(value, "`privacy`", known: Self.privacyKeys) {
            if let value = privacy["users"],
                let users = reading.choice(value, "`users`", of: PolicySettings.Privacy.Users.allCases)
            {
                settings.privacy.users = users
            }
            settings.privacy.retainDays = privacy["retain"].flatMap {
                reading.number($0, "`retain`", units: [("d", 1)], in: 1...366)
            }
        }
        if let value = fields["require-bundle"],
            let bundle = reading.fields(value, "`require-bundle`", known: Self.bundleKeys)
        {
            settings.bundleDemand = demand(bundle, &reading)
        }
        return settings
    }

    private func capture(_ node: DocumentNode?, _ settings: inout PolicySettings, _ reading: inout NodeReading) {
        guard let node, let fields = reading.fields(node, "`capture`", known: Self.captureKeys) else { return }
        if let value = fields["exclude"] {
            settings.excludedCatalogues = reading.list(value, "`exclude`").compactMap {
                reading.word($0, "`exclude`", of: Self.excludable)
            }
        }
        guard let value = fields["inspect-never"] else { return }
        let rows = catalogues.neverRows
        for item in reading.list(value, "`inspect-never`") {
            guard let row = reading.text(item, "`inspect-never`") else { continue }
            if rows.contains(row) {
                settings.inspectedNeverRows.append(row)
            } else {
                let hint = reading.hint(row, among: rows.sorted())
                reading.note(
                    .unknownName, item,
                    "no row of the never set is called `\(Quoted.short(row))`.\(hint) "
                        + "`weir policy catalogue never` lists them.")
            }
        }
    }

    private func vendor(_ node: DocumentNode?, _ settings: inout PolicySettings, _ reading: inout NodeReading) {
        guard let node, let fields = reading.fields(node, "`vendor`", known: Self.vendorKeys) else { return }
        for item in fields["teams"].map({ reading.list($0, "`teams`") }) ?? [] {
            guard let team = reading.text(item, "`teams`") else { continue }
            let isTeam = team.utf8.count == 10 && team.utf8.allSatisfy { isDigit($0) || (0x41...0x5a).contains($0) }
            if isTeam {
                settings.vendorTeams.append(team)
            } else {
                reading.note(
                    .badValue, item,
                    "`\(Quoted.short(team))` is no team: write its ten capital letters and digits, as in AB12CD34EF")
            }
        }
        for item in fields["packages"].map({ reading.list($0, "`packages`") }) ?? [] {
            guard let package = reading.line(item, "`packages`", PolicyLimits.nameCharacters) else { continue }
            let isPackage = package.utf8.allSatisfy {
                isDigit($0) || (0x61...0x7a).contains($0 | 0x20) || "+-._".utf8.contains($0)
            }
            if isPackage {
                settings.vendorPackages.append(package)
            } else {
                reading.note(
                    .badValue, item, "`\(Quoted.short(package))` is no package: write its name, as in acme-agent")
            }
        }
    }

    private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private func demand(
        _ fields: NodeReading.Fields, _ reading: inout NodeReading
    ) -> PolicySettings.BundleDemand? {
        guard let node = fields["key"] else {
            reading.note(.missingKey, fields.node, "`require-bundle` needs `key`: the key that bundles are signed with")
            return nil
        }
        guard let text = reading.text(node, "`key`") else { return nil }
        if let key = Self.base64(text), key.count == 32 { return .init(key: key) }
        reading.note(.badValue, node, "`key` is no Ed25519 public key: write its 32 bytes in Base64, 44 characters")
        return nil
    }

    /// Reads Base64 with padding (RFC 4648 section 4) in its one canonical form; nil for anything else.
    static func base64(_ text: String) -> [UInt8]? {
        let digits = text.utf8.prefix { $0 != UInt8(ascii: "=") }
        let padding = text.utf8.count - digits.count
        guard text.utf8.count % 4 == 0, padding <= 2, text.utf8.suffix(padding).allSatisfy({ $0 == UInt8(ascii: "=") })
        else { return nil }
        var bytes: [UInt8] = []
        var (bits, count) = (0 as UInt32, 0)
        for digit in digits {
            let value: UInt8
            switch digit {
            case 0x41...0x5a: value = digit - 0x41
            case 0x61...0x7a: value = digit - 0x61 + 26
            case 0x30...0x39: value = digit - 0x30 + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            default: return nil
            }
            (bits, count) = (bits << 6 | UInt32(value), count + 6)
            guard count >= 8 else { continue }
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            bits &= 1 << UInt32(count) - 1
        }
        return bits == 0 && count == padding * 2 ? bytes : nil
    }
}

extension Catalogues {
    /// The rows of the never set by their identifiers, and by their names in full.
    fileprivate var neverRows: Set<String> {
        Set(
            protocols.filter { $0.tier == .never }.flatMap { [$0.id, $0.row] }
                + programs.filter { $0.tier == .never }.flatMap { [$0.id, $0.row] })
    }
}
