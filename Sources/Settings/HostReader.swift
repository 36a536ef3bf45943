internal import Files

/// Makes `HostSettings` from a tree that the schema has accepted, and checks what a schema cannot say.
struct HostReader {
    private let tree: OptionTree
    private let environment: [String: String]
    private(set) var problems: [Problem] = []

    init(_ tree: OptionTree, environment: [String: String]) {
        self.tree = tree
        self.environment = environment
    }

    /// The settings; they are of use only when `problems` holds no error.
    mutating func settings() -> HostSettings {
        let name = self.name()
        let prefix = text("topics.prefix", name)
        return HostSettings(
            name: name,
            source: source(name),
            snapshot: SnapshotSettings(
                mode: choice("snapshot.mode", .initial, later: ["when_needed"]), workers: workers(), chunkRows: whole("snapshot.chunk_rows")),
            topics: TopicSettings(prefix: prefix, template: template()),
            stateDirectory: text("state.directory", StateDirectory.byDefault(environment)),
            limits: LimitSettings(inFlight: whole("limits.in_flight"), record: whole("limits.record"), stop: duration("limits.stop")),
            batch: BatchSettings(rows: whole("batch.rows"), bytes: whole("batch.bytes")),
            retry: retry(),
            deadLetters: DeadLetterSettings(
                topic: text("dead_letters.topic", "").replacing("{prefix}", with: prefix), values: choice("dead_letters.values", .original)),
            adminListen: adminListen(),
            log: LogSettings(level: choice("log.level", .info), format: choice("log.format", .text), file: node("log.file").map { beside($0.text) }))
    }

    // MARK: Parts

    private mutating func name() -> String {
        guard let node = node("name") else { return "" }
        let isGood = node.text.utf8.count <= 59 && !node.text.hasPrefix(".") && !node.text.hasPrefix("-") && node.text.utf8.allSatisfy(isNameByte)
        if !isGood { report(node, "\(node.quoted) cannot name a stream; allowed are up to 59 of a-z, A-Z, 0-9, _ - . and no . or - in front") }
        return node.text
    }

    private mutating func source(_ name: String) -> SourceSettings {
        let identifier = "cdc_" + name.lowercased().replacing("-", with: "_").replacing(".", with: "_")
        return SourceSettings(
            connection: connection(),
            mode: choice("source.mode", .stream, later: ["polling"]),
            slot: SlotSettings(
                name: slotName(identifier), create: truth("source.slot.create"), dropOnStop: truth("source.slot.drop_on_stop"),
                wait: node("source.slot.wait").map(duration)),
            publication: PublicationSettings(name: publicationName(identifier), manage: truth("source.publication.manage")),
            tables: TableSelection(include: tables("source.tables.include", atLeastOne: true), exclude: tables("source.tables.exclude")),
            columns: ColumnSelection(include: columns("source.columns.include"), exclude: columns("source.columns.exclude")),
            rows: rows(),
            statusInterval: duration("source.status_interval"), connectTimeout: duration("source.connect_timeout"),
            silenceTimeout: duration("source.silence_timeout"))
    }

    private func connection() -> Secret {
        guard let node = node("source.connection") else { return Secret("") }
        return node.holdsFile ? Secret(node.text) : Secret(node.text, redacted: ConnectionRedaction.redacted(node.text))
    }

    private mutating func slotName(_ byDefault: String) -> String {
        guard let node = node("source.slot.name") else { return byDefault }
        let isGood = node.text.utf8.count <= 63 && node.text.utf8.allSatisfy { isNameByte($0) && !(65...90).contains($0) && $0 != 45 && $0 != 46 }
        if !isGood { report(node, "\(node.quoted) cannot name a slot; PostgreSQL allows up to 63 of a-z, 0-9 and _") }
        return node.text
    }

    private mutating func publicationName(_ byDefault: String) -> String {
        guard let node = node("source.publication.name") else { return byDefault }
        if node.text.utf8.count > 63 { report(node, "is longer than the 63 bytes that PostgreSQL allows") }
        return node.text
    }

    private mutating func tables(_ path: String, atLeastOne: Bool = false) -> [TablePattern] {
        guard let list = node(path) else { return [] }
        if atLeastOne, list.elements.isEmpty, list.kind == .list { report(list, "is an empty list; name at least one table, such as public.*") }
        return list.elements.flatMap { TablePattern.read($0, &problems) }
    }

    private mutating func columns(_ path: String) -> [ColumnPattern] {
        var patterns: [ColumnPattern] = []
        for element in node(path)?.elements ?? [] where element.isUsableText {
            do { patterns += try ColumnPattern.list(element.text) } catch { report(element, element.explained(error)) }
        }
        return patterns
    }

    private mutating func rows() -> [RowCondition] {
        var conditions: [RowCondition] = []
        for entry in node("source.rows")?.entries ?? [] {
            do { conditions.append(RowCondition(table: try TablePattern(entry.key), condition: entry.tree.text)) } catch {
                problems.append(Problem(entry.place, keyPath: entry.tree.keyPath, error.message))
            }
        }
        return conditions
    }

