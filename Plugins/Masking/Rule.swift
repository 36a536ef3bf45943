import PluginKit

/// One entry of `columns`, as it was configured.
struct Rule {
    enum How: String {
        case fixed
        case hash
        case keepFirst = "keep_first"
        case keepLast = "keep_last"
        case truncate
        case null
    }

    let patterns: [DottedGlob]
    /// "FILE:LINE:COLUMN: options.columns[0].column"
    let origin: String
    let how: How
    let n: Int
    let value: [UInt8]
    let fill: [UInt8]
    let salt: [UInt8]

    init(_ options: Options) throws(StageError) {
        origin = options.origin("column")
        do throws(DottedGlob.Malformed) {
            patterns = try DottedGlob.list(options.string("column") ?? "")
        } catch {
            throw .config("\(origin): \(error.message)")
        }
        for pattern in patterns where pattern.parts.count != 1 && pattern.parts.count != 3 {
            throw .config("\(origin): '\(pattern)' has \(pattern.parts.count) parts; write schema.table.column, or the column alone")
        }
        guard let how = How(rawValue: options.string("how") ?? "") else {
            throw .config("\(options.origin("how")): unknown; allowed are fixed, hash, keep_first, keep_last, truncate, null")
        }
        self.how = how
        let allowed: [String] =
            switch how {
            case .fixed: ["value"]
            case .hash: ["algorithm", "salt"]
            case .keepFirst, .keepLast: ["n", "fill"]
            case .truncate: ["n"]
            case .null: []
            }
        // An option that would not apply is a mistake that nobody would see in the records.
        for key in options.keys where key != "column" && key != "how" && !allowed.contains(key) {
            let others = allowed.isEmpty ? "it has no options" : "its options are \(allowed.joined(separator: ", "))"
            throw .config("\(options.origin(key)): does not belong to \(how.rawValue); \(others)")
        }
        if how == .fixed, options.string("value") == nil { throw .config("\(origin): fixed needs a `value`") }
        if allowed.contains("n"), options.integer("n") == nil { throw .config("\(origin): \(how.rawValue) needs `n`, a number of characters") }
        guard let n = Int(exactly: options.integer("n") ?? 0), n >= 0 else { throw .config("\(options.origin("n")): must be 0 or more") }
        self.n = n
        value = Array((options.string("value") ?? "").utf8)
        let fill = options.string("fill") ?? "*"
        guard fill.unicodeScalars.count == 1 else { throw .config("\(options.origin("fill")): must be one character") }
        self.fill = Array(fill.utf8)
        if let algorithm = options.string("algorithm"), algorithm != "sha256" {
            throw .config("\(options.origin("algorithm")): only sha256 is there")
        }
        salt = Array((options.string("salt") ?? "").utf8)
    }
}

extension DottedGlob {
    /// Whether a pattern of one or three parts speaks of this table.
    func fitsTable(_ schema: String, _ table: String) -> Bool {
        parts.count == 1 || parts.count == 3 && parts[0].matches(schema) && parts[1].matches(table)
    }

    /// Whether it fits this column of a table that it speaks of.
    func fitsColumn(_ column: String) -> Bool { parts.last?.matches(column) ?? false }

    /// Whether it names one table and no other.
    var namesTable: Bool { parts.count == 3 && parts[0].exactName != nil && parts[1].exactName != nil }
}
