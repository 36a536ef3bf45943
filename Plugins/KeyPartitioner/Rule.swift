import PluginABI
import PluginKit

/// `options` as they were read.
struct Rule {
    enum By {
        /// The encoded key.
        case key
        /// The table's name.
        case table
        /// The values of some columns; tables that are not named go by key.
        case columns([TableName: [String]])
    }

    enum WithoutKey {
        /// The table's name: keeps a table's order.
        case table
        case roundRobin
    }

    var by = By.key
    var withoutKey = WithoutKey.table
    /// "FILE:LINE:COLUMN: options.columns.<table>" of each table that is named.
    var origins: [TableName: String] = [:]

    init() {}

    /// Thread: control, inside configure.
    init(_ options: Options) throws(StageError) {
        switch options.string("without_key") ?? "table" {
        case "table": withoutKey = .table
        case "round_robin": withoutKey = .roundRobin
        default: throw .config("\(options.origin("without_key")): must be table or round_robin")
        }
        let columns = options.map("columns")
        switch options.string("by") ?? "key" {
        case "key": by = .key
        case "table": by = .table
        case "columns":
            guard let columns, !columns.keys.isEmpty else {
                throw .config(
                    "\(options.origin("by")): columns needs options.columns: a map of tables and their columns, "
                        + "such as { \"public.orders\": [customer_id] }")
            }
            by = .columns(try read(columns))
            return
        default: throw .config("\(options.origin("by")): must be key, table or columns")
        }
        if let columns, !columns.keys.isEmpty {
            throw .config("\(options.origin("columns")): is read with by: columns only; set by to columns or remove it")
        }
    }

    private mutating func read(_ columns: Options) throws(StageError) -> [TableName: [String]] {
        var tables: [TableName: [String]] = [:]
        for key in columns.keys {
            guard let name = TableName(key) else {
                throw .config("\(columns.origin(key)): must be schema.table, quoted as in SQL where a name needs it")
            }
            let names = columns.strings(key)
            guard !names.isEmpty else { throw .config("\(columns.origin(key)): needs at least one column") }
            guard Set(names).count == names.count else { throw .config("\(columns.origin(key)): names a column twice") }
            guard tables.updateValue(names, forKey: name) == nil else { throw .config("\(columns.origin(key)): the table is named twice") }
            origins[name] = columns.origin(key)
        }
        return tables
    }
}
