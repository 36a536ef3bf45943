// swift-tools-version: 6.2
import PackageDescription

// The import rules of the house are the `dependencies:` below; Tests/TidyTests holds what a manifest cannot say.

/// Every Swift target: https://www.swift.org/swift-evolution (proposal numbers behind each).
let everywhere: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),  // SE-0335
    .enableUpcomingFeature("InternalImportsByDefault"),  // SE-0409
    .enableUpcomingFeature("MemberImportVisibility"),  // SE-0444
]
/// Safe rooms: no pointer is dereferenced, the word `unsafe` does not occur (SE-0458).
let safe: [SwiftSetting] = everywhere + [.strictMemorySafety()]
/// Edge rooms: pointers are their job.
let edge: [SwiftSetting] = everywhere

/// A plugin: one export, never unloaded, bound at load; its own ABI name, so that two versions of one Swift module can live in a process.
func plugin(_ name: String, version: String = "0_1_0", _ dependencies: [Target.Dependency] = []) -> Target {
    .target(
        name: name,
        dependencies: ["PluginABI", "PluginKit"] + dependencies,
        path: "Plugins/\(name)",
        swiftSettings: edge + [.unsafeFlags(["-module-abi-name", "\(name)_\(version)"])],
        linkerSettings: [
            .unsafeFlags([
                "-Xlinker", "--version-script=\(Context.packageDirectory)/Plugins/export.map",
                "-Xlinker", "-z", "-Xlinker", "nodelete", "-Xlinker", "-z", "-Xlinker", "now",
            ])
        ])
}

func library(_ name: String) -> Product { .library(name: name, type: .dynamic, targets: [name]) }

func room(_ name: String, _ settings: [SwiftSetting], _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/\(name)", swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [String] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: dependencies, path: "Tests/\(name)Tests",
        exclude: resources, swiftSettings: edge)
}

let package = Package(
    name: "cdc-host",
    products: [
        .executable(name: "cdc-host", targets: ["Host"]),
        .executable(name: "embedded-kafka", targets: ["EmbeddedKafka"]),
        .executable(name: "shop-demo", targets: ["Shop"]),
        library("PgOutput"), library("Filter"), library("Masking"), library("JSONCodec"),
        library("KeyPartitioner"), library("KafkaSink"), library("FileSink"),
    ],
    targets: [
        // The contract, and Swift over it.
        .target(name: "PluginABI", path: "Sources/PluginABI"),
        room("PluginKit", edge, ["PluginABI"]),

        // The system's libraries.
        .systemLibrary(name: "LibPQ", path: "Sources/System/LibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "LibRDKafka", path: "Sources/System/LibRDKafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
        .systemLibrary(name: "Jansson", path: "Sources/System/Jansson", pkgConfig: "jansson", providers: [.apt(["libjansson-dev"])]),
        .systemLibrary(name: "Fyaml", path: "Sources/System/Fyaml", pkgConfig: "libfyaml", providers: [.apt(["libfyaml-dev"])]),
        .systemLibrary(name: "MicroHTTPD", path: "Sources/System/MicroHTTPD", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
        .systemLibrary(name: "LibcExtras", path: "Sources/System/LibcExtras"),
        .target(
            name: "TOMLShim", path: "Sources/System/TOMLShim",
            cxxSettings: [.define("TOML_EXCEPTIONS", to: "0"), .unsafeFlags(["-fno-exceptions", "-fno-rtti"])]),

        // The rooms of the host.
        room("Files", edge, []),
        room("Documents", edge, ["Fyaml", "TOMLShim"]),
        room("Settings", safe, ["Documents", "Files"]),
        room("Telemetry", safe, ["Files"]),
        room("Checkpoint", safe, ["Files"]),
        room("Pipeline", safe, []),
        room("Chain", edge, ["PluginABI", "Pipeline", "Settings", "Files"]),
        room("PluginLoader", edge, ["PluginABI", "Settings", "Files", "Jansson"]),
        room("Postgres", edge, ["LibPQ"]),
        room("Snapshot", safe, ["Postgres"]),
        room("Admin", edge, ["MicroHTTPD"]),
        .executableTarget(
            name: "Host",
            dependencies: [
                "PluginABI", "Files", "Documents", "Settings", "Telemetry", "Checkpoint", "Pipeline", "Chain", "PluginLoader", "Postgres", "Snapshot",
                "Admin", "LibcExtras",
            ],
            path: "Sources/Host", swiftSettings: edge),

        // The host's own plugins: it links none of them.
        plugin("PgOutput"), plugin("Filter"), plugin("Masking"), plugin("JSONCodec"), plugin("KeyPartitioner"),
        plugin("KafkaSink", ["LibRDKafka"]), plugin("FileSink"),

        // What `make demo` runs; EmbeddedKafka serves the tests too.
        .executableTarget(name: "EmbeddedKafka", dependencies: ["LibRDKafka"], path: "Demo/EmbeddedKafka", swiftSettings: edge),
        .executableTarget(name: "Shop", dependencies: ["LibPQ", "LibRDKafka"], path: "Demo/Shop", swiftSettings: edge),

        tests("PluginABI", ["PluginABI"], resources: ["layout_v1_0.c"]),
        tests("Files", ["Files"]),
        tests("Documents", ["Documents"]),
        tests("Settings", ["Settings", "Documents"]),
        tests("Telemetry", ["Telemetry", "Files"]),
        tests("Admin", ["Admin"]),
        tests("Checkpoint", ["Checkpoint", "Files"]),
        tests("Pipeline", ["Pipeline"]),
        tests("Chain", ["Chain", "Pipeline", "PluginABI", "Settings"]),
        tests("PluginLoader", ["PluginLoader", "PluginABI", "Settings", "Documents", "Files"], resources: ["Fixtures"]),
        tests("Postgres", ["Postgres", "Snapshot", "Chain", "PluginABI"]),
        // Plugins are tested as what they are, shared libraries behind the contract: the harness loads the built .so.
        .target(name: "StageHarness", dependencies: ["PluginABI"], path: "Tests/Support/StageHarness", swiftSettings: edge),
        tests("PgOutput", ["PluginABI", "StageHarness"], resources: ["Fixtures"]),
        tests("Filter", ["PluginABI", "StageHarness"]),
        tests("Masking", ["PluginABI", "StageHarness"]),
        tests("JSONCodec", ["PluginABI", "PluginKit", "StageHarness"], resources: ["Goldens"]),
        tests("KeyPartitioner", ["PluginABI", "StageHarness"]),
        tests("KafkaSink", ["PluginABI", "StageHarness", "LibRDKafka"]),
        tests("FileSink", ["PluginABI", "StageHarness"]),
        tests("Host", ["Host", "Settings"]),
        tests("Tidy", []),
    ],
    cxxLanguageStandard: .cxx17
)