    private mutating func workers() -> Int {
        let count = whole("snapshot.workers")
        if count > 1, let node = node("snapshot.workers") { report(node, "more than one worker comes in a later version; write 1") }
        return count
    }

    private mutating func template() -> String {
        guard let node = node("topics.template") else { return "" }
        let known = ["prefix", "schema", "table"]
        var rest = node.text[...]
        while let open = rest.firstIndex(of: "{") {
            let inside = rest[open...].dropFirst()
            let word = inside.prefix { $0 != "}" }
            guard word.endIndex < inside.endIndex else {
                report(node, "a { without its }; allowed are {prefix}, {schema} and {table}")
                break
            }
            if !known.contains(String(word)) {
                let named = node.isSecret ? "a word between { and }" : "{\(word)}"
                let hint = node.isSecret ? "" : NearestName.hint(String(word), among: known)
                report(node, "\(named) is not known; allowed are {prefix}, {schema} and {table}\(hint)")
            }
            rest = inside[inside.index(after: word.endIndex)...]
        }
        return node.text
    }

    private mutating func retry() -> RetrySettings {
        let giveUp = node("retry.give_up_after").flatMap { $0.integer == nil ? nil : duration($0) }
        let retry = RetrySettings(initial: duration("retry.initial"), max: duration("retry.max"), giveUpAfter: giveUp)
        if retry.max > .zero, retry.initial > retry.max, let node = node("retry.initial") {
            report(node, "is longer than retry.max; make it shorter")
        }
        return retry
    }

    private mutating func adminListen() -> AdminListen {
        guard let node = node("admin.listen"), node.isUsableText else { return .off }
        guard let listen = AdminListen(node.text) else {
            report(node, "\(node.quoted) is no address; allowed are off, HOST:PORT such as 127.0.0.1:9464, [::1]:9464, and unix:PATH")
            return .off
        }
        guard case .unix(let path) = listen else { return listen }
        guard let resolved = AdminListen("unix:" + beside(path)) else {
            report(node, "is longer than the 107 bytes that a Unix socket's path may have")
            return .off
        }
        return resolved
    }

    /// A relative path begins at the directory of the file that holds it.
    private func beside(_ path: String) -> String { FilePath.join(FilePath.directory(of: tree.place.file), path) }

    // MARK: Values

    private func node(_ path: String) -> OptionTree? {
        var node: OptionTree? = tree
        for key in path.split(separator: ".") { node = node?[String(key)] }
        return node
    }

    private func text(_ path: String, _ byDefault: String) -> String { node(path)?.text ?? byDefault }

    private func truth(_ path: String) -> Bool { node(path)?.bool ?? false }

    private func whole(_ path: String) -> Int { node(path)?.integer.flatMap { Int(exactly: $0) } ?? 0 }

    private func duration(_ path: String) -> Duration { node(path).map(duration) ?? .zero }

    private func duration(_ node: OptionTree) -> Duration { .nanoseconds(node.integer ?? 0) }

    private mutating func choice<Choice: RawRepresentable<String>>(_ path: String, _ byDefault: Choice, later: [String] = []) -> Choice {
        guard let node = node(path) else { return byDefault }
        if later.contains(node.text) { report(node, "\(node.quoted) comes in a later version; choose another value") }
        return Choice(rawValue: node.text) ?? byDefault
    }

    private mutating func report(_ node: OptionTree, _ message: String) {
        if !node.isUnresolved { problems.append(node.problem(message)) }
    }
}

extension HostSettings {
    /// What the defaults alone say, for trying stages where no host file can be read. Not to run with.
    public static func byDefault(_ environment: [String: String]) -> HostSettings {
        let (tree, _) = HostSchema.schema.validate(.empty(place: SourcePlace(file: "")))
        var reader = HostReader(tree, environment: environment)
        return reader.settings()
    }
}

/// Where the position is kept when nobody says so.
public enum StateDirectory {
    /// The first of systemd's `$STATE_DIRECTORY`, else `state`.
    public static func byDefault(_ environment: [String: String]) -> String {
        environment["STATE_DIRECTORY"]?.split(separator: ":").first.map(String.init) ?? "state"
    }
}

private func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122, 45, 46, 95: true
    default: false
    }
}

extension TablePattern {
    /// The patterns of one element of a list; what is wrong with it goes to `problems`.
    static func read(_ element: OptionTree, _ problems: inout [Problem]) -> [TablePattern] {
        guard element.isUsableText else { return [] }
        do { return try list(element.text) } catch {
            problems.append(element.problem(element.explained(error)))
            return []
        }
    }
}

extension OptionTree {
    /// Text that is there and has not been complained of.
    var isUsableText: Bool { kind == .string && !text.isEmpty && !isUnresolved }

    /// What is wrong with it as a pattern; the explanation repeats parts of it, which a secret must not.
    fileprivate func explained(_ error: TablePattern.Malformed) -> String {
        isSecret ? "\(quoted): is no pattern" : "\(quoted): \(error.message)"
    }
}
