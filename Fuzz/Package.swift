// swift-tools-version:6.2
// SPDX-License-Identifier: Apache-2.0

// One fuzzer a boundary. README.md says how they are built and run.

import PackageDescription

/// A fuzzer; libFuzzer brings the `main` that calls it.
func fuzzer(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies,
        swiftSettings: [.swiftLanguageMode(.v6), .unsafeFlags(["-parse-as-library"])])
}

func product(_ name: String) -> Target.Dependency { .product(name: name, package: "weir") }

let flowEngine = product("FlowEngine")
let codeIdentity = product("CodeIdentity")

/// What several fuzzers share.
func shared(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: [.swiftLanguageMode(.v6)])
}

let package = Package(
    name: "weir-fuzz",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "weir", path: "..")],
    targets: [
        fuzzer("HTTP1HeadFuzz", [flowEngine]),
        fuzzer("HTTP1ChunkFuzz", [flowEngine]),
        fuzzer("RedactorFuzz", [product("ContentInspection"), product("FlowModel")]),
        fuzzer("PolicyFuzz", [product("FlowPolicy"), product("FlowModel")]),
        fuzzer("BundleFuzz", [product("FlowPolicy")]),
        fuzzer("FlowFuzz", [product("FlowPolicy"), product("FlowModel")]),
        fuzzer("CatalogueFuzz", [product("FlowPolicy"), product("FlowModel"), codeIdentity, "NamedParts"]),
        shared("NamedParts"),
        shared("RequirementSubjects", [codeIdentity]),
        fuzzer("MachOFuzz", [codeIdentity]),
        fuzzer("SuperBlobFuzz", [codeIdentity]),
        fuzzer("CMSFuzz", [codeIdentity]),
        fuzzer("RequirementTextFuzz", [codeIdentity, "RequirementSubjects"]),
        fuzzer("RequirementBlobFuzz", [codeIdentity, "RequirementSubjects"]),
        fuzzer("EntitlementsFuzz", [codeIdentity]),
        fuzzer("PropertyListFuzz", [codeIdentity]),
        fuzzer("DpkgFuzz", [codeIdentity, "NamedParts"]),
        fuzzer("ProcFuzz", [codeIdentity, product("FlowModel"), "NamedParts"]),
    ]
)
