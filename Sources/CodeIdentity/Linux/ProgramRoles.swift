// SPDX-License-Identifier: Apache-2.0

// Whether a program's own identity says what runs in it.

/// What is known of a program by its name and package.
public struct KnownProgram: Sendable {
    public var role: ProgramRole
    /// Why the role makes the program no code of the operating system, whoever shipped it.
    public var reason: String
    /// How the arguments name the script; nil where they do not.
    var grammar: ScriptGrammar?
}

/// Roles by file name and package.
///
/// A copy under another name is nothing here, but no package owns it either. Names with a version (`python3.11`) and a
/// Debian alternative (`nc.openbsd`) count as the plain one.
public enum ProgramRoles {
    /// What a program is known for; nil for an ordinary one.
    public static func known(path: String, package: String?) -> KnownProgram? {
        let name = AbsolutePath.lastComponent(of: path)
        if isLoader(name) {
            return KnownProgram(
                role: .loader, reason: "it is the dynamic loader, which runs the program its arguments name",
                grammar: .loader)
        }
        if let known = ProgramRoleTable.byName[name] ?? ProgramRoleTable.byName[stem(of: name)] { return known }
        return package.flatMap { ProgramRoleTable.byPackage[$0] ?? ProgramRoleTable.byPackage[stem(of: $0)] }
    }

    /// `ld-linux-x86-64.so.2`, `ld-2.31.so`, `ld-musl-x86_64.so.1`, `ld.so`, `ld64.so.2`.
    private static func isLoader(_ name: String) -> Bool {
        guard name.hasPrefix("ld-") || name.hasPrefix("ld.so") || name.hasPrefix("ld64.so") else { return false }
        return name.hasSuffix(".so") || name.contains(".so.")
    }

    /// A name without its version and the name of its variant: `python3.11` is `python`, `mawk` stays, `nc.openbsd` is
    /// `nc`.
    private static func stem(of name: String) -> String {
        let plain = name.prefix { $0 != "." }
        let end = plain.lastIndex { !($0.isASCII && ($0.isNumber || $0 == "-")) }
        return end.map { String(plain[...$0]) } ?? name
    }

    /// Why what a unit runs may be a user's wish; nil for any other unit.
    ///
    /// Such a unit is packaged and intact, and what it starts is not its own: a crontab line stays in `cron.service`.
    static func carriesUsers(_ unit: String) -> String? {
        guard let name = UnitName(unit) else { return nil }
        return ProgramRoleTable.carryingUnits[name.prefix]
    }
}
