// SPDX-License-Identifier: Apache-2.0

// What may stand in the root of a framework; the root of an application is tested with its seal.

import Testing

@testable import CodeIdentity

@Suite("BundleRoot") struct BundleRootTests {
    private func problems(_ change: (inout MemoryTree) -> Void = { _ in }) throws -> [String] {
        var tree = MemoryTree()
        tree.nodes = [
            "F.framework/Versions/A/Resources/Info.plist": .file(SealSample.info("F", identifier: "f")),
            "F.framework/Versions/A/F": .file([1]), "F.framework/Versions/Current": .symbolicLink("A"),
            "F.framework/F": .symbolicLink("Versions/Current/F"),
            "F.framework/Resources": .symbolicLink("./Versions/A/Resources"),
        ]
        change(&tree)
        return try BundleRoot.problems(CodeBundle("F.framework", in: tree), in: tree).map {
            String($0.detail.prefix { $0 != " " })
        }
    }

    @Test("A framework has its versions and links to the current one, and little else")
    func allowed() throws {
        #expect(try problems() == [])
        #expect(
            try problems {
                $0["F.framework/Versions/B/F"] = "another version"
                $0["F.framework/.DS_Store"] = ""
                $0["F.framework/Versions/.DS_Store"] = ""
                $0["F.framework/module.map"] = ""
            } == [])
    }

    @Test("Anything else is told, in order")
    func refused() throws {
        #expect(
            try problems {
                $0["F.framework/evil"] = "x"
                $0["F.framework/Evil/x"] = "x"
                $0.nodes["F.framework/module.map"] = .file([], isExecutable: true)
                $0.nodes["F.framework/Headers"] = .symbolicLink("Versions/B/Headers")
                $0.nodes["F.framework/F"] = .symbolicLink("Versions/Current/Other")
                $0.nodes["F.framework/pipe"] = .other
                $0["F.framework/Versions/evil"] = "x"
                $0.nodes["F.framework/Versions/Old"] = .symbolicLink("A")
                $0.nodes["F.framework/Versions/pipe"] = .other
            }
                == [
                    "Evil", "F", "Headers", "Versions/Old", "Versions/evil", "Versions/pipe", "evil", "module.map",
                    "pipe",
                ].map { "F.framework/" + $0 })
    }
}
