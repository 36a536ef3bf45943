import PluginKit

/// Patterns of one option with what was fitted by them so far.
struct Patterns {
    let origin: String
    private let globs: [DottedGlob]
    private(set) var isFitted: [Bool]

    /// - Parameter parts: 2: schema.table; 3: schema.table.column.
    init(_ options: Options?, _ key: String, parts: Int) throws(StageError) {
        origin = options?.origin(key) ?? key
        var globs: [DottedGlob] = []
        for text in options?.strings(key) ?? [] {
            do throws(DottedGlob.Malformed) {
                globs += try DottedGlob.list(text)
            } catch {
                throw .config("\(origin): '\(text)': \(error.message)")
            }
        }
        for glob in globs where glob.parts.count != parts {
            let form = parts == 2 ? "schema.table" : "schema.table.column"
            throw .config("\(origin): '\(glob)' has \(glob.parts.count) parts; write \(form), a name with a dot in it in double quotes")
        }
        self.globs = globs
        isFitted = globs.map { _ in false }
    }

    var isEmpty: Bool { globs.isEmpty }

    /// Patterns that fitted nothing.
    var unfitted: [DottedGlob] { globs.indices.filter { !isFitted[$0] }.map { globs[$0] } }

    /// Whether a pattern speaks of the table at all.
    func speaksOf(_ schema: String, _ table: String) -> Bool { globs.contains { $0.parts[0].matches(schema) && $0.parts[1].matches(table) } }

    /// Whether a pattern fits, and notes which.
    mutating func fit(_ names: String...) -> Bool {
        var any = false
        for (index, glob) in globs.enumerated() where zip(glob.parts, names).allSatisfy({ $0.matches($1) }) {
            isFitted[index] = true
            any = true
        }
        return any
    }
}

/// What `include` and `exclude` say together.
struct Selection {
    var include: Patterns
    var exclude: Patterns

    init(_ options: Options?, parts: Int) throws(StageError) {
        include = try Patterns(options, "include", parts: parts)
        exclude = try Patterns(options, "exclude", parts: parts)
    }

    mutating func selects(_ schema: String, _ table: String) -> Bool {
        let isIncluded = include.isEmpty || include.fit(schema, table)
        return !exclude.fit(schema, table) && isIncluded
    }

    mutating func selects(_ schema: String, _ table: String, _ column: String) -> Bool {
        let isIncluded = !include.speaksOf(schema, table) || include.fit(schema, table, column)
        return !exclude.fit(schema, table, column) && isIncluded
    }
}
