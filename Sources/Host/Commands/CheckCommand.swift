import Files
import Postgres
import Settings

/// `check`: everything that can be known without starting. Findings on standard output, one a line; the exit code is that of the worst.
enum CheckCommand {
    static func run(directory path: String, isOffline: Bool, environment: [String: String]) -> ExitCode {
        var findings: [Finding] = []
        func say(_ finding: Finding) {
            if !findings.contains(finding) { print(finding.line) }
            findings.append(finding)
        }
        let directory = PluginsDirectory.read(path: path, environment: environment)
        directory.problems.forEach { say(.problem($0)) }
        let isThere = (try? FileSystem.status(of: path).kind == .directory) ?? false
        guard isThere else { return conclude(findings, isOffline: isOffline) }
        if directory.isUsable { say(.ok(path, "host file and \(directory.stages.count) stages are well formed")) }

        var trial = StageChecks(directory: directory, environment: environment)
        trial.run(reach: .configure, say)
        let places = SettingPlaces(directory: path)
        if let settings = directory.settings {
            stateDirectory(settings.stateDirectory, places, say)
            if let file = settings.log.file { logFile(file, places, say) }
        }
        let isSound = isSound(directory, places, say)
        if !isOffline, let settings = directory.settings, canConnect(directory) {
            let server = ServerCheck(
                settings: settings, places: places, outputPlugin: trial.outputPlugin, mayStart: directory.isUsable, say: say)
            let isKnown = isSound && server.run()
            if directory.isUsable, Finding.worst(findings) != .plugin {
                trial.run(reach: isKnown ? .tables : .brokers) { finding in
                    // What it said before, it says again.
                    if !findings.contains(finding) { say(finding) }
                }
            }
        }
        return conclude(findings, isOffline: isOffline)
    }

    /// Makes none. A check may run as another user than the host, so what is not writable is only a warning.
    private static func stateDirectory(_ path: String, _ places: SettingPlaces, _ say: (Finding) -> Void) {
        var nearest = path
        while !FileSystem.exists(nearest), FilePath.directory(of: nearest) != nearest { nearest = FilePath.directory(of: nearest) }
        if (try? FileSystem.status(of: nearest).kind) != .directory {
            say(.problem(places.problem("state.directory", "\(path) cannot be made: \(nearest) is no directory"), code: .io))
        } else if !FileSystem.mayWrite(in: nearest) {
            let message = "this user may not write in \(nearest), and the host must, to keep its position in \(path)"
            say(.problem(places.problem("state.directory", message, severity: .warning)))
        }
    }

    private static func logFile(_ path: String, _ places: SettingPlaces, _ say: (Finding) -> Void) {
        let above = FilePath.directory(of: path)
        if (try? FileSystem.status(of: above).kind) != .directory {
            say(.problem(places.problem("log.file", "\(path) cannot be opened: \(above) is no directory; make it")))
        } else if (try? FileSystem.status(of: path).kind) == .directory {
            say(.problem(places.problem("log.file", "\(path) is a directory; name a file")))
        }
    }

    /// False where there is none, or none that any attempt could succeed with.
    private static func isSound(_ directory: PluginsDirectory, _ places: SettingPlaces, _ say: (Finding) -> Void) -> Bool {
        guard let connection = directory.settings?.source.connection.exposed, !connection.isEmpty else { return false }
        do throws(PostgresError) {
            try Connection.validate(connection)
            return true
        } catch {
            say(.problem(places.problem("source.connection", error.description)))
            return false
        }
    }

    /// An error in what makes the connection leaves nothing to ask.
    private static func canConnect(_ directory: PluginsDirectory) -> Bool {
        !directory.problems.contains {
            $0.severity == .error && ["source.connection", "name", "source.tables.include", "source.tables", "source"].contains($0.keyPath)
        }
    }

    private static func conclude(_ findings: [Finding], isOffline: Bool) -> ExitCode {
        let errors = Set(findings.filter { $0.verdict == .error }.map(\.line)).count
        let warnings = Set(findings.filter { $0.verdict == .warning }.map(\.line)).count
        let scope = isOffline ? " (offline: server, tables and brokers were not looked at)" : ""
        print("check: \(count(errors, "error")), \(count(warnings, "warning"))\(scope)")
        return Finding.worst(findings)
    }

    private static func count(_ number: Int, _ word: String) -> String { number == 0 ? "no \(word)s" : "\(number) \(word)\(number == 1 ? "" : "s")" }
}
