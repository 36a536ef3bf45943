import Glibc

/// What the user typed, taken apart; the work is in the commands' own files.
enum CommandLineInterface {
    static func run(_ arguments: [String], environment: [String: String]) -> ExitCode {
        var rest = arguments[...]
        let command = rest.first.flatMap { $0.hasPrefix("-") ? nil : $0 }
        if command != nil { rest = rest.dropFirst() }
        var plugins: String?
        while let argument = rest.popFirst() {
            switch argument {
            case "--plugins": plugins = rest.popFirst()
            case "--version":
                print("cdc-host \(hostVersion)")
                return .clean
            default:
                printError("cdc-host: unknown argument \(argument)")
                return .usage
            }
        }
        guard let plugins else {
            printError("cdc-host: --plugins DIR is missing")
            return .usage
        }
        return RunCommand.run(directory: plugins, environment: environment)
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
