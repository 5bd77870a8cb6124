// SPDX-License-Identifier: Apache-2.0

// A bundle against its seal: what agrees, and every way in which it may not.

import FlowModel
import Testing

@testable import CodeIdentity

@Suite("SealCheck") struct SealCheckTests {
    /// The problems of the sample after a change, as code and path below `Contents`.
    private func problems(_ change: (inout SealSample) -> Void) throws -> [String] {
        var sample = SealSample()
        change(&sample)
        return try sample.check().problems.map { problem in
            "\(problem.code.rawValue) \(problem.detail.prefix { $0 != ":" })"
                .replacing("A.app/Contents/", with: "")
        }
    }

    @Test("What was sealed agrees, and nested code is reported for the caller to judge")
    func intact() throws {
        let report = try SealSample().check()
        #expect(report.problems == [])
        #expect(report.files == 5 && report.bytes == 10)
        let cdhash = CDHash([UInt8](repeating: 7, count: 20))
        #expect(
            report.nestedCode
                == ["Frameworks/F.framework", "MacOS/helper"].map {
                    NestedCode(path: "A.app/Contents/" + $0, cdhash: cdhash, requirement: SealSample.requirement)
                })
    }

    @Test("Another byte, another length or another type is an alteration")
    func altered() throws {
        let path = "A.app/Contents/Resources/data.txt"
        #expect(try problems { $0.tree[path] = "Data" } == ["seal-altered Resources/data.txt"])
        #expect(try problems { $0.tree[path] = "data " } == ["seal-altered Resources/data.txt"])
        #expect(try problems { $0.tree.nodes[path] = .symbolicLink("empty") } == ["seal-altered Resources/data.txt"])
        #expect(
            try problems { $0.tree["A.app/Contents/Resources/link"] = "data" } == ["seal-altered Resources/link"])
        #expect(
            try problems { $0.tree.nodes["A.app/Contents/MacOS/helper"] = .symbolicLink("main") }
                == ["seal-altered MacOS/helper"])
    }

    @Test("Both hashes must fit when there are two; one is enough when there is one")
    func hashes() throws {
        func replace(_ key: String, with value: PropertyListValue?) -> (inout SealSample) -> Void {
            { sample in
                var seal = sample.files["Resources/data.txt"]?.dictionary ?? [:]
                seal[key] = value
                sample.files["Resources/data.txt"] = .dictionary(seal)
            }
        }
        #expect(try problems(replace("hash", with: nil)) == [])
        #expect(try problems(replace("hash2", with: nil)) == [])
        let wrong = ["seal-altered Resources/data.txt"]
        #expect(try problems(replace("hash", with: .data([UInt8](repeating: 0, count: 20)))) == wrong)
        #expect(try problems(replace("hash2", with: .data([UInt8](repeating: 0, count: 32)))) == wrong)
        #expect(try problems(replace("hash4", with: .data([UInt8](repeating: 0, count: 48)))) == wrong)
    }

    @Test("A file, folder, link or bundle that the seal does not know is an addition")
    func added() throws {
        for path in [
            "Resources/new", "new", "MacOS/other", "Library/a/b", "Resources/de.lproj/new", "Frameworks/plain",
        ] {
            #expect(try problems { $0.tree["A.app/Contents/" + path] = "x" } == ["seal-added \(path)"])
            #expect(
                try problems { $0.tree.nodes["A.app/Contents/" + path] = .symbolicLink("x") } == ["seal-added \(path)"])
        }
        #expect(
            try problems { $0.tree["A.app/Contents/PlugIns/B.appex/Contents/x"] = "x" } == [
                "seal-added PlugIns/B.appex"
            ])
        // In a folder without a dot in its name each file counts.
        #expect(try problems { $0.tree["A.app/Contents/PlugIns/B/x"] = "x" } == ["seal-added PlugIns/B/x"])
        // Inside nested code nothing is looked at: its own seal speaks of it.
        #expect(try problems { $0.tree["A.app/Contents/Frameworks/F.framework/Versions/A/new"] = "x" } == [])
    }

    @Test("A sealed file that is gone is missing, unless it may be")
    func missing() throws {
        for path in ["Resources/data.txt", "MacOS/helper", "Resources/deep/up"] {
            let expected =
                path == "Resources/data.txt"
                ? ["seal-link Resources/link", "seal-missing \(path)"] : ["seal-missing \(path)"]
            #expect(try problems { $0.tree.nodes["A.app/Contents/" + path] = nil } == expected)
        }
        #expect(
            try problems { $0.tree.nodes["A.app/Contents/Frameworks/F.framework/Versions/A/F"] = nil }
                == ["seal-missing Frameworks/F.framework"])
        #expect(try problems { $0.tree.nodes["A.app/Contents/Resources/de.lproj/text.strings"] = nil } == [])
    }

    @Test("What is sealed and left out by the rules at once is missing")
    func contradiction() throws {
        for path in [
            "MacOS/main", "PkgInfo", "_CodeSignature/CodeResources", "Resources/.DS_Store",
            "Frameworks/F.framework/Versions/A/F",
        ] {
            #expect(try problems { $0.files[path] = SealSample.seal("code") } == ["seal-missing \(path)"])
        }
    }

    @Test(
        "A link must point where it did",
        arguments: [
            ("Resources/link", "empty"), ("Resources/link", "./data.txt"), ("Resources/deep/up", "../../../../etc"),
        ])
    func retargeted(_ path: String, _ target: String) throws {
        #expect(
            try problems { $0.tree.nodes["A.app/Contents/" + path] = .symbolicLink(target) } == ["seal-altered \(path)"]
        )
    }

    @Test(
        "A sealed link to something sealed, or to the system, is in order",
        arguments: [
            "data.txt", "./data.txt", "deep/er/file", "deep", "..", "../MacOS/main", "../MacOS/helper",
            "folder/er/file", "link",
            "../Frameworks/F.framework", "../Resources/../Resources/data.txt", "/System/Library/a", "/Library/Fonts/b",
            "deep/",
        ])
    func goodLink(_ target: String) throws {
        #expect(try problems { $0.link("Resources/zlink", target) } == [])
    }

    @Test(
        "A sealed link that leaves the seal, leads nowhere or goes in circles is not",
        arguments: [
            "/etc/passwd", "/System/../etc/passwd", "/Systems/x", "../../..", "../../Contents/version.plist",
            "../../../B.app", "nothing",
            "data.txt/x", "zlink", "outside/x", "loop1", "../_CodeSignature/CodeResources", "../CodeResources",
            ".DS_Store", "../PkgInfo", "",
        ])
    func badLink(_ target: String) throws {
        let found = try problems { sample in
            sample.link("Resources/zlink", target)
            // Not sealed themselves, so that only the link's own path counts.
            sample.tree.nodes["A.app/Contents/_MASReceipt"] = .symbolicLink("/etc")
            sample.tree.nodes["A.app/Contents/Resources/outside"] = .symbolicLink("../_MASReceipt")
            sample.tree.nodes["A.app/Contents/Resources/loop1"] = .symbolicLink("loop2")
            sample.tree.nodes["A.app/Contents/Resources/loop2"] = .symbolicLink("loop1")
        }
        #expect(found.contains("seal-link Resources/zlink"))
    }

    @Test("A link with more parts than the limit counts as a loop")
    func longLink() throws {
        let most = CodeIdentityLimits.sealLinkParts.value / 2 - 1
        let steps = { (count: Int) in String(repeating: "deep/../", count: count) + "data.txt" }
        #expect(try problems { $0.link("Resources/zlink", steps(most)) } == [])
        #expect(try problems { $0.link("Resources/zlink", steps(most + 1)) } == ["seal-link Resources/zlink"])
    }

    @Test("A link by a name that is left out is told: it would hide what it points to")
    func hiddenLink() throws {
        #expect(
            try problems { $0.tree.nodes["A.app/Contents/Resources/deep/.ds_STORE"] = .symbolicLink("x") }.contains(
                "seal-link Resources/deep/.ds_STORE"))
    }

    @Test("Devices, pipes and names that are no text are refused wherever they stand")
    func unsupported() throws {
        for path in ["Resources/pipe", "Resources/de.lproj/locversion.plist"] {
            #expect(try problems { $0.tree.nodes["A.app/Contents/" + path] = .other } == ["seal-unsupported \(path)"])
        }
    }

    @Test("A file that cannot be read is a problem of its own, and the rest is still compared")
    func unreadable() throws {
        let found = try problems {
            $0.tree.unreadable = ["A.app/Contents/Resources/data.txt"]
            $0.tree["A.app/Contents/version.plist"] = "2"
        }
        #expect(found == ["seal-altered version.plist", "unreadable Resources/data.txt"])
    }

    @Test("What stands beside the seal is told")
    func root() throws {
        let beside = "bundle-unsealed-root A.app/evil stands beside what is sealed"
        #expect(try problems { $0.tree["A.app/evil"] = "x" } == [beside])
        #expect(try problems { $0.tree.nodes["A.app/evil"] = .symbolicLink("Contents") } == [beside])
        #expect(try problems { $0.tree["A.app/.DS_Store"] = "x" } == [])
        #expect(try problems { $0.tree.nodes["A.app/.DS_Store"] = .file([1], isExecutable: true) }.count == 1)
        #expect(try problems { $0.tree["A.app/Contents/_CodeSignature/evil"] = "x" }.count == 1)
        #expect(try problems { $0.tree["A.app/Contents/_CodeSignature/CodeRequirements"] = "x" }.count == 1)
        #expect(try problems { $0.tree["A.app/Contents/_CodeSignature/CodeSignature"] = "" } == [])
        #expect(try problems { $0.tree["A.app/Contents/_CodeSignature/folder/x"] = "" }.count == 1)
    }

    @Test("Rules that leave out more than Apple's do are weak")
    func weakRules() throws {
        let omit = PropertyListValue.dictionary(["omit": .boolean(true), "weight": .integer(5000)])
        #expect(
            try problems {
                $0.rules["^Resources/evil"] = omit
                $0.tree["A.app/Contents/Resources/evil"] = "x"
            } == ["seal-weak-rules the rule ^Resources/evil leaves out what must be sealed"])
        #expect(try problems { $0.rules["^.*"] = nil }.contains { $0.hasPrefix("seal-weak-rules no rule seals") })
        #expect(try problems { $0.rules["^x$"] = .boolean(false) }.count == 1)
    }

    @Test("Of rules of one weight the one that seals counts")
    func tie() throws {
        // One comes before the rule for resources, one after it.
        for pattern in ["^R.*new$", "^Resources/new$"] {
            let found = try problems {
                $0.rules[pattern] = .dictionary(["omit": .boolean(true), "weight": .integer(20)])
                $0.tree["A.app/Contents/Resources/new"] = "x"
            }
            #expect(found.contains("seal-added Resources/new"), "\(pattern)")
        }
    }

    @Test("A seal of version 1 covers resources, by SHA-1, and says that it is weak")
    func version1() throws {
        func sample(_ change: (inout SealSample) -> Void = { _ in }) throws -> [String] {
            try problems { sample in
                sample.version = 1
                sample.rules = [
                    "^version.plist$": .boolean(true), "^Resources/": .boolean(true),
                    "^Resources/.*\\.lproj/locversion.plist$": .dictionary([
                        "omit": .boolean(true), "weight": .integer(1100),
                    ]),
                ]
                sample.files = sample.files.filter { $0.value["hash"] != nil }.mapValues { $0["hash"] ?? $0 }
                sample.files["Resources/fr.lproj/text.strings"] = nil
                sample.tree.nodes["A.app/Contents/Resources/.DS_Store"] = nil
                change(&sample)
            }
        }
        let version = "seal-version-1 the seal is of version 1"
        #expect(try sample() == [version])
        #expect(
            try sample { $0.tree["A.app/Contents/Resources/data.txt"] = "x" } == [
                version, "seal-altered Resources/data.txt",
            ])
        #expect(try sample { $0.tree["A.app/Contents/Resources/new"] = "x" } == [version, "seal-added Resources/new"])
        #expect(try sample { $0.tree["A.app/Contents/MacOS/new"] = "x" } == [version])
    }

    @Test("A bundle full of what is not sealed ends the check, not the memory")
    func manyProblems() throws {
        let limit = CodeIdentityLimits.sealProblems.value
        let report = try {
            var sample = SealSample()
            for place in 0...limit { sample.tree["A.app/Contents/Resources/new\(place)"] = "" }
            return try sample.check()
        }()
        #expect(report.problems.count == limit + 1 && report.problems.last?.code == .limit)
    }

    @Test("An executable whose name is not ASCII is left out like any other")
    func executableName() throws {
        let found = try problems { sample in
            sample.tree["A.app/Contents/MacOS/main"] = nil
            sample.tree["A.app/Contents/Info.plist"] = String(
                decoding: SealSample.info("\u{E9}", identifier: "a"), as: UTF8.self)
            sample.tree["A.app/Contents/MacOS/\u{E9}"] = "code"
        }
        #expect(found == [])
    }
}
