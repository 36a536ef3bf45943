import Files
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

        var decoder = DecoderFacts()
        tryStages(directory, reach: .configure, environment, &decoder, say)
        let connectionIsKnown = directory.settings.map { !$0.source.connection.exposed.isEmpty } ?? false
        if !isOffline, connectionIsKnown, let settings = directory.settings, canConnect(directory) {
            let server = ServerCheck(
                settings: settings, places: SettingPlaces(directory: path), outputPlugin: decoder.outputPlugin, mayStart: directory.isUsable, say: say
            )
            let isKnown = server.run()
            if directory.isUsable, Finding.worst(findings) != .plugin {
                tryStages(directory, reach: isKnown ? .tables : .brokers, environment, &decoder) { finding in
                    // What it said before, it says again.
                    if !findings.contains(finding) { say(finding) }
                }
            }
        }
        return conclude(findings, isOffline: isOffline)
    }

    private struct DecoderFacts { var outputPlugin = "pgoutput" }

    /// An error in what makes the connection leaves nothing to ask.
    private static func canConnect(_ directory: PluginsDirectory) -> Bool {
        !directory.problems.contains {
            $0.severity == .error && ["source.connection", "name", "source.tables.include", "source.tables", "source"].contains($0.keyPath)
        }
    }

    /// A stage whose code ends the child is named and left out of the next attempt.
    private static func tryStages(
        _ directory: PluginsDirectory, reach: InnerCommand.Reach, _ environment: [String: String], _ decoder: inout DecoderFacts,
        _ say: (Finding) -> Void
    ) {
        var skipped: Set<String> = []
        while skipped.count <= directory.stages.count {
            var outputPlugin = decoder.outputPlugin
            let accident = ChildTrial.run(.checkStages(directory: directory.path, skipped: skipped, reach: reach)) { report in
                switch report {
                case .finding(let finding): say(finding)
                case .outputPlugin(let name): outputPlugin = name
                default: break
                }
            }
            decoder.outputPlugin = outputPlugin
            guard let accident else { return }
            guard let stage = directory.stages.first(where: { $0.name == accident.stage }) else {
                return say(.error(accident.code, accident.stage.isEmpty ? "stages" : accident.stage, "a plugin \(accident.message)"))
            }
            say(.problem(Problem(stage.pluginPlace, keyPath: "plugin", "\(stage.plugin) \(accident.message)"), code: accident.code))
            skipped.insert(stage.name)
            if reach != .configure { return }
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
