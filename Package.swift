// swift-tools-version:6.2
// SPDX-License-Identifier: Apache-2.0

// The rooms of Weir and who may import whom: ARCHITECTURE.md says why, `make lint` checks it.

import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioConcurrency = Target.Dependency.product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let x509 = Target.Dependency.product(name: "X509", package: "swift-certificates")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let nioTransportServices = Target.Dependency.product(
    name: "NIOTransportServices", package: "swift-nio-transport-services", condition: .when(platforms: [.macOS]))
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

/// A room of Weir: Swift, strict.
func room(
    _ name: String, _ dependencies: [Target.Dependency], path: String? = nil, exclude: [String] = []
) -> Target {
    .target(name: name, dependencies: dependencies, path: path, exclude: exclude, swiftSettings: strict)
}

/// The tests of a room.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

#if os(macOS)
let appleFrameworks: [Target.Dependency] = []
#else
let appleFrameworks: [Target.Dependency] = ["NetworkExtension", "NetworkSimulation"]
#endif

/// What the extension of macOS is made of.
let extensionParts: [Target.Dependency] = [
    "FlowModel", "CodeIdentity", "FlowPolicy", "FlowEngine", "SocketTransport", "EventStore", "EngineAssembly",
    "AppleIntake", "MacControl", nioCore, nioPosix,
] + appleFrameworks

/// The programs of macOS; elsewhere stand-ins for Apple's frameworks, so that the code for macOS is compiled and tested
/// where those do not exist.
#if os(macOS)
let macOS: [Target] = [
    .executableTarget(name: "WeirExtension", dependencies: extensionParts, swiftSettings: strict),
    .executableTarget(name: "WeirApp", dependencies: ["MacControl"], swiftSettings: strict),
]
#else
let macOS: [Target] = [
    room("WeirExtension", extensionParts),
    tests(
        "WeirExtensionTests",
        [
            "FlowModel", "CodeIdentity", "FlowPolicy", "FlowEngine", "EventStore", "SocketTransport", "EngineAssembly",
            "AppleIntake", "MacControl", "WeirExtension", "NetworkExtension", "NetworkSimulation", nioCore, nioPosix,
        ]),
    .executableTarget(
        name: "DemoMac",
        dependencies: [
            "CodeIdentity", "SocketTransport", "WeirExtension", "NetworkExtension", "NetworkSimulation",
        ],
        path: "examples/demo-macos", exclude: ["README.md", "run.sh"], swiftSettings: strict),
    room("NetworkSimulation", [], path: "Simulation/NetworkSimulation"),
    room("NetworkExtension", ["NetworkSimulation"], path: "Simulation/NetworkExtension"),
    .target(name: "CBlockingCalls", path: "Tests/CBlockingCalls"),
    tests("SimulationTests", ["NetworkExtension", "NetworkSimulation"]),
    tests(
        "AppleIntakeTests",
        [
            "FlowModel", "CodeIdentity", "FlowPolicy", "ContentInspection", "FlowEngine", "SocketTransport",
            "AppleIntake", "EmbedInYourProvider", "NetworkExtension", "NetworkSimulation", "CBlockingCalls",
            nioCore, nioPosix, nioEmbedded, nioSSL,
        ]),
]
#endif

