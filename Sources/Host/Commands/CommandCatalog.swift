/// One option of a command.
struct OptionSpec: Equatable, Sendable {
    /// `--plugins`
    let name: String
    /// What its value is called; nil: it takes none.
    var value: String?
    /// One line for the help.
    let summary: String

    static let plugins = OptionSpec(name: "--plugins", value: "DIR", summary: "the directory that holds the whole configuration")
    static let state = OptionSpec(
        name: "--state", value: "DIR", summary: "where the lock file is, when host.yaml cannot be read (its state.directory)")
    static let json = OptionSpec(name: "--json", summary: "for programs")
    static let help = OptionSpec(name: "--help", summary: "this text")
}

/// One command as it is typed and explained: the parser and the help read the same table.
struct CommandSpec: Equatable, Sendable {
    /// One word or two: `check`, `plugin info`.
    let name: String
    let options: [OptionSpec]
    /// What its one operand is called; nil: it takes none.
    var operand: String?
    /// One line.
    let summary: String
    /// What `help COMMAND` says beside it.
    let details: String
    let example: String

    /// `cdc-host check --plugins DIR [--offline]`
    let synopsis: String
}

/// Every command of this version.
enum CommandCatalog {
    static let run = CommandSpec(
        name: "run", options: [.plugins], summary: "stream until told to stop",
        details: """
            Reads DIR, connects to PostgreSQL, runs every row through the stages and hands the records to the sink.
            TERM and INT drain and stop (a second one stops at once), HUP reads DIR again, USR1 opens log files anew.
            Exit codes: 0 stopped cleanly, 65 data, 69 unreachable, 74 state directory, 75 try again, 77 permission,
            78 configuration, 80 slot, 81 plugin, 82 held by another process.
            """,
        example: "cdc-host run --plugins plugins.d", synopsis: "cdc-host [run] --plugins DIR")

    static let initialize = CommandSpec(
        name: "init",
        options: [
            OptionSpec(name: "--postgres", value: "URI", summary: "look at this server, and write for its tables"),
            OptionSpec(name: "--kafka", value: "HOST:PORT", summary: "the brokers; the default is 127.0.0.1:9092"),
        ], operand: "DIR", summary: "write a commented plugins.d that passes check",
        details: """
            DIR must be empty or missing. A password in URI is not written: the file then names an environment variable.
            """,
        example: "cdc-host init plugins.d --postgres postgresql://cdc@db.example/shop --kafka kafka.example:9092",
        synopsis: "cdc-host init DIR [--postgres URI] [--kafka HOST:PORT]")

    static let check = CommandSpec(
        name: "check",
        options: [.plugins, OptionSpec(name: "--offline", summary: "files, values and plugins only: no server, no broker")],
        summary: "everything that can be known without starting",
        details: """
            Looks at files, values, plugins (in a process of their own), server, tables, publication, slot, brokers, topics.
            Nothing is changed on either side. One line a finding, on standard output; the exit code is that of the worst:
            0 all well (warnings included), 65 data, 69 unreachable, 74 state directory, 77 permission, 78 configuration,
            80 slot, 81 plugin.
            """,
        example: "cdc-host check --plugins plugins.d --offline", synopsis: "cdc-host check --plugins DIR [--offline]")

    static let status = CommandSpec(
        name: "status", options: [.plugins, .json, .state], summary: "what the running host says of itself",
        details: "Exit code 0 when it answers, 69 when no host runs or it does not answer.",
        example: "cdc-host status --plugins plugins.d --json", synopsis: "cdc-host status --plugins DIR [--json] [--state DIR]")

    static let reload = CommandSpec(
        name: "reload", options: [.plugins, .state], summary: "let the running host read plugins.d again, and wait for the outcome",
        details: """
            Prints what changed, or why not. Exit code 0 only if the new plan runs; 78 when the host refuses it and runs on
            with the old one, 69 when no host runs, 75 when it has not answered within ten minutes.
            """,
        example: "cdc-host reload --plugins plugins.d", synopsis: "cdc-host reload --plugins DIR [--state DIR]")

    static let pluginList = CommandSpec(
        name: "plugin list", options: [.plugins], summary: "stages available, and in use",
        details: "Without --plugins only the host's own plugins are listed.",
        example: "cdc-host plugin list --plugins plugins.d", synopsis: "cdc-host plugin list [--plugins DIR]")

    static let pluginInfo = CommandSpec(
        name: "plugin info", options: [.json], operand: "FILE.so", summary: "what a library says of itself",
        details: "Its stages, versions and options. A bare name is one of the host's own plugins. Exit code 81 when it is refused.",
        example: "cdc-host plugin info ./libMine.so", synopsis: "cdc-host plugin info FILE.so [--json]")

    static let version = CommandSpec(
        name: "version", options: [], summary: "the version", details: "", example: "cdc-host --version", synopsis: "cdc-host --version")

    static let all = [run, initialize, check, status, reload, pluginList, pluginInfo, version]

    /// Known by name, and not there yet.
    static let later: [String: String] = [
        "plugin check":
            "plugin check comes in a later version; cdc-host plugin info FILE.so already refuses a library that breaks the contract's form",
        "plugin new": "plugin new comes in a later version; copy examples/plugins/c, which builds from the headers alone",
    ]

    static func find(_ name: String) -> CommandSpec? { all.first { $0.name == name } }
}
