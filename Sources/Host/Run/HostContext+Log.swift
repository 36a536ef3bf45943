import Files
import Settings
import Telemetry

extension HostContext {
    /// With the log that the settings want.
    static func make(directory: String, settings: HostSettings) throws(FileError) -> HostContext {
        let terminal = settings.log.file == nil && StandardError.isTerminal ? TerminalLine(over: StandardError(), isTerminal: true) { StandardError.columns } : nil
        let log = Log(configuration(settings.log, try output(settings.log, terminal))) { .now() }
        return HostContext(directory: directory, settings: settings, log: log, terminal: terminal)
    }

    /// For a reload: opens what the new settings name; `log.reconfigure` then takes it.
    func logConfiguration(_ settings: LogSettings) throws(FileError) -> Log.Configuration {
        Self.configuration(settings, try Self.output(settings, terminal))
    }

    private static func output(_ settings: LogSettings, _ terminal: TerminalLine?) throws(FileError) -> any LogOutput {
        if let path = settings.file { return try AppendFile(path) }
        if let terminal { return terminal }
        return StandardError()
    }

    private static func configuration(_ settings: LogSettings, _ output: any LogOutput) -> Log.Configuration {
        let level: LogLevel =
            switch settings.level {
            case .debug: .debug
            case .info: .info
            case .warning: .warning
            case .error: .error
            }
        return Log.Configuration(level: level, format: settings.format == .json ? .json : .text, output: output)
    }
}