let package = Package(
    name: "weir",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "weir", targets: ["weir"]),
        .library(name: "FlowModel", targets: ["FlowModel"]),
        .library(name: "CodeIdentity", targets: ["CodeIdentity"]),
        .library(name: "FlowPolicy", targets: ["FlowPolicy"]),
        .library(name: "ContentInspection", targets: ["ContentInspection"]),
        .library(name: "FlowEngine", targets: ["FlowEngine"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-transport-services.git", from: "1.28.0"),
        .package(url: "https://github.com/apple/swift-certificates.git", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1.git", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
    ],
    targets: [
        room("FlowModel", []),
        .systemLibrary(name: "CZlib", path: "Sources/CZlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CByteScan"),
        room("ContentInspection", ["FlowModel", "CByteScan", "CZlib", crypto]),
        room("CodeIdentity", ["FlowModel", x509, asn1, crypto]),
        .target(
            name: "CCatalogues", path: "Sources/FlowPolicy/Catalogues/Data",
            exclude: [
                "core-protocols.csv", "macos-daemons.csv", "linux-daemons.csv", "pinned-apps.csv", "pinned-hosts.csv",
                "apple-hosts.csv", "apple-ports.csv", "platform-interactive.csv", "private-relay.csv",
                "private-life.csv",
                "home.csv", "index.csv", "known-bad.csv",
            ]),
        room(
            "FlowPolicy", ["FlowModel", "CodeIdentity", "CCatalogues", yams, crypto],
            exclude: ["Catalogues/Data", "Document/Schema"]),
        room(
            "FlowEngine",
            [
                "FlowModel", "FlowPolicy", "ContentInspection", nioCore, nioConcurrency, nioTLS, nioSSL, x509, asn1,
                crypto,
            ]),
        .target(name: "CLinuxFlow"),
        room("SocketTransport", ["FlowModel", "FlowEngine", nioCore, nioPosix, nioConcurrency]),
        room("ProxyIntake", ["FlowModel", "FlowEngine", nioCore]),
        room("LinuxIntake", ["FlowModel", "CodeIdentity", "FlowEngine", "CLinuxFlow", nioCore, nioPosix]),
        room(
            "AppleIntake",
            ["FlowModel", "CodeIdentity", "FlowPolicy", "FlowEngine", nioCore, nioConcurrency, nioTransportServices]
                + appleFrameworks),
        room(
            "EmbedInYourProvider", ["FlowModel", "CodeIdentity", "FlowPolicy"] + appleFrameworks,
            path: "examples/EmbedInYourProvider", exclude: ["README.md"]),
        room("MacControl", ["FlowModel", "FlowPolicy"]),
        room("EventStore", ["FlowModel", grdb, crypto]),
        room(
            "EngineAssembly",
            [
                "FlowModel", "CodeIdentity", "FlowPolicy", "ContentInspection", "FlowEngine", "SocketTransport",
                "EventStore", nioCore,
            ]),
        .executableTarget(
            name: "weir",
            dependencies: [
                "FlowModel", "CodeIdentity", "FlowPolicy", "ContentInspection", "FlowEngine", "SocketTransport",
                "ProxyIntake", "EventStore", "EngineAssembly", "MacControl", nioCore, nioPosix, argumentParser,
                .target(name: "LinuxIntake", condition: .when(platforms: [.linux])),
            ],
            swiftSettings: strict),
        tests("CodeIdentityTests", ["FlowModel", "CodeIdentity", x509, asn1, crypto]),
        tests("FlowPolicyTests", ["FlowModel", "CodeIdentity", "FlowPolicy", crypto]),
        tests("ContentInspectionTests", ["FlowModel", "ContentInspection", "CByteScan", "CZlib"]),
        tests(
            "FlowEngineTests",
            ["FlowModel", "FlowEngine", nioCore, nioPosix, nioEmbedded, nioTLS, nioSSL, x509, asn1, crypto]),
        tests("LinuxIntakeTests", ["FlowModel", "CodeIdentity", "LinuxIntake", "CLinuxFlow", nioCore, nioPosix]),
        tests("MacControlTests", ["FlowModel", "CodeIdentity", "FlowPolicy", "MacControl"]),
        tests("EventStoreTests", ["FlowModel", "EventStore", grdb]),
        room("TestKit", [], path: "Tests/TestKit"),
        tests("InteropTests", ["TestKit"]),
        tests("ScenarioTests", ["FlowModel", "FlowPolicy", "ContentInspection", "FlowEngine", nioCore, nioEmbedded]),
    ] + macOS
)
