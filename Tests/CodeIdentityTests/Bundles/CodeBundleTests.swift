// SPDX-License-Identifier: Apache-2.0

// Bundles of every layout, and those that two readers could take differently.

import FlowModel
import Testing

@testable import CodeIdentity

@Suite("CodeBundle") struct CodeBundleTests {
    /// A tree with these files, Info.plists naming `main` where a path ends so.
    private func tree(_ paths: [String], _ links: [String: String] = [:]) -> MemoryTree {
        var tree = MemoryTree()
        for path in paths {
            let isInfo = path.hasSuffix("Info.plist")
            tree.nodes[path] = .file(isInfo ? SealSample.info("main", identifier: "test") : [1], isExecutable: !isInfo)
        }
        for (path, target) in links { tree.nodes[path] = .symbolicLink(target) }
        return tree
    }

    private let deep = ["x/A.app/Contents/Info.plist", "x/A.app/Contents/MacOS/main", "x/A.app/Contents/MacOS/helper"]
    private let framework = ["F.framework/Versions/A/Resources/Info.plist", "F.framework/Versions/A/main"]
    private let frameworkLinks = ["F.framework/Versions/Current": "A", "F.framework/main": "Versions/Current/main"]

    @Test("A deep bundle has its executable in MacOS", arguments: ["app", "xpc", "appex", "systemextension", "bundle"])
    func deepLayout(_ kind: String) throws {
        let paths = deep.map { $0.replacing("A.app", with: "A.\(kind)") }
        let bundle = try CodeBundle(
            "x/A.\(kind)", in: tree(paths + ["x/A.\(kind)/Contents/_CodeSignature/CodeResources"]))
        #expect(bundle.layout == .deep && bundle.base == "x/A.\(kind)/Contents")
        #expect(bundle.executable == "x/A.\(kind)/Contents/MacOS/main")
        #expect(bundle.identifier == "test" && bundle.info["CFBundleExecutable"] == .string("main"))
        #expect(bundle.infoBytes == SealSample.info("main", identifier: "test"))
        #expect(bundle.sealBytes == [1] && bundle.detached.isEmpty && bundle.problems.isEmpty)
    }

    @Test("A shallow bundle has everything in its folder, Info.plist in Resources in old ones")
    func shallowLayout() throws {
        for info in ["A.app/Info.plist", "A.app/Resources/Info.plist"] {
            let bundle = try CodeBundle("A.app", in: tree([info, "A.app/main"]))
            #expect(bundle.layout == .shallow && bundle.base == "A.app" && bundle.executable == "A.app/main")
            #expect(bundle.problems.isEmpty)
        }
    }

    @Test("A framework is its current version, or the one asked for")
    func versionedLayout() throws {
        let tree = tree(framework + framework.map { $0.replacing("/A/", with: "/B/") }, frameworkLinks)
        let current = try CodeBundle("F.framework", in: tree)
        #expect(current.layout == .versioned("A") && current.base == "F.framework/Versions/A")
        #expect(current.executable == "F.framework/Versions/A/main" && current.problems.isEmpty)
        #expect(try CodeBundle("F.framework", version: "B", in: tree).executable == "F.framework/Versions/B/main")
        #expect(throws: CodeProblem(.bundleLayout, "")) { try CodeBundle("F.framework", version: "C", in: tree) }
    }

    @Test(
        "A current version that is no name of a version is refused",
        arguments: ["../..", "A/B", "/x", "C", "", ".", ".."])
    func badCurrent(_ target: String) {
        let tree = tree(framework, ["F.framework/Versions/Current": target])
        #expect(throws: CodeProblem(.bundleLayout, "")) { try CodeBundle("F.framework", in: tree) }
    }

    @Test("A folder without Contents and Info.plist is no bundle; nor is one of an older layout")
    func noBundle() {
        let tree = tree(["bin/ls", "Old.app/Support Files/Info.plist"], ["L.app/Contents": "../x", "S.app": "A.app"])
        for root in ["bin", "bin/ls", "nothing", "Old.app", "L.app", "S.app"] {
            #expect(throws: CodeProblem(.bundleLayout, ""), "\(root)") { try CodeBundle(root, in: tree) }
        }
    }

    @Test("Where two readers could find another Info.plist, that is told")
    func ambiguousInfo() throws {
        for other in ["A.app/Resources/Info.plist", "A.app/Info-macos.plist"] {
            let bundle = try CodeBundle("A.app", in: tree(["A.app/Info.plist", other, "A.app/main"]))
            #expect(bundle.problems == [CodeProblem(.bundleLayout, "")])
        }
    }

    @Test(
        "An Info.plist that is missing, a link, too long or no dictionary is told, its bytes kept where there are any")
    func badInfo() throws {
        func bundle(_ info: MemoryTree.Node?) throws -> CodeBundle {
            var tree = tree(deep)
            tree.nodes["x/A.app/Contents/Info.plist"] = info
            return try CodeBundle("x/A.app", in: tree)
        }
        let long = [UInt8](repeating: 0x20, count: CodeIdentityLimits.bundleFileBytes.value + 1)
        for info in [nil, .symbolicLink("MacOS/main"), .file(long)] as [MemoryTree.Node?] {
            let bundle = try bundle(info)
            #expect(bundle.problems.map(\.code) == [.bundleInfo] && bundle.infoBytes == nil && bundle.executable == nil)
        }
        for text in ["<plist><array/></plist>", "garbage"] {
            let bundle = try bundle(.file(Array(text.utf8)))
            #expect(bundle.problems.map(\.code) == [.bundleInfo] && bundle.infoBytes == Array(text.utf8))
            #expect(bundle.info.isEmpty && bundle.executable == nil)
        }
    }

