/// What `--help` and `help COMMAND` print. A screen of 24 lines and 80 columns holds the first.
enum HelpText {
    static let overview = """
        cdc-host \(hostVersion): committed PostgreSQL changes as Kafka records.

        cdc-host --plugins DIR              stream until told to stop
        cdc-host init DIR                   write a commented plugins.d
        cdc-host check --plugins DIR        what can be known without starting
        cdc-host status --plugins DIR       what the running host says of itself
        cdc-host reload --plugins DIR       read plugins.d again, wait for the outcome
        cdc-host plugin list                stages available and in use
        cdc-host plugin info FILE.so        what a library says of itself
        cdc-host help COMMAND               options and exit codes of one command
        cdc-host --version

        Signals: TERM and INT drain and stop, HUP reads plugins.d again, USR1 opens
        log files anew. Answers go to standard output, the log to standard error.

        Example:
          cdc-host init plugins.d --postgres postgresql://cdc@db/shop
          cdc-host check --plugins plugins.d && cdc-host --plugins plugins.d
        """

    static func of(_ spec: CommandSpec) -> String {
        var lines = [spec.synopsis, "", spec.summary]
        if !spec.details.isEmpty { lines += ["", spec.details] }
        let options = spec.options + [.help]
        let width = options.map { label($0).count }.max() ?? 0
        lines.append("")
        lines += options.map { "  " + label($0) + String(repeating: " ", count: width - label($0).count + 2) + $0.summary }
        lines += ["", "Example:", "  " + spec.example]
        return lines.joined(separator: "\n")
    }

    private static func label(_ option: OptionSpec) -> String { option.name + (option.value.map { " " + $0 } ?? "") }
}
