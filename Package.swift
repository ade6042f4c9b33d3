// swift-tools-version: 6.3
import PackageDescription

/// Every target: language mode 6, warnings are errors, unsafe code is marked.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "kheapd",
    products: [
        .library(name: "KernelHeap", targets: ["KernelHeap"]),
        .executable(name: "kheapd", targets: ["kheapd"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        .target(name: "KernelHeap", swiftSettings: settings),
        .target(name: "KernelProc", dependencies: ["KernelHeap"], swiftSettings: settings),

        .systemLibrary(
            name: "CMicroHTTPD",
            pkgConfig: "libmicrohttpd",
            providers: [.apt(["libmicrohttpd-dev"])]
        ),
        .target(name: "CHTTPBridge", dependencies: ["CMicroHTTPD"]),
        .target(
            name: "HTTPServer",
            dependencies: ["CHTTPBridge", "CMicroHTTPD"],
            swiftSettings: settings
        ),

        .target(
            name: "CSimdJSON",
            linkerSettings: [.linkedLibrary("simdjson")]
        ),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(
            name: "KernelHeapService",
            dependencies: [
                "KernelHeap", "KernelProc", "HTTPServer", "CSimdJSON", "CZlib",
                .product(name: "Logging", package: "swift-log"),
            ],
            resources: [
                .embedInCode("Contract/openapi.yaml"),
                .embedInCode("Dashboard/Assets"),
                .embedInCode("Scenarios/Data"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "kheapd",
            dependencies: [
                "KernelHeapService", "HTTPServer",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),

        .target(
            name: "TestSupport",
            dependencies: ["KernelHeap", "CZlib"],
            path: "Tests/TestSupport",
            resources: [.copy("Recordings")],
            swiftSettings: settings
        ),
        .testTarget(
            name: "KernelHeapTests",
            dependencies: ["KernelHeap", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "KernelProcTests",
            dependencies: ["KernelProc", "KernelHeap", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["KernelHeap", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "HTTPServerTests",
            dependencies: ["HTTPServer", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "KernelHeapServiceTests",
            dependencies: ["KernelHeapService", "HTTPServer", "KernelHeap", "TestSupport"],
            swiftSettings: settings
        ),
    ],
    cxxLanguageStandard: .cxx17
)
