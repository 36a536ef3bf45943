import Glibc

/// From what was typed to the command that does it. Answers go to standard output, everything else to standard error.
enum CommandLineInterface {
    static func run(_ arguments: [String], environment: [String: String]) -> ExitCode {
        // Nobody types these: the program starts itself with them, to let a plugin's code run in a process that may die.
        if let inner = InnerCommand(arguments) { return inner.run(environment: environment) }
        do throws(UsageError) {
            return execute(try Command.parse(arguments), environment)
        } catch {
            printError("cdc-host: \(error.message)")
            if error.isLater { return .usage }
            printError("See cdc-host \(error.command.map { "help \($0)" } ?? "--help")")
            return .usage
        }
    }

    private static func execute(_ command: Command, _ environment: [String: String]) -> ExitCode {
        switch command {
        case .run(let plugins): return RunCommand.run(directory: plugins, environment: environment)
        case .initialize(let directory, let postgres, let kafka):
            return InitCommand(directory: directory, postgres: postgres, kafka: kafka).run(environment: environment)
        case .check(let plugins, let offline): return CheckCommand.run(directory: plugins, isOffline: offline, environment: environment)
        case .status(let plugins, let state, let json):
            return StatusCommand.run(directory: plugins, state: state, json: json, environment: environment)
        case .reload(let plugins, let state): return ReloadCommand.run(directory: plugins, state: state, environment: environment)
        case .pluginList(let plugins): return PluginCommands.list(directory: plugins, environment: environment)
        case .pluginInfo(let file, let json): return PluginCommands.info(file: file, json: json)
        case .help(let spec):
            print(spec.map(HelpText.of) ?? HelpText.overview)
            return .clean
        case .version:
            print("cdc-host \(hostVersion)")
            return .clean
        }
    }

    /// The process's environment as a dictionary.
    static func environment() -> [String: String] {
        var result: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let pair = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if pair.count == 2 { result[String(pair[0])] = String(pair[1]) }
            entry += 1
        }
        return result
    }
}
