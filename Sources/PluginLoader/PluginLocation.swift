import Files

/// Where the library that a stage file names is to be found. There is no search path.
public enum PluginLocation {
    /// The path that `plugin` means.
    ///
    /// A bare name is one of the host's own plugins: `lib<Name>.so` beside the executable, or `../lib/cdc-host/` from it. Anything with a slash is a
    /// file, relative to the stage file's directory.
    public static func resolve(plugin: String, stageFile: String, executableDirectory: String) throws(PluginError) -> String {
        if plugin.contains("/") { return FilePath.join(FilePath.directory(of: stageFile), plugin) }
        guard isName(plugin) else {
            let hint =
                plugin.hasSuffix(".so")
                ? "write ./\(plugin) for a file beside this one" : "write a bare name such as KafkaSink, or a path with a slash"
            throw PluginError(.missing, plugin, "is not the name of a plugin", cure: hint)
        }
        let candidates = directories(executableDirectory).map { FilePath.join($0, "lib\(plugin).so") }
        if let found = candidates.first(where: FileSystem.exists) { return found }
        let known = available(executableDirectory: executableDirectory).map(\.name)
        throw PluginError(
            .missing, plugin, "the host has no plugin of this name (looked for \(candidates.joined(separator: " and ")))",
            cure: (known.isEmpty ? "" : "its own are \(known.joined(separator: ", ")); ") + "a library of your own is named by a path with a slash")
    }

    /// The host's own plugins that are there, by name. Only files are read, no code of them runs.
    public static func available(executableDirectory: String) -> [(name: String, path: String)] {
        var found: [(name: String, path: String)] = []
        for directory in directories(executableDirectory) {
            for file in (try? FileSystem.list(directory)) ?? [] where file.hasPrefix("lib") && file.hasSuffix(".so") {
                let name = String(file.dropFirst(3).dropLast(3))
                let path = FilePath.join(directory, file)
                guard !found.contains(where: { $0.name == name }), (try? PluginFile(path, sha256: nil)) != nil else { continue }
                found.append((name, path))
            }
        }
        return found.sorted { $0.name < $1.name }
    }

    private static func directories(_ executableDirectory: String) -> [String] {
        [executableDirectory, FilePath.join(FilePath.directory(of: executableDirectory), "lib/cdc-host")]
    }
}

/// `[A-Za-z][A-Za-z0-9_-]*`, at most 64 characters: names of plugins, libraries and stages.
func isName(_ text: String) -> Bool {
    let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
    guard let first = text.utf8.first, letters.contains(first & 0xdf), text.utf8.count <= 64 else { return false }
    return text.utf8.allSatisfy {
        letters.contains($0 & 0xdf) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
    }
}
