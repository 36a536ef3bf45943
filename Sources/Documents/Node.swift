/// A place in a text: both count from 1, as editors do; the column counts characters.
public struct Mark: Sendable, Hashable {
    /// Line, from 1.
    public var line: Int
    /// Column, from 1, in characters.
    public var column: Int

    /// A mark at `line` and `column`.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}

/// One value of a document, with the place where it begins.
///
/// YAML and TOML give the same tree, so that nobody behind this module knows which of them a file was written in.
public struct Node: Sendable {
    /// What the value is.
    public var value: Value
    /// Where it begins.
    public var mark: Mark
    /// A scalar exactly as it is written (`1.0` stays `1.0`), without quotes; empty for lists and maps.
    public var text: String

    /// A node; `text` is what a scalar was written as.
    public init(value: Value, mark: Mark, text: String = "") {
        self.value = value
        self.mark = mark
        self.text = text
    }
}

/// The kinds of value that YAML 1.2 (core schema) and TOML 1.0 have in common.
public enum Value: Sendable {
    /// YAML's `null`, `~` or nothing at all. TOML has none.
    case null
    /// `true` or `false`, and nothing else: `no` and `off` are strings.
    case bool(Bool)
    /// A whole number that fits.
    case integer(Int64)
    /// Any other number, also a whole one that does not fit 64 bits.
    case float(Double)
    /// Text. TOML's dates and times arrive as their text.
    case string(String)
    /// Elements in order.
    case list([Node])
    /// Entries in the order of the file, each key once.
    case map([Entry])
}

/// One entry of a map.
public struct Entry: Sendable {
    /// The key's text.
    public var key: String
    /// Where the key begins.
    public var keyMark: Mark
    /// Its value.
    public var node: Node

    /// An entry.
    public init(key: String, keyMark: Mark, node: Node) {
        self.key = key
        self.keyMark = keyMark
        self.node = node
    }
}
