// swift-tools-version: 6.3
import PackageDescription

// The engine's benchmarks, against the package beside this folder. The HTTP comparison under http/ starts built
// servers and needs no package; hummingbird-peer/ is one of its own.
let package = Package(
    name: "kheapd-benchmarks",
    dependencies: [.package(name: "kheapd", path: "..")],
    targets: [
        .target(name: "CAllocatorPeer"),
        .executableTarget(
            name: "EngineBenchmark",
            dependencies: [
                "CAllocatorPeer",
                .product(name: "KernelHeap", package: "kheapd"),
            ],
            swiftSettings: [
                .swiftLanguageMode(.v6),
                .strictMemorySafety(),
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .treatAllWarnings(as: .error),
            ]
        ),
    ]
)
