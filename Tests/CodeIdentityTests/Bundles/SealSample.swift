// SPDX-License-Identifier: Apache-2.0

// A small application with its seal, made for the tests and then spoilt by them.

import Crypto

@testable import CodeIdentity

/// `A.app`: resources, a localisation, links, nested code as bundle and as file, and a seal of version 2 that fits.
struct SealSample {
    var tree = MemoryTree()
    var rules: [String: PropertyListValue] = Self.rules
    var files: [String: PropertyListValue] = [:]
    var version = 2

    static let codePlaces =
        "^(Frameworks|SharedFrameworks|PlugIns|Plug-ins|XPCServices|Helpers|MacOS|"
        + "Library/(Automator|Spotlight|LoginItems))/"

    /// The rules that Apple's tools write.
    static let rules: [String: PropertyListValue] = {
        func rule(_ weight: Double, _ flag: String? = nil) -> PropertyListValue {
            var rule: [String: PropertyListValue] = ["weight": .real(weight)]
            if let flag { rule[flag] = .boolean(true) }
            return .dictionary(rule)
        }
        return [
            "^.*": .boolean(true), "^[^/]+$": rule(10, "nested"), ".*\\.dSYM($|/)": rule(11),
            codePlaces: rule(10, "nested"),
            "^(.*/)?\\.DS_Store$": rule(2000, "omit"), "^Info\\.plist$": rule(20, "omit"),
            "^version\\.plist$": rule(20),
            "^embedded\\.provisionprofile$": rule(20), "^PkgInfo$": rule(20, "omit"), "^Resources/": rule(20),
            "^Resources/.*\\.lproj/": rule(1000, "optional"), "^Resources/Base\\.lproj/": rule(1010),
            "^Resources/.*\\.lproj/locversion.plist$": rule(1100, "omit"),
        ]
    }()

    static let requirement = "identifier \"helper\" and anchor apple generic"

    init() {
        tree["A.app/Contents/Info.plist"] = String(decoding: Self.info("main", identifier: "test.a"), as: UTF8.self)
        tree["A.app/Contents/PkgInfo"] = "APPL????"
        tree["A.app/Contents/MacOS/main"] = "code"
        for (path, text) in [
            ("Resources/data.txt", "data"), ("Resources/de.lproj/text.strings", "Text"), ("version.plist", "1"),
            ("Resources/deep/er/file", "x"), ("Resources/empty", ""),
        ] {
            tree["A.app/Contents/" + path] = text
            files[path] = Self.seal(text)
        }
        files["Resources/de.lproj/text.strings"] = Self.seal("Text", optional: true)
        files["Resources/fr.lproj/text.strings"] = Self.seal("Texte", optional: true)
        link("Resources/link", "data.txt")
        link("Resources/deep/up", "../../version.plist")
        link("Resources/folder", "deep")
        tree["A.app/Contents/Resources/de.lproj/locversion.plist"] = "not sealed"
        tree["A.app/Contents/Resources/.DS_Store"] = "not sealed"
        tree["A.app/Contents/CodeResources"] = "a ticket"
        // Nested code; what is in the bundle is its own affair.
        tree["A.app/Contents/Frameworks/F.framework/Versions/A/F"] = "code"
        files["Frameworks/F.framework"] = Self.code
        tree["A.app/Contents/MacOS/helper"] = "code"
        files["MacOS/helper"] = Self.code
    }

    static let code = PropertyListValue.dictionary([
        "cdhash": .data([UInt8](repeating: 7, count: 20)), "requirement": .string(requirement),
    ])

    static func seal(_ text: String, optional: Bool = false) -> PropertyListValue {
        var seal: [String: PropertyListValue] = [
            "hash": .data(Array(Insecure.SHA1.hash(data: Array(text.utf8)))),
            "hash2": .data(Array(SHA256.hash(data: Array(text.utf8)))),
        ]
        if optional { seal["optional"] = .boolean(true) }
        return .dictionary(seal)
    }

    static func info(_ executable: String, identifier: String) -> [UInt8] {
        PropertyListWriter.document(
            PropertyListWriter.xml(
                .dictionary(["CFBundleExecutable": .string(executable), "CFBundleIdentifier": .string(identifier)])))
    }

    mutating func link(_ path: String, _ target: String) {
        tree.nodes["A.app/Contents/" + path] = .symbolicLink(target)
        files[path] = .dictionary(["symlink": .string(target)])
    }

    /// The seal as it stands in the bundle.
    var sealBytes: [UInt8] {
        let suffix = version == 2 ? "2" : ""
        return PropertyListWriter.document(
            PropertyListWriter.xml(
                .dictionary(["files" + suffix: .dictionary(files), "rules" + suffix: .dictionary(rules)])))
    }

    /// Puts the seal into the bundle, and compares.
    func check() throws -> SealReport {
        var tree = tree
        tree.nodes["A.app/Contents/_CodeSignature/CodeResources"] = .file(sealBytes)
        let bundle = try CodeBundle("A.app", in: tree)
        return try ResourceSeal(bundle.sealBytes ?? []).check(bundle, in: tree)
    }
}
