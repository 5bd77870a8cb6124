// SPDX-License-Identifier: Apache-2.0

// What an interpreter's arguments say it runs.

/// What the arguments of an interpreter name.
enum ScriptArgument: Hashable {
    /// A file, as written: it may be relative.
    case file(String)
    /// A module or class, found along a search path.
    case module(String)
    /// The program itself stands among the arguments.
    case inline
    /// Nothing: it reads its input.
    case input
}

/// Which options of an interpreter come before its script, and what they take.
///
/// Short options are read as clusters (`-Ic`), long ones with `=VALUE` or, when listed, with the next argument.
struct ScriptGrammar: Sendable {
    enum Positional: Sendable { case file, inline, javaClass }

    /// Short options that take the program's text.
    var inline = ""
    /// Short options that take a module.
    var module = ""
    /// Short options that take the script.
    var file = ""
    /// Short options that take a value: the rest of the cluster or, when that is empty, the next argument.
    var value = ""
    /// Short options whose value is the rest of the cluster, which may be empty.
    var attached = ""
    /// Options of several letters, with their dashes; they are looked at before clusters.
    var inlineWords: Set<String> = []
    var moduleWords: Set<String> = []
    var fileWords: Set<String> = []
    var valueWords: Set<String> = []
    /// What the first argument that is no option is.
    var positional = Positional.file
    /// Whether `-abc` is one option, as Java reads it.
    var wordsOnly = false
    /// Whether the name it was called by says what it is.
    var multicall = false

    static let python = Self(
        inline: "c", module: "m", value: "WXQ", valueWords: ["--check-hash-based-pycs"])
    static let perl = Self(inline: "eE", value: "I", attached: "CDFMVdimx")
    static let ruby = Self(
        inline: "e", value: "ICErX", attached: "FKTWix", valueWords: ["--encoding", "--external-encoding"])
    static let node = Self(
        inlineWords: ["-e", "--eval", "-p", "--print", "-pe"],
        valueWords: [
            "-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions", "--env-file",
        ],
        wordsOnly: true)
    static let php = Self(
        inline: "rBRE", file: "fF", value: "cdgtSz", inlineWords: ["--run"], fileWords: ["--file"],
        valueWords: ["--php-ini", "--define", "--docroot", "--server"])
    static let lua = Self(inline: "e", value: "l")
    static let shell = Self(
        inline: "c", value: "oO", inlineWords: ["--command"],
        valueWords: ["--rcfile", "--init-file", "--init-command", "--emulate"])
    static let awk = Self(
        file: "fE", value: "vFil", inlineWords: ["-e", "--source"], fileWords: ["--file", "--exec"],
        valueWords: ["--assign", "--field-separator", "--include", "--load"], positional: .inline)
    static let java = Self(
        moduleWords: ["-m", "--module"], fileWords: ["-jar"],
        valueWords: [
            "-cp", "-classpath", "--class-path", "-p", "--module-path", "--upgrade-module-path", "--add-modules",
            "--add-reads", "--add-exports", "--add-opens", "--limit-modules", "--patch-module", "--source",
        ], positional: .javaClass, wordsOnly: true)
    static let loader = Self(
        valueWords: [
            "--library-path", "--inhibit-rpath", "--audit", "--preload", "--argv0", "--glibc-hwcaps-prepend",
            "--glibc-hwcaps-mask",
        ], wordsOnly: true)
    static let plain = Self(wordsOnly: true)
    static let multicall = Self(multicall: true)

    /// What these arguments, the program's own name first, say is run.
    func argument(in arguments: [String]) -> ScriptArgument {
        if multicall { return Self.applet(arguments) }
        var rest = arguments.dropFirst()
        while let argument = rest.popFirst() {
            if argument == "-" { return .input }
            if argument == "--" { return rest.first.map(positionally) ?? .input }
            // `+o` is a shell's.
            guard argument.hasPrefix("-") || (argument.hasPrefix("+") && value.contains("o")) else {
                return positionally(argument)
            }
            if let found = option(argument, &rest) { return found }
        }
        return .input
    }

    private func positionally(_ argument: String) -> ScriptArgument {
        switch positional {
        case .file: .file(argument)
        case .inline: .inline
        case .javaClass: argument.hasSuffix(".java") ? .file(argument) : .module(argument)
        }
    }

    private func option(_ argument: String, _ rest: inout ArraySlice<String>) -> ScriptArgument? {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let word = parts.first ?? argument
        let attachedValue = parts.count == 2 ? parts[1] : nil
        if inlineWords.contains(word) { return .inline }
        if moduleWords.contains(word) { return (attachedValue ?? rest.first).map { .module($0) } ?? .input }
        if fileWords.contains(word) { return (attachedValue ?? rest.first).map { .file($0) } ?? .input }
        if valueWords.contains(word) {
            if attachedValue == nil { _ = rest.popFirst() }
            return nil
        }
        return wordsOnly || argument.hasPrefix("--") ? nil : cluster(argument.dropFirst(), &rest)
    }

    private func cluster(_ letters: Substring, _ rest: inout ArraySlice<String>) -> ScriptArgument? {
        var letters = letters
        while let letter = letters.popFirst() {
            let operand = letters.isEmpty ? rest.first : String(letters)
            if inline.contains(letter) { return .inline }
            if module.contains(letter) { return operand.map { .module($0) } ?? .input }
            if file.contains(letter) { return operand.map { .file($0) } ?? .input }
            if attached.contains(letter) { return nil }
            if value.contains(letter) {
                if letters.isEmpty { _ = rest.popFirst() }
                return nil
            }
        }
        return nil
    }

    /// `busybox sh SCRIPT`, or `sh SCRIPT` with busybox behind it.
    private static func applet(_ arguments: [String]) -> ScriptArgument {
        var rest = arguments[...]
        guard let called = rest.first.map(AbsolutePath.lastComponent) else { return .input }
        if called.hasPrefix("busybox") || called.hasPrefix("toybox") { rest = rest.dropFirst() }
        switch rest.first.map(AbsolutePath.lastComponent) {
        case "sh", "-sh", "ash", "-ash", "hush", "lash", "msh": return shell.argument(in: Array(rest))
        case "awk": return awk.argument(in: Array(rest))
        default: return .input
        }
    }
}
