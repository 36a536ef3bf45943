import Testing

/// The arrows point one way (ARCHITECTURE.md); what a module may import beyond its libraries is in the manifest, and nowhere else.
@Suite struct ImportTests {
    /// A change here is a change of the architecture.
    private static let arrows: [String: Set<String>] = [
        "PluginKit": ["PluginABI"], "Files": [], "Documents": ["Fyaml", "TOMLShim"], "Settings": ["Documents", "Files"], "Telemetry": ["Files"],
        "Checkpoint": ["Files"], "Pipeline": [], "Chain": ["PluginABI", "Pipeline", "Settings", "Files"],
        "PluginLoader": ["PluginABI", "Settings", "Files", "Jansson"], "Postgres": ["LibPQ"], "Snapshot": ["Postgres"], "Admin": ["MicroHTTPD"],
        "Host": [
            "PluginABI", "Files", "Documents", "Settings", "Telemetry", "Checkpoint", "Pipeline", "Chain", "PluginLoader", "Postgres", "Snapshot", "Admin",
            "LibcExtras",
        ],
        "KafkaSink": ["PluginABI", "PluginKit", "LibRDKafka"], "EmbeddedKafka": ["LibRDKafka"], "Shop": ["LibPQ", "LibRDKafka"],
    ]
    /// Libraries that one place only may know.
    private static let owners: [String: Set<String>] = [
        "LibPQ": ["Sources/Postgres", "Demo/Shop"], "LibRDKafka": ["Plugins/KafkaSink", "Demo/Shop", "Demo/EmbeddedKafka"], "Fyaml": ["Sources/Documents"],
        "TOMLShim": ["Sources/Documents"], "MicroHTTPD": ["Sources/Admin"], "Jansson": ["Sources/PluginLoader"], "LibcExtras": ["Sources/Host"],
    ]
    private static let libc: Set<String> = ["Glibc", "Synchronization"]

    private struct Import {
        let file: SourceFile
        let line: Int
        let module: String
    }

    private static let all: [Import] = SourceTree.swift.flatMap { file in
        file.code.enumerated().compactMap { line, text in
            var words = text.split(separator: " ")
            while let first = words.first, first.hasPrefix("@") || ["public", "internal", "package", "fileprivate", "private"].contains(first) { words.removeFirst() }
            guard words.first == "import", words.count > 1 else { return nil }
            return Import(file: file, line: line + 1, module: String(words[words.count - 1].split(separator: ".")[0]))
        }
    }

    @Test func theManifestKeepsTheArrows() {
        for (target, dependencies) in SourceTree.manifest.imports {
            let expected = Self.arrows[target] ?? ["PluginABI", "PluginKit"]
            #expect(dependencies == expected, "\(target)")
        }
        #expect(SourceTree.manifest.imports.count == Self.arrows.count + SourceTree.manifest.plugins.count - 1)
        #expect(SourceTree.manifest.safeRooms == ["Settings", "Telemetry", "Checkpoint", "Pipeline", "Snapshot"])
    }

    @Test func everyImportIsInTheManifest() {
        #expect(Self.all.count > 100)
        for found in Self.all where !Self.libc.contains(found.module) {
            let allowed = SourceTree.manifest.imports[found.file.room] ?? []
            #expect(allowed.contains(found.module), "\(found.file.path):\(found.line) imports \(found.module)")
        }
    }

    @Test func librariesHaveOneOwner() {
        for found in Self.all {
            guard let owners = Self.owners[found.module] else { continue }
            let place = found.file.path.split(separator: "/").prefix(2).joined(separator: "/")
            #expect(owners.contains(place), "\(found.file.path):\(found.line) imports \(found.module)")
        }
    }

    @Test func foundationIsNowhere() {
        for found in Self.all { #expect(!found.module.hasPrefix("Foundation"), "\(found.file.path):\(found.line)") }
    }
}
