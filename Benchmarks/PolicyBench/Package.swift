// swift-tools-version:6.2
// SPDX-License-Identifier: Apache-2.0

// The program that Benchmarks/policy times and counts.

import PackageDescription

let package = Package(
    name: "weir-policy-bench",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "weir", path: "../..")],
    targets: [
        .executableTarget(
            name: "PolicyBench",
            dependencies: [
                .product(name: "CodeIdentity", package: "weir"), .product(name: "FlowModel", package: "weir"),
                .product(name: "FlowPolicy", package: "weir"),
            ],
            swiftSettings: [.swiftLanguageMode(.v6)])
    ]
)
