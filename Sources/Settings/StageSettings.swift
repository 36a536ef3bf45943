/// The operations of a row, in the words of `match.ops`.
public enum RowOp: String, Sendable, Hashable, CaseIterable {
    case insert, update, delete, truncate, message
    /// A row of the snapshot.
    case read
}

/// What becomes of a row that a stage fails.
public enum OnError: String, Sendable, CaseIterable {
    /// The stream stops before it.
    case stop
    /// It goes to the dead letters. Comes in a later version.
    case dlq
    /// It is counted and left out.
    case skip
}

/// What one stage file says.
public struct StageSettings: Sendable {
    /// The file as shown: `plugins.d/30-masking.yaml`. Relative paths in it begin at its directory.
    public var file: String
    /// Its name without suffix: `30-masking`.
    public var name: String
    /// Its place in the chain.
    public var number: Int
    /// A bare name (the host's own plugin), or a path with a slash in it, relative to the file.
    public var plugin: String
    /// Where `plugin` stands: for what the loader has to say about it.
    public var pluginPlace: SourcePlace
    /// Which stage of a library that has several; nil: the only one.
    public var stage: String?
    /// Hash that the library must have, 64 lower-case hex digits.
    public var sha256: String?
    /// Tables whose rows the stage sees; nil: all.
    public var matchTables: [TablePattern]?
    /// Operations that the stage sees; nil: all.
    public var matchOps: Set<RowOp>?
    /// What becomes of failed rows; nil: not said, which means `stop`.
    public var onError: OnError?
    /// The plugin's own options, not yet held against its schema: `OptionSchema.validate` does that.
    public var options: OptionTree
    /// The whole file, for the places of messages.
    public var whole: OptionTree
    /// False when a syntax error hides the end of the file.
    var isWhole: Bool

    /// The stage with its options held against the schema of its plugin: defaults filled in, units turned into numbers, secrets marked.
    public func validated(against schema: OptionSchema) -> (stage: StageSettings, problems: [Problem]) {
        var stage = self
        let (tree, problems) = schema.validate(options, isWhole: isWhole)
        stage.options = tree
        return (stage, problems)
    }

    /// The place of a key of the file, or of the file's begin where the key is absent.
    public func place(of key: String) -> SourcePlace {
        whole.keys.contains(key) ? (whole[key]?.place ?? whole.place) : whole.place
    }
}

extension StageSettings: Equatable {
    /// The same stage with the same settings; places do not count. Says nothing of the library's bytes.
    public static func == (left: StageSettings, right: StageSettings) -> Bool {
        left.name == right.name && left.file == right.file && left.plugin == right.plugin && left.stage == right.stage
            && left.sha256 == right.sha256 && left.matchTables == right.matchTables && left.matchOps == right.matchOps
            && left.onError == right.onError && left.options == right.options
    }
}

/// Makes `StageSettings` from a stage file.
struct StageReader {
    private(set) var problems: [Problem] = []

    /// The settings, or nil where not even the plugin is known. Of use only when `problems` holds no error.
    mutating func settings(_ given: OptionTree, isWhole: Bool, name: String, number: Int) -> StageSettings? {
        let (tree, found) = StageSchema.schema.validate(given, isWhole: isWhole)
        problems += found
        let match = tree["match"]
        let hash = sha256(tree["sha256"])
        let tables = match?["tables"].map { list in list.elements.flatMap { TablePattern.read($0, &problems) } }
        let ops = match?["ops"].map { list in Set(list.elements.compactMap { RowOp(rawValue: $0.text) }) }
        let onError = tree["on_error"].flatMap { OnError(rawValue: $0.text) }
        if onError == .dlq, let node = tree["on_error"] {
            problems.append(node.problem("dead letters come in a later version; choose stop or skip"))
        }
        guard let plugin = tree["plugin"], plugin.isUsableText else { return nil }
        return StageSettings(
            file: given.place.file, name: name, number: number, plugin: plugin.text, pluginPlace: plugin.place,
            stage: tree["stage"]?.text, sha256: hash, matchTables: tables, matchOps: ops, onError: onError,
            options: tree["options"] ?? .empty(place: tree.place, keyPath: "options"), whole: tree, isWhole: isWhole)
    }

    private mutating func sha256(_ node: OptionTree?) -> String? {
        guard let node, node.isUsableText else { return nil }
        let hash = node.text.lowercased()
        let isGood = hash.utf8.count == 64 && hash.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
        guard isGood else {
            problems.append(node.problem("is no SHA-256; allowed are 64 hex digits, as sha256sum prints them"))
            return nil
        }
        return hash
    }
}
