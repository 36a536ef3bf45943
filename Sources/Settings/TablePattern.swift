/// A glob over `schema.table`, such as `public.*`, `shop.order_?` or `public."Order Items"`.
public struct TablePattern: Sendable, Hashable, CustomStringConvertible {
    /// As written.
    public let text: String
    let schema: NamePattern
    let table: NamePattern

    /// What is wrong with a pattern; what is allowed.
    public struct Malformed: Error, Sendable, Equatable {
        /// What is wrong; what is allowed.
        public let message: String
    }

    /// One pattern.
    public init(_ text: String) throws(Malformed) {
        let patterns = try TablePattern.list(text)
        guard let first = patterns.first, patterns.count == 1 else { throw Malformed(message: "one pattern is allowed here, without a comma") }
        self = first
    }

    private init(text: String, schema: NamePattern, table: NamePattern) {
        self.text = text
        self.schema = schema
        self.table = table
    }

    /// One or several patterns, with commas between them, as one environment variable may hold them.
    public static func list(_ text: String) throws(Malformed) -> [TablePattern] {
        var result: [TablePattern] = []
        for pattern in try dotted(text) {
            guard pattern.parts.count == 2 else { throw Malformed(message: explain(pattern.text, pattern.parts.count)) }
            result.append(TablePattern(text: pattern.text, schema: pattern.parts[0], table: pattern.parts[1]))
        }
        return result
    }

    /// Whether the table fits; both names as the catalog holds them.
    public func matches(schema: String, table: String) -> Bool {
        self.schema.matches(schema) && self.table.matches(table)
    }

    /// Schema and table, where the pattern holds no wildcard.
    public var exactName: (schema: String, table: String)? {
        guard let schema = schema.exactName, let table = table.exactName else { return nil }
        return (schema, table)
    }

    /// As written.
    public var description: String { text }

    private static func explain(_ text: String, _ count: Int) -> String {
        guard count > 2 else {
            return text == "*"
                ? "a pattern without a schema; write schema.table: *.* is every table"
                : "a pattern without a schema; write schema.table: public.\(text)"
        }
        let parts = text.split(separator: ".", maxSplits: 1).map(String.init)
        return
            "\(count) parts; write schema.table, and a name with a dot in it in double quotes: \(parts[0]).\"\(parts.count > 1 ? parts[1] : "a.b")\""
    }
}

/// A glob over `schema.table.column`.
public struct ColumnPattern: Sendable, Hashable, CustomStringConvertible {
    /// As written.
    public let text: String
    let schema: NamePattern
    let table: NamePattern
    let column: NamePattern

    /// One or several patterns, with commas between them.
    public static func list(_ text: String) throws(TablePattern.Malformed) -> [ColumnPattern] {
        var result: [ColumnPattern] = []
        for pattern in try dotted(text) {
            let parts = pattern.parts
            guard parts.count == 3 else {
                let what = parts.count < 3 ? "too few parts" : "\(parts.count) parts"
                throw TablePattern.Malformed(
                    message: "\(what); write schema.table.column, and a name with a dot in it in double quotes: public.\"a.b\".email")
            }
            result.append(ColumnPattern(text: pattern.text, schema: parts[0], table: parts[1], column: parts[2]))
        }
        return result
    }

    /// Whether the column fits; all names as the catalog holds them.
    public func matches(schema: String, table: String, column: String) -> Bool {
        matchesTable(schema: schema, table: table) && self.column.matches(column)
    }

    /// Whether the pattern speaks of this table at all.
    public func matchesTable(schema: String, table: String) -> Bool {
        self.schema.matches(schema) && self.table.matches(table)
    }

    /// As written.
    public var description: String { text }
}

private func dotted(_ text: String) throws(TablePattern.Malformed) -> [(text: String, parts: [NamePattern])] {
    do { return try PatternText.parse(text) } catch { throw TablePattern.Malformed(message: error.message) }
}

/// What `include` and `exclude` say together: in, unless it is out.
public struct TableSelection: Sendable, Hashable {
    /// Tables that take part.
    public var include: [TablePattern]
    /// Tables that do not, though `include` names them.
    public var exclude: [TablePattern]

    /// A selection.
    public init(include: [TablePattern], exclude: [TablePattern] = []) {
        self.include = include
        self.exclude = exclude
    }

    /// Whether the table takes part.
    public func selects(schema: String, table: String) -> Bool {
        include.contains { $0.matches(schema: schema, table: table) } && !exclude.contains { $0.matches(schema: schema, table: table) }
    }

    /// Patterns of `include` that fit none of the tables: most likely a slip.
    public func unmatched(by tables: [(schema: String, table: String)]) -> [TablePattern] {
        include.filter { pattern in !tables.contains { pattern.matches(schema: $0.schema, table: $0.table) } }
    }
}

/// What `source.columns` says: all columns, unless `include` names some of a table, less those that `exclude` names.
public struct ColumnSelection: Sendable, Hashable {
    /// Empty: every column. Otherwise the columns of those tables that a pattern speaks of; other tables keep all.
    public var include: [ColumnPattern]
    /// Columns that are left out.
    public var exclude: [ColumnPattern]

    /// A selection.
    public init(include: [ColumnPattern] = [], exclude: [ColumnPattern] = []) {
        self.include = include
        self.exclude = exclude
    }

    /// Whether the column takes part.
    public func selects(schema: String, table: String, column: String) -> Bool {
        let speaking = include.filter { $0.matchesTable(schema: schema, table: table) }
        let isIncluded = speaking.isEmpty || speaking.contains { $0.matches(schema: schema, table: table, column: column) }
        return isIncluded && !exclude.contains { $0.matches(schema: schema, table: table, column: column) }
    }
}
