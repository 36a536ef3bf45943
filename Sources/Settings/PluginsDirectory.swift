internal import Documents
internal import Files

/// A plugins.d as it was read: the whole configuration, and everything that is wrong with it.
///
/// Reading touches the file system and nothing else; call it from any thread.
public struct PluginsDirectory: Sendable {
    /// The directory, as given.
    public var path: String
    /// What the host file says; nil when there is none to read.
    public var settings: HostSettings?
    /// The stages, in the order of their numbers.
    public var stages: [StageSettings]
    /// Errors and warnings, in the order of files and lines. With an error the rest must not be used to run.
    public var problems: [Problem]

    /// True when the host may run with it, as far as the files alone can say.
    public var isUsable: Bool { settings != nil && !problems.contains { $0.severity == .error } }

    /// Reads every file of the directory. Whatever is wrong is in `problems`, all of it at once.
    public static func read(path: String, environment: [String: String]) -> PluginsDirectory {
        var directory = PluginsDirectory(path: path, settings: nil, stages: [], problems: [])
        let place = SourcePlace(file: path)
        let names: [String]
        do {
            names = try FileSystem.list(path)
        } catch {
            let isFile = error.isMissing && FileSystem.exists(path)
            directory.problems = [
                Problem(
                    place,
                    isFile
                        ? "is no directory; name the one that holds host.yaml and the stages"
                        : error.isMissing ? "there is no such directory; make one with: cdc-host init \(path)" : "cannot be read: \(error.reason)")
            ]
            return directory
        }
        let listing = DirectoryListing(names.filter { isFile(FilePath.join(path, $0)) })
        directory.problems += listing.problems(path)
        let read = [path] + (listing.hostFiles + listing.stageFiles.map(\.file)).map { FilePath.join(path, $0) }
        directory.problems += read.compactMap(FileAccess().complaint)
        for name in listing.hostFiles {
            directory.readHost(SettingsFile(path: FilePath.join(path, name), environment: environment), environment)
        }
        for stage in listing.stageFiles {
            directory.readStage(SettingsFile(path: FilePath.join(path, stage.file), environment: environment), stage)
        }
        directory.problems += listing.strangers(path, among: directory.stages)
        directory.problems = directory.problems.inOrder()
        return directory
    }

    private mutating func readHost(_ file: SettingsFile, _ environment: [String: String]) {
        problems += file.problems
        guard let root = file.root else { return }
        let (tree, found) = HostSchema.schema.validate(root, isWhole: file.isWhole)
        var reader = HostReader(tree, environment: environment)
        let settings = reader.settings()
        problems += found + reader.problems
        if self.settings == nil { self.settings = settings }
    }

    private mutating func readStage(_ file: SettingsFile, _ stage: DirectoryListing.StageFile) {
        problems += file.problems
        guard let root = file.root else { return }
        var reader = StageReader()
        if let settings = reader.settings(root, isWhole: file.isWhole, name: stage.name, number: stage.number) { stages.append(settings) }
        problems += reader.problems
    }

    private static func isFile(_ path: String) -> Bool {
        // What cannot be looked at is kept: reading it says why.
        do { return try FileSystem.status(of: path).kind != .directory } catch { return true }
    }
}

/// Which of a directory's files are what.
struct DirectoryListing {
    struct StageFile {
        var file: String
        /// Without suffix.
        var name: String
        var number: Int
    }

    private(set) var hostFiles: [String] = []
    private(set) var stageFiles: [StageFile] = []
    private(set) var others: [String] = []

    init(_ names: [String]) {
        for name in names.sorted() where !DirectoryListing.isIgnored(name) {
            let stem = ["yaml", "yml", "toml"].lazy.compactMap { suffix in
                name.hasSuffix(".\(suffix)") ? String(name.dropLast(suffix.count + 1)) : nil
            }.first
            guard let stem else {
                others.append(name)
                continue
            }
            let digits = stem.prefix { $0.isASCII && $0.isNumber }
            if stem == "host" {
                hostFiles.append(name)
            } else if digits.count == 2, stem.dropFirst(2).first == "-", stem.count > 3, let number = Int(digits) {
                stageFiles.append(StageFile(file: name, name: stem, number: number))
            } else {
                others.append(name)
            }
        }
    }

    /// What the names alone say: no host file or several, two stages with one number.
    func problems(_ directory: String) -> [Problem] {
        var problems: [Problem] = []
        if hostFiles.isEmpty {
            problems.append(Problem(SourcePlace(file: directory), "no host.yaml and no host.toml; exactly one of them must be there"))
        } else if hostFiles.count > 1 {
            let place = SourcePlace(file: FilePath.join(directory, hostFiles[1]))
            problems.append(
                Problem(place, "a second host file beside \(hostFiles[0]); exactly one is allowed: keep one of \(hostFiles.joined(separator: ", "))"))
        }
        for (index, stage) in stageFiles.enumerated() {
            guard let first = stageFiles[..<index].first(where: { $0.number == stage.number }) else { continue }
            let place = SourcePlace(file: FilePath.join(directory, stage.file))
            problems.append(Problem(place, "has the same number as \(first.file); give \(stage.file) or \(first.file) another one"))
        }
        return problems
    }

    /// Files that are nothing; a library that a stage loads is something.
    func strangers(_ directory: String, among stages: [StageSettings]) -> [Problem] {
        let message = "is not read; a stage is named NN-name.yaml, .yml or .toml, with two digits (rename it to *.disabled to silence this)"
        return others.filter { name in !stages.contains { $0.plugin == "./\(name)" } }.map {
            Problem(SourcePlace(file: FilePath.join(directory, $0)), message, severity: .warning)
        }
    }

    private static func isIgnored(_ name: String) -> Bool {
        name.hasPrefix(".") || name.hasSuffix("~") || name.hasSuffix(".bak") || name.hasSuffix(".disabled")
            || name.contains(".dpkg-") || name.contains(".rpm")
    }
}
