/// A place in a file of the configuration.
public struct SourcePlace: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The file, as people wrote or see it: `plugins.d/host.yaml`.
    public var file: String
    /// Line from 1; 0 where a whole file or directory is meant.
    public var line: Int
    /// Column from 1, in characters; 0 with line 0.
    public var column: Int

    /// A place; without line and column the whole file.
    public init(file: String, line: Int = 0, column: Int = 0) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// `FILE:LINE:COLUMN`, or `FILE` alone.
    public var description: String { line > 0 ? "\(file):\(line):\(column)" : file }

    /// By file, then line, then column.
    public static func < (left: SourcePlace, right: SourcePlace) -> Bool {
        (left.file, left.line, left.column) < (right.file, right.line, right.column)
    }
}

/// One thing that is wrong, or doubtful, in the configuration: where, what, and what is allowed instead. Never holds a secret.
public struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
    /// Whether the host may run with it.
    public enum Severity: Sendable, Hashable {
        /// The configuration is refused.
        case error
        /// It is said, and the host runs.
        case warning
    }

    /// Where.
    public var place: SourcePlace
    /// The key's full path, `source.slot.name`; empty where no key is meant.
    public var keyPath: String
    /// What is wrong; what is allowed.
    public var message: String
    /// Whether the host may run with it.
    public var severity: Severity

    /// A problem.
    public init(_ place: SourcePlace, keyPath: String = "", _ message: String, severity: Severity = .error) {
        self.place = place
        self.keyPath = keyPath
        self.message = message
        self.severity = severity
    }

    /// `FILE:LINE:COLUMN: key.path: what is wrong; what is allowed`; a warning says so after the place.
    public var description: String {
        "\(place): \(severity == .warning ? "warning: " : "")\(keyPath.isEmpty ? "" : keyPath + ": ")\(message)"
    }
}

extension Sequence<Problem> {
    /// In the order of the files, of lines in them, each once.
    func inOrder() -> [Problem] {
        var seen: Set<Problem> = []
        return filter { seen.insert($0).inserted }.enumerated()
            .sorted { ($0.element.place, $0.offset) < ($1.element.place, $1.offset) }
            .map(\.element)
    }
}
