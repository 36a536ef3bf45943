import Glibc

/// What the program does as its own child: run a plugin's code and report through the pipe.
enum InnerCommand: Equatable {
    /// How far the stages are tried.
    enum Reach: String {
        /// Loaded and configured.
        case configure
        /// Then the sink's brokers are looked for.
        case brokers
        /// And before that, every stage is bound to the server's tables.
        case tables
    }

    case checkStages(directory: String, skipped: Set<String>, reach: Reach)
    case describe(file: String, json: Bool)

    static let checkStagesName = "inner-check-stages"
    static let describeName = "inner-describe"

    var arguments: [String] {
        switch self {
        case .checkStages(let directory, let skipped, let reach):
            [Self.checkStagesName, directory, reach.rawValue] + skipped.sorted()
        case .describe(let file, let json): [Self.describeName, file, json ? "json" : "text"]
        }
    }

    /// nil: the arguments are a user's.
    init?(_ arguments: [String]) {
        guard arguments.count >= 3, fcntl(ChildProcess.reportDescriptor, F_GETFD) >= 0 else { return nil }
        switch arguments[0] {
        case Self.checkStagesName:
            guard let reach = Reach(rawValue: arguments[2]) else { return nil }
            self = .checkStages(directory: arguments[1], skipped: Set(arguments[3...]), reach: reach)
        case Self.describeName: self = .describe(file: arguments[1], json: arguments[2] == "json")
        default: return nil
        }
    }

    func run(environment: [String: String]) -> ExitCode {
        signal(SIGPIPE, SIG_IGN)
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        switch self {
        case .checkStages(let directory, let skipped, let reach):
            StageTrial(directory: directory, skipped: skipped, reach: reach, environment: environment).run()
        case .describe(let file, let json): PluginDescription.report(file, json: json)
        }
        ChildReport.done.send()
        return .clean
    }
}
