// SPDX-License-Identifier: Apache-2.0

// The bundles for macOS as the build script puts them together; signing them needs a Mac.

import Foundation
import TestKit
import Testing

extension Interop {
    @Suite struct MacBundles {
        static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path

        static func build(_ folder: TemporaryFolder, _ options: [String] = []) throws -> ProgramResult {
            let programs = folder("programs")
            try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: true)
            for name in ["WeirApp", "WeirExtension", "weir"] {
                let made = FileManager.default.createFile(
                    atPath: programs + "/" + name, contents: Data(), attributes: [.posixPermissions: 0o755])
                try #require(made)
            }
            return try Program(
                "bash",
                [
                    root + "/packaging/macos/build", "--team", "AB12CD34EF", "--app", "com.example.weir", "--build",
                    "7", "--binaries", programs, "--output", folder("out"),
                ] + options
            ).run()
        }

        static func list(_ path: String) throws -> [String: Any] {
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            let list = try PropertyListSerialization.propertyList(from: data, format: nil)
            #expect(!String(decoding: data, as: UTF8.self).contains("@"), "\(path) has a placeholder left")
            return try #require(list as? [String: Any])
        }

        @Test(
            "App and extension name each other, and the Mach service begins with the app group and ends with the build")
        func bundles() throws {
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            let run = try Self.build(folder)
            try #require(run.status == 0, "\(run.errors)")
            let app = try Self.list(folder("out/Weir.app/Contents/Info.plist"))
            let provider = try #require(app["WeirProviderIdentifier"] as? String)
            let bundle = folder("out/Weir.app/Contents/Library/SystemExtensions/\(provider).systemextension/Contents")
            let ext = try Self.list(bundle + "/Info.plist")
            #expect(ext["CFBundleIdentifier"] as? String == provider)
            #expect(ext["CFBundlePackageType"] as? String == "SYSX")
            #expect(ext["CFBundleVersion"] as? String == app["CFBundleVersion"] as? String)
            let network = try #require(ext["NetworkExtension"] as? [String: Any])
            let service = try #require(network["NEMachServiceName"] as? String)
            #expect(service == app["WeirMachService"] as? String)
            #expect(service.hasSuffix(".7"))
            for name in ["App", "Extension"] {
                let entitlements = try Self.list(folder("out/\(name).entitlements"))
                let groups = try #require(entitlements["com.apple.security.application-groups"] as? [String])
                #expect(groups.count == 1 && service.hasPrefix(groups[0] + "."))
                #expect(
                    entitlements["com.apple.developer.networking.networkextension"] as? [String]
                        == ["app-proxy-provider-systemextension"])
            }
            for program in ["Weir.app/Contents/MacOS/WeirApp", "Weir.app/Contents/MacOS/weir"] {
                #expect(FileManager.default.isExecutableFile(atPath: folder("out/" + program)))
            }
            #expect(FileManager.default.isExecutableFile(atPath: bundle + "/MacOS/WeirExtension"))
        }

        @Test("The provider class that the extension names is one of this project")
        func providerClass() throws {
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            _ = try Self.build(folder)
            let path = "out/Weir.app/Contents/Library/SystemExtensions/com.example.weir.proxy.systemextension/Contents"
            let network = try #require(
                try Self.list(folder(path + "/Info.plist"))["NetworkExtension"] as? [String: Any])
            let classes = try #require(network["NEProviderClasses"] as? [String: String])
            let name = try #require(classes["com.apple.networkextension.app-proxy"]).split(separator: ".").map(
                String.init)
            try #require(name.count == 2)
            let found = try Program(
                "grep", ["-rlE", "class \(name[1]): TransparentProxy", Self.root + "/Sources/\(name[0])"]
            ).run()
            #expect(!found.text.isEmpty, "no class \(name[1]) in module \(name[0])")
        }

        @Test("For development the entitlement has no ending")
        func development() throws {
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            #expect(try Self.build(folder, ["--development"]).status == 0)
            #expect(
                try Self.list(folder("out/App.entitlements"))["com.apple.developer.networking.networkextension"]
                    as? [String] == ["app-proxy-provider"])
        }

        @Test(
            "What cannot be built is refused before anything is made",
            arguments: [
                ["--team", "x"], ["--provider", "com.other"], ["--version", "1.2.3.4"], ["--build", "b"],
                ["--sign", "Developer ID"], ["--notarise", "p"], ["--colour", "red"], ["--team"],
            ])
        func refused(options: [String]) throws {
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            let run = try Self.build(folder, options)
            #expect(run.status == 2)
            #expect(run.errors.hasPrefix("build: "))
            #expect(!FileManager.default.fileExists(atPath: folder("out")))
        }
    }
}
