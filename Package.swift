// swift-tools-version: 6.2
import PackageDescription

let house: [SwiftSetting] = [
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "shake",
    products: [.executable(name: "shakectl", targets: ["shakectl"])],
    // Targets that a build can do without, for who has not their libraries: `swift build --product shakectl --traits MongoDB`
    // has that one only, `--disable-default-traits` none of them.
    traits: [
        .default(enabledTraits: ["DynamoDB", "MongoDB", "PostgreSQL"]),
        .trait(name: "DynamoDB", description: "The target dynamodb:, another DynamoDB or a compatible endpoint"),
        .trait(name: "MongoDB", description: "The target mongodb://, on libmongoc"),
        .trait(name: "PostgreSQL", description: "The target postgres://, on libpq"),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.20.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // C libraries, and the Swift faces over them: the only modules that say `unsafe`.
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CPipe"),
        .target(name: "CLMDB", linkerSettings: [.linkedLibrary("lmdb")]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .target(
            name: "CSimdjson", cxxSettings: [.unsafeFlags(["-std=c++17", "-O3"])],
            linkerSettings: [.linkedLibrary("simdjson")]),
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CMongoC", pkgConfig: "libmongoc-1.0", providers: [.apt(["libmongoc-dev"])]),
        .target(name: "LMDB", dependencies: ["CLMDB"], swiftSettings: house),
        .target(name: "Curl", dependencies: ["CCurl"], swiftSettings: house),
        .target(name: "Simdjson", dependencies: ["CSimdjson", "StreamModel"], swiftSettings: house),
        .target(name: "LibPQ", dependencies: ["CLibPQ"], swiftSettings: house),
        .target(name: "MongoC", dependencies: ["CMongoC"], swiftSettings: house),

        // Shake itself. Arrows run one way: shakectl → Dispatcher → {Journal, Targets, DynamoDB} → StreamModel, and
        // shakectl → AllTargets → each target → Targets.
        .target(name: "StreamModel", swiftSettings: house),
        .target(
            name: "Filter", dependencies: ["StreamModel", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: house),
        .target(
            name: "Journal",
            dependencies: [
                "JournalWire", "LMDB", "StreamModel",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: house),
        // Generated from journal.proto, which no house rule binds.
        .target(
            name: "JournalWire", dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
            exclude: ["journal.proto"]),
        .target(
            name: "NimoShake",
            dependencies: ["Journal", "StreamModel", .target(name: "MongoC", condition: .when(traits: ["MongoDB"]))],
            swiftSettings: house),
        .target(
            name: "DynamoDB",
            dependencies: [
                "CPipe", "Curl", "Filter", "Simdjson", "StreamModel", .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: house),
        .target(
            name: "Targets",
            dependencies: ["Simdjson", "StreamModel", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: house),
        .target(
            name: "DynamoDBTarget", dependencies: ["Curl", "DynamoDB", "Simdjson", "StreamModel", "Targets"],
            swiftSettings: house),
        .target(
            name: "MongoDBTarget", dependencies: ["MongoC", "Simdjson", "StreamModel", "Targets"], swiftSettings: house),
        .target(
            name: "PostgresTarget", dependencies: ["LibPQ", "Simdjson", "StreamModel", "Targets"],
            swiftSettings: house),
        .target(
            name: "AllTargets",
            dependencies: [
                "Targets",
                .target(name: "DynamoDBTarget", condition: .when(traits: ["DynamoDB"])),
                .target(name: "MongoDBTarget", condition: .when(traits: ["MongoDB"])),
                .target(name: "PostgresTarget", condition: .when(traits: ["PostgreSQL"])),
            ],
            swiftSettings: house),
        .target(
            name: "Dispatcher",
            dependencies: [
                "Journal", "Targets", "DynamoDB", "Filter", "StreamModel",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house),
        .target(
            name: "Comparison",
            dependencies: [
                "Dispatcher", "DynamoDB", "Filter", "Journal", "Simdjson", "StreamModel", "Targets",
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: house),
        // Metrics, health and the API over HTTP. They know nothing of Shake but names: shakectl hands them what to serve.
        .target(
            name: "Prometheus", dependencies: [.product(name: "CoreMetrics", package: "swift-metrics")],
            swiftSettings: house),
        .target(
            name: "StatusServer",
            dependencies: [
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            resources: [
                .embedInCode("Page/page.html"), .embedInCode("Page/page.css"), .embedInCode("Page/page.js"),
            ],
            swiftSettings: house),
        .executableTarget(
            name: "shakectl",
            dependencies: [
                "AllTargets", "CMalloc", "Comparison", "Dispatcher", "Journal", "NimoShake", "Targets", "DynamoDB",
                "Filter", "Prometheus", "StatusServer", "StreamModel",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: house),

        // A DynamoDB of our own, and the daemon played against it in virtual time.
        .target(name: "StreamSim", path: "tools/StreamSim/Sources/StreamSim", swiftSettings: house),
        .target(
            name: "Simulation",
            dependencies: [
                "CMalloc", "Dispatcher", "Filter", "Journal", "Targets", "DynamoDB", "Curl", "Simdjson",
                "StreamModel", "StreamSim",
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "tools/Simulation/Sources/Simulation", swiftSettings: house),
        .executableTarget(
            name: "simulate",
            dependencies: ["Simulation", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "tools/Simulation/Sources/simulate", swiftSettings: house),

        // A journal over months, in virtual time.
        .target(
            name: "Soak", dependencies: ["CMalloc", "Journal", "StreamModel"], path: "tools/Soak/Sources/Soak",
            swiftSettings: house),
        .executableTarget(
            name: "soak-journal",
            dependencies: ["Journal", "Soak", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "tools/Soak/Sources/soak-journal", swiftSettings: house),

        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: house),
        .testTarget(name: "StreamModelTests", dependencies: ["StreamModel"], swiftSettings: house),
        .testTarget(name: "FilterTests", dependencies: ["Filter", "StreamSim"], swiftSettings: house),
        .testTarget(
            name: "JournalTests", dependencies: ["Journal", "LMDB", "StreamModel", "TestSupport"], exclude: ["Golden"],
            swiftSettings: house),
        .testTarget(name: "SoakTests", dependencies: ["Journal", "Soak"], swiftSettings: house),
        .testTarget(
            name: "DynamoDBTests",
            dependencies: ["DynamoDB", "Curl", "Filter", "Simdjson", "StreamModel", "TestSupport"],
            swiftSettings: house),
        .testTarget(
            name: "TargetsTests",
            dependencies: [
                "AllTargets", "Curl", "DynamoDB", "DynamoDBTarget", "LibPQ", "MongoC", "MongoDBTarget",
                "PostgresTarget",
                "Simdjson", "StreamModel", "StreamSim", "Targets", "TestSupport",
            ],
            swiftSettings: house),
        .testTarget(
            name: "DispatcherTests",
            dependencies: [
                "Dispatcher", "Journal", "Targets", "DynamoDB", "Filter", "Simdjson", "StreamModel", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house),
        .testTarget(
            name: "ComparisonTests",
            dependencies: ["Comparison", "DynamoDB", "Simdjson", "StreamModel", "Targets", "TestSupport"],
            swiftSettings: house),
        .testTarget(name: "StreamSimTests", dependencies: ["StreamSim", "TestSupport"], swiftSettings: house),
        .testTarget(
            name: "SimulationTests",
            dependencies: [
                "Simulation", "Dispatcher", "Journal", "Targets", "DynamoDB", "Curl", "StreamModel",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house),
        .testTarget(
            name: "NimoShakeTests",
            dependencies: [
                "NimoShake", "Journal", "StreamModel", "TestSupport",
                .target(name: "MongoC", condition: .when(traits: ["MongoDB"])),
            ],
            swiftSettings: house),
        .testTarget(
            name: "PrometheusTests",
            dependencies: ["Prometheus", .product(name: "CoreMetrics", package: "swift-metrics")], swiftSettings: house),
        .testTarget(
            name: "StatusServerTests",
            dependencies: [
                "StatusServer", .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: house),
        .testTarget(
            name: "ShakectlTests",
            dependencies: [
                "shakectl", "Dispatcher", "Filter", "Journal", "NimoShake", "Prometheus", "StatusServer", "StreamModel",
                "Targets",
            ],
            swiftSettings: house),
    ],
    swiftLanguageModes: [.v6]
)
