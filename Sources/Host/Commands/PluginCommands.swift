import Files
import PluginLoader
import Settings

/// `plugin list` and `plugin info`. Code of libraries runs in children only.
enum PluginCommands {
    static func info(file: String, json: Bool) -> ExitCode {
        var path = file
        if !file.contains("/"), !file.hasSuffix(".so") {
            do throws(PluginError) {
                path = try PluginLocation.resolve(plugin: file, stageFile: "", executableDirectory: StageAssembly.executableDirectory)
            } catch {
                printError("cdc-host: \(error)")
                return .plugin
            }
        }
        let description = PluginDescription.of(path, json: json)
        if let refusal = description.refusal {
            printError("cdc-host: \(refusal.line)")
            return refusal.code
        }
        print(description.text, terminator: "")
        return .clean
    }

    static func list(directory path: String?, environment: [String: String]) -> ExitCode {
        let own = PluginLocation.available(executableDirectory: StageAssembly.executableDirectory)
        var rows = [["PLUGIN", "ROLE", "VERSION", "SUMMARY"]]
        for (name, file) in own {
            let description = PluginDescription.of(file)
            if let refusal = description.refusal { rows.append([name, "refused", "", refusal.line]) }
            for stage in description.stages {
                rows.append([stage.id == name ? name : "\(name) stage \(stage.id)", stage.role, stage.version, stage.summary])
            }
        }
        if own.isEmpty {
            print("no plugins of the host's own beside \(StageAssembly.executableDirectory)")
        } else {
            TextTable.lines(rows).forEach { print($0) }
        }
        guard let path else { return .clean }
        let directory = PluginsDirectory.read(path: path, environment: environment)
        print("\nin use by \(path)")
        var code = ExitCode.clean
        var used = [["STAGE", "PLUGIN", "FILE"]]
        for stage in directory.stages {
            let plugin = stage.stage.map { "\(stage.plugin) stage \($0)" } ?? stage.plugin
            do throws(PluginError) {
                let file = try PluginLocation.resolve(
                    plugin: stage.plugin, stageFile: stage.file, executableDirectory: StageAssembly.executableDirectory)
                used.append([stage.name, plugin, FileSystem.exists(file) ? file : "missing: \(file)"])
                if !FileSystem.exists(file) { code = .plugin }
            } catch {
                used.append([stage.name, plugin, error.what])
                code = .plugin
            }
        }
        TextTable.lines(used).forEach { print($0) }
        let errors = directory.problems.filter { $0.severity == .error }
        errors.forEach { printError($0.description) }
        return errors.isEmpty ? code : .configuration
    }
}
