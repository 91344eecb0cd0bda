// swift-tools-version: 6.2
import PackageDescription

// The simulated DynamoDB behind HTTP. A package of its own, so that nobody builds SwiftNIO to build the daemon; the
// simulation in virtual time has the library as a target of the root package.

let house: [SwiftSetting] = [
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "streamsim",
    products: [.executable(name: "streamsim", targets: ["streamsim"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    ],
    targets: [
        .target(name: "StreamSim", swiftSettings: house),
        .executableTarget(
            name: "streamsim",
            dependencies: [
                "StreamSim",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: house),
    ],
    swiftLanguageModes: [.v6]
)
