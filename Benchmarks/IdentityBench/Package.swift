// swift-tools-version:6.2
// SPDX-License-Identifier: Apache-2.0

// The program that Benchmarks/identity times and counts.

import PackageDescription

let package = Package(
    name: "weir-identity-bench",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "weir", path: "../..")],
    targets: [
        .executableTarget(
            name: "IdentityBench",
            dependencies: [
                .product(name: "CodeIdentity", package: "weir"), .product(name: "FlowModel", package: "weir"),
            ],
            swiftSettings: [.swiftLanguageMode(.v6)])
    ]
)
