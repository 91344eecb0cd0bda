// swift-tools-version: 6.2
import PackageDescription

// The benchmarks, run by `tools/bench`. A package of its own, so that nobody builds them to build the daemon.
//
// CLMDB, LMDB, StreamModel, JournalWire and Journal under Sources are links to the daemon's own modules: what is measured is what
// ships, and as targets of this package their `package` declarations can be used here. The daemon itself is measured
// from outside, as the process `shakectl`.

let house: [SwiftSetting] = [
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let gnu: [CSetting] = [.define("_GNU_SOURCE")]

let mongo = gnu + [.unsafeFlags(["-I/usr/include/libmongoc-1.0", "-I/usr/include/libbson-1.0"])]

let package = Package(
    name: "shake-benchmarks",
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        .target(name: "Measure", cSettings: gnu),

        // Floors in plain C, and the endpoint that everything is measured against.
        .executableTarget(
            name: "lmdb-floor", dependencies: ["Measure"], path: "Sources/LMDBFloor", cSettings: gnu,
            linkerSettings: [.linkedLibrary("lmdb")]),
        .executableTarget(
            name: "curl-floor", dependencies: ["Measure"], path: "Sources/CurlFloor", cSettings: gnu,
            linkerSettings: [.linkedLibrary("curl")]),
        .executableTarget(
            name: "sqlite-floor", dependencies: ["Measure"], path: "Sources/SQLiteFloor", cSettings: gnu,
            linkerSettings: [.linkedLibrary("sqlite3")]),
        .executableTarget(
            name: "postgres-floor", dependencies: ["Measure"], path: "Sources/PostgresFloor",
            cSettings: gnu + [.unsafeFlags(["-I/usr/include/postgresql"])], linkerSettings: [.linkedLibrary("pq")]),
        .executableTarget(
            name: "mongo-sink", dependencies: ["Measure"], path: "Sources/MongoSink", cSettings: mongo,
            linkerSettings: [.linkedLibrary("bson-1.0")]),
        .executableTarget(
            name: "mongo-floor", dependencies: ["Measure"], path: "Sources/MongoFloor", cSettings: mongo,
            linkerSettings: [.linkedLibrary("mongoc-1.0"), .linkedLibrary("bson-1.0")]),
        .executableTarget(
            name: "write-floor", dependencies: ["Measure"], path: "Sources/WriteFloor", cSettings: gnu,
            linkerSettings: [.linkedLibrary("curl")]),
        .executableTarget(name: "file-floor", dependencies: ["Measure"], path: "Sources/FileFloor", cSettings: gnu),
        .executableTarget(name: "page-server", dependencies: ["Measure"], path: "Sources/PageServer", cSettings: gnu),

        // The journal, driven in process.
        .executableTarget(
            name: "journal-bench", dependencies: ["Journal", "StreamModel"], path: "Sources/JournalBench",
            swiftSettings: house),

        // Links to the daemon's modules, with the settings of the root package.
        .target(name: "CLMDB", linkerSettings: [.linkedLibrary("lmdb")]),
        .target(name: "LMDB", dependencies: ["CLMDB"], swiftSettings: house),
        .target(name: "StreamModel", swiftSettings: house),
        .target(
            name: "Journal",
            dependencies: ["JournalWire", "LMDB", "StreamModel", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: house),
        .target(
            name: "JournalWire", dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
            exclude: ["journal.proto"]),
    ],
    swiftLanguageModes: [.v6]
)
