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

let flowEngine = Target.Dependency.product(name: "FlowEngine", package: "weir")

let package = Package(
    name: "weir-fuzz",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "weir", path: "..")],
    targets: [
        fuzzer("HTTP1HeadFuzz", [flowEngine]),
        fuzzer("HTTP1ChunkFuzz", [flowEngine]),
    ]
)
