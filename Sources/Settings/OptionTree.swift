/// Settings as they were written, with every reference replaced: one value, its place, and whether it may be shown.
///
/// A stage's `options` reach its plugin through this tree, checked against the plugin's schema and filled with its defaults.
public struct OptionTree: Sendable, CustomStringConvertible {
    /// What a value is.
    public enum Kind: String, Sendable {
        case null, boolean, integer, number, string, list, map
    }

    /// What a value holds.
    enum Content: Sendable {
        case null
        case boolean(Bool)
        case integer(Int64)
        case number(Double)
        case string
        case list([OptionTree])
        case map([MapEntry])
    }

    /// One entry of a map.
    struct MapEntry: Sendable {
        var key: String
        var place: SourcePlace
        var tree: OptionTree
    }

    var content: Content
    /// A scalar exactly as written or substituted (`1.0` stays `1.0`); empty for lists and maps. A secret is in clear here: see `shown`.
    public internal(set) var text: String
    /// Where the value begins; of a default, where the map that lacks it begins.
    public internal(set) var place: SourcePlace
    /// `options.columns[0].how`
    public internal(set) var keyPath: String
    /// True for what came from a file reference, and for what a schema calls secret: never print `text`.
    public internal(set) var isSecret: Bool
    /// True where a reference was replaced: the text takes the type that its key has.
    var isSubstituted = false
    /// True where a reference could not be replaced, which has been said: the value is not judged again.
    var isUnresolved = false
    /// True where a file was read for it.
    var holdsFile = false
    /// True for what a schema's default filled in.
    public internal(set) var isDefault = false

    init(_ content: Content, text: String = "", place: SourcePlace, keyPath: String, isSecret: Bool = false) {
        self.content = content
        self.text = text
        self.place = place
        self.keyPath = keyPath
        self.isSecret = isSecret
    }

    /// An empty map, as of a file that says nothing.
    public static func empty(place: SourcePlace, keyPath: String = "") -> OptionTree {
        OptionTree(.map([]), place: place, keyPath: keyPath)
    }

    /// What the value is.
    public var kind: Kind {
        switch content {
        case .null: .null
        case .boolean: .boolean
        case .integer: .integer
        case .number: .number
        case .string: .string
        case .list: .list
        case .map: .map
        }
    }

    /// The value of a key of this map; nil without it, and for anything but a map.
    public subscript(key: String) -> OptionTree? {
        entries.first { $0.key == key }?.tree
    }

    /// The keys of a map, in the order of the file.
    public var keys: [String] { entries.map(\.key) }

    /// The elements of a list; empty for anything else.
    public var elements: [OptionTree] {
        if case .list(let elements) = content { elements } else { [] }
    }

    var entries: [MapEntry] {
        if case .map(let entries) = content { entries } else { [] }
    }

    /// A whole number; bytes of a size, nanoseconds of a duration.
    // Inlined, 6.3.1's optimiser stops with an ownership error in the host's readers.
    @inline(never)
    public var integer: Int64? {
        if case .integer(let number) = content { number } else { nil }
    }

    /// Any number.
    public var double: Double? {
        switch content {
        case .integer(let number): Double(number)
        case .number(let number): number
        default: nil
        }
    }

    /// A truth value.
    public var bool: Bool? {
        if case .boolean(let truth) = content { truth } else { nil }
    }

    /// True for everything but lists and maps.
    public var isScalar: Bool { kind != .list && kind != .map }

    /// `FILE:LINE:COLUMN: options.key`, to put before what is wrong with the value.
    public var origin: String { keyPath.isEmpty ? place.description : "\(place): \(keyPath)" }

    /// The scalar as it may be shown: `***` for a secret.
    public var shown: String { isSecret ? Secret.mask : text }

    /// The tree in one line, secrets masked.
    public var description: String {
        switch content {
        case .list(let elements): "[\(elements.map(\.description).joined(separator: ", "))]"
        case .map(let entries): "{\(entries.map { "\($0.key): \($0.tree)" }.joined(separator: ", "))}"
        case .string: isSecret ? Secret.mask : "\"\(text)\""
        default: isSecret ? Secret.mask : text
        }
    }

    /// What is wrong with this value, at its place.
    public func problem(_ message: String, severity: Problem.Severity = .error) -> Problem {
        Problem(place, keyPath: keyPath, message, severity: severity)
    }
}

extension OptionTree: Equatable {
    /// Equal values; places do not count, nor does the order of keys.
    public static func == (left: OptionTree, right: OptionTree) -> Bool {
        switch (left.content, right.content) {
        case (.list(let one), .list(let other)): one == other
        case (.map(let one), .map(let other)): one.count == other.count && one.allSatisfy { right[$0.key] == $0.tree }
        case (.list, _), (.map, _), (_, .list), (_, .map): false
        default: left.kind == right.kind && left.text == right.text && left.integer == right.integer
        }
    }
}
