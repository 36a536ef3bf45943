import Settings

/// What was typed, understood.
enum Command: Equatable {
    case run(plugins: String)
    case initialize(directory: String, postgres: String?, kafka: String?)
    case check(plugins: String, offline: Bool)
    case status(plugins: String, state: String?, json: Bool)
    case reload(plugins: String, state: String?)
    case pluginList(plugins: String?)
    case pluginInfo(file: String, json: Bool)
    /// Of one command, or of all.
    case help(CommandSpec?)
    case version
}

/// Something typed that is no command of this program. Exit 64.
struct UsageError: Error, Equatable {
    /// One line: what is wrong, what is allowed.
    let message: String
    /// Whose help to point at; nil: the whole.
    var command: String?
    /// The sentence says all: the command is known, and comes later.
    var isLater = false
}

extension Command {
    /// Takes the arguments behind the program's name apart. Pure.
    static func parse(_ arguments: [String]) throws(UsageError) -> Command {
        var rest = arguments[...]
        guard let first = rest.first else {
            throw UsageError(message: "--plugins DIR is missing; for example: \(CommandCatalog.run.example)")
        }
        switch first {
        case "--help", "-h": return .help(nil)
        case "--version", "-V": return .version
        case "help":
            rest.removeFirst()
            return try help(Array(rest))
        case let option where option.hasPrefix("-"): return try parse(rest, as: CommandCatalog.run)
        default: break
        }
        guard let spec = try command(&rest) else { return .help(CommandCatalog.pluginList) }
        return try parse(rest, as: spec)
    }

    /// Takes the command's one or two words; nil where the help of `plugin` is asked for.
    private static func command(_ rest: inout ArraySlice<String>) throws(UsageError) -> CommandSpec? {
        var name = rest.removeFirst()
        if name == "plugin" {
            let words = (CommandCatalog.all.map(\.name) + CommandCatalog.later.keys).filter { $0.hasPrefix("plugin ") }.map {
                String($0.dropFirst(7))
            }
            guard let second = rest.popFirst() else { throw UsageError(message: "plugin needs one of \(words.sorted().joined(separator: ", "))") }
            if second == "--help" || second == "-h" { return nil }
            name += " " + second
            if !words.contains(second) {
                let nearest = NearestName.of(second, among: words).map { "; did you mean plugin \($0)?" } ?? ""
                throw UsageError(message: "unknown command \(shown(name))\(nearest)")
            }
        }
        if let spec = CommandCatalog.find(name) { return spec }
        if let sentence = CommandCatalog.later[name] { throw UsageError(message: sentence, isLater: true) }
        let known = CommandCatalog.all.map(\.name).filter { !$0.contains(" ") } + ["plugin", "help"]
        throw UsageError(message: "unknown command \(shown(name))\(NearestName.hint(name, among: known))")
    }

    private static func help(_ words: [String]) throws(UsageError) -> Command {
        guard !words.isEmpty else { return .help(nil) }
        let name = words.joined(separator: " ")
        if name == "help" || name == "plugin" { return .help(name == "help" ? nil : CommandCatalog.pluginList) }
        if let spec = CommandCatalog.find(name) { return .help(spec) }
        if let sentence = CommandCatalog.later[name] { throw UsageError(message: sentence, isLater: true) }
        throw UsageError(message: "unknown command \(shown(name))\(NearestName.hint(name, among: CommandCatalog.all.map(\.name)))")
    }

    private static func parse(_ arguments: ArraySlice<String>, as spec: CommandSpec) throws(UsageError) -> Command {
        var rest = arguments
        var values: [String: String] = [:]
        var flags: Set<String> = []
        var operands: [String] = []
        while let argument = rest.popFirst() {
            if argument == "--" {
                operands += rest
                break
            }
            guard argument.hasPrefix("-"), argument.count > 1 else {
                operands.append(argument)
                continue
            }
            if argument == "--help" || argument == "-h" { return .help(spec) }
            if argument == "--version" { return .version }
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let option = spec.options.first(where: { $0.name == parts[0] }) else { throw unknown(parts[0], spec) }
            if values[option.name] != nil { throw UsageError(message: "\(option.name) is given twice", command: spec.name) }
            guard let word = option.value else {
                if parts.count > 1 { throw UsageError(message: "\(option.name) takes no value", command: spec.name) }
                flags.insert(option.name)
                continue
            }
            let value = parts.count > 1 ? parts[1] : rest.first.flatMap { $0.hasPrefix("--") ? nil : $0 }
            if parts.count == 1, value != nil { rest.removeFirst() }
            guard let value, !value.isEmpty else {
                throw UsageError(message: "\(option.name) needs a value: \(option.name) \(word)", command: spec.name)
            }
            values[option.name] = value
        }
        try check(operands, spec)
        return try make(spec, values, flags, operands.first)
    }

    private static func check(_ operands: [String], _ spec: CommandSpec) throws(UsageError) {
        if spec.operand == nil, let extra = operands.first {
            throw UsageError(message: "\(spec.name) takes no operand, but \(shown(extra)) is there: \(spec.synopsis)", command: spec.name)
        }
        if let operand = spec.operand, operands.isEmpty {
            throw UsageError(message: "\(operand) is missing; for example: \(spec.example)", command: spec.name)
        }
        if operands.count > 1 { throw UsageError(message: "one \(spec.operand ?? "operand") at a time: \(spec.synopsis)", command: spec.name) }
    }

    private static func make(_ spec: CommandSpec, _ values: [String: String], _ flags: Set<String>, _ operand: String?) throws(UsageError) -> Command
    {
        func plugins() throws(UsageError) -> String {
            guard let directory = values["--plugins"] else {
                throw UsageError(message: "--plugins DIR is missing; for example: \(spec.example)", command: spec.name)
            }
            return directory
        }
        switch spec.name {
        case "init": return .initialize(directory: operand ?? "", postgres: values["--postgres"], kafka: values["--kafka"])
        case "check": return .check(plugins: try plugins(), offline: flags.contains("--offline"))
        case "status": return .status(plugins: try plugins(), state: values["--state"], json: flags.contains("--json"))
        case "reload": return .reload(plugins: try plugins(), state: values["--state"])
        case "plugin list": return .pluginList(plugins: values["--plugins"])
        case "plugin info": return .pluginInfo(file: operand ?? "", json: flags.contains("--json"))
        case "version": return .version
        default: return .run(plugins: try plugins())
        }
    }

    private static func unknown(_ option: String, _ spec: CommandSpec) -> UsageError {
        let known = spec.options.map(\.name) + ["--help"]
        let nearest = NearestName.hint(option, among: known)
        let rest = nearest.isEmpty ? "; it takes \(known.joined(separator: ", "))" : nearest
        return UsageError(message: "unknown option \(shown(option)) of \(spec.name)\(rest)", command: spec.name)
    }

    /// Without what would move a terminal's cursor, and not too long.
    private static func shown(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(60).map { $0.value < 32 || $0.value == 127 ? "?" : $0 }))
    }
}