    @Test(
        "A main executable must be a plain file of the bundle",
        arguments: ["", "../x", "a/b", ".", "..", "nothing", "link", "folder", "a\u{0338}/b"])
    func badExecutable(_ name: String) throws {
        var tree = tree(deep + ["x/A.app/Contents/MacOS/folder/x"], ["x/A.app/Contents/MacOS/link": "main"])
        tree.nodes["x/A.app/Contents/Info.plist"] = .file(SealSample.info(name, identifier: "test"))
        let bundle = try CodeBundle("x/A.app", in: tree)
        #expect(bundle.executable == nil && bundle.problems.map(\.code) == [.bundleExecutable])
    }

    @Test("An executable that is not named is named like the bundle; a bundle of resources has none")
    func unnamedExecutable() throws {
        var tree = tree(deep + ["x/A.app/Contents/MacOS/A"])
        tree["x/A.app/Contents/Info.plist"] =
            "<plist><dict><key>CFBundleIdentifier</key><string>i</string></dict></plist>"
        #expect(try CodeBundle("x/A.app", in: tree).executable == "x/A.app/Contents/MacOS/A")
        tree["x/A.app/Contents/MacOS/A"] = nil
        let bundle = try CodeBundle("x/A.app", in: tree)
        #expect(bundle.executable == nil && bundle.problems.isEmpty)
    }

    @Test("A key that names another executable on one system is told")
    func platformKey() throws {
        var tree = tree(deep)
        tree["x/A.app/Contents/Info.plist"] =
            "<plist><dict><key>CFBundleExecutable</key><string>main</string><key>CFBundleExecutable-macos</key>"
            + "<string>helper</string></dict></plist>"
        #expect(try CodeBundle("x/A.app", in: tree).problems == [CodeProblem(.bundleExecutable, "")])
    }

    @Test("A signature in files is read by slots, and only when there is a directory")
    func detached() throws {
        let signature = "x/A.app/Contents/_CodeSignature/"
        let files = [
            "CodeSignature", "CodeRequirements", "CodeRequirements-1", "CodeEntitlementDER", "LibraryConstraint",
        ]
        #expect(try CodeBundle("x/A.app", in: tree(deep + files.map { signature + $0 })).detached.isEmpty)
        let bundle = try CodeBundle("x/A.app", in: tree(deep + (files + ["CodeDirectory"]).map { signature + $0 }))
        #expect(bundle.detached.keys.sorted() == [0, 2, 7, 11, 0x1000, 0x10000])
        let link = tree(deep, [signature + "CodeDirectory": "x"])
        #expect(try CodeBundle("x/A.app", in: link).problems.map(\.code) == [.badPath])
    }

    @Test("The bundle around a file is the one whose main executable it is")
    func enclosing() throws {
        let tree = tree(deep + framework + ["S.app/Info.plist", "S.app/main", "S.app/tool", "bin/ls"], frameworkLinks)
        #expect(try CodeBundle.enclosing("x/A.app/Contents/MacOS/main", in: tree)?.root == "x/A.app")
        #expect(try CodeBundle.enclosing("F.framework/Versions/A/main", in: tree)?.root == "F.framework")
        #expect(try CodeBundle.enclosing("S.app/main", in: tree)?.root == "S.app")
        for path in [
            "x/A.app/Contents/MacOS/helper", "x/A.app/Contents/MacOS/nothing", "S.app/tool", "bin/ls", "main",
            "nothing/at/all",
            "F.framework/main", "F.framework/Versions/B/main",
        ] {
            #expect(try CodeBundle.enclosing(path, in: tree)?.root == nil, "\(path)")
        }
    }

    @Test("A file at the root of the tree has its bundle too")
    func enclosingRoot() throws {
        let tree = tree(["Contents/Info.plist", "Contents/MacOS/main"])
        #expect(try CodeBundle.enclosing("Contents/MacOS/main", in: tree)?.base == "Contents")
    }

    @Test("A bundle whose Info.plist is broken is still found, with that problem")
    func enclosingBroken() throws {
        var tree = tree(deep)
        tree["x/A.app/Contents/Info.plist"] = "broken"
        let bundle = try #require(try CodeBundle.enclosing("x/A.app/Contents/MacOS/main", in: tree))
        #expect(bundle.infoBytes == Array("broken".utf8) && bundle.problems.map(\.code) == [.bundleInfo])
        var shallow = self.tree(["S/Info.plist", "S/main"])
        shallow["S/Info.plist"] = "broken"
        #expect(try CodeBundle.enclosing("S/main", in: shallow)?.root == nil)
    }

    @Test("A path that leaves the tree is refused", arguments: ["../x", "/x", "a//b", "a/", "a/./b", "a\u{0}b"])
    func badPath(_ path: String) {
        #expect(throws: CodeProblem(.badPath, "")) { try CodeBundle.enclosing(path, in: MemoryTree()) }
    }
}
