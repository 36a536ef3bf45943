import PluginABI

/// What the rows of one shape need: made at bind, read by every row, freed at unbind.
struct RelationPlan {
    struct KeyColumn {
        /// Place among the relation's columns.
        var column: Int
        /// `{"name":` or `,"name":`.
        var name: Fragment
        /// What headers show: decimals are numbers there.
        var headerEncoding: CellEncoding
    }

    var relation: UnsafePointer<cdcp_relation>
    var columns: UnsafeMutablePointer<ColumnPlan>
    var columnCount: Int
    /// Places of the columns that are written, in order.
    var output: UnsafeMutablePointer<Int>
    var outputCount: Int
    var key: UnsafeMutablePointer<KeyColumn>
    var keyCount: Int
    /// Debezium: `"schema","table":"name","txId":`; compact: `,"schema":"…","table":"…"`.
    var table: Fragment

    init(
        relation: UnsafePointer<cdcp_relation>, columns: [ColumnPlan], output: [Int], key: [KeyColumn], table: Fragment
    ) {
        self.relation = relation
        self.table = table
        columnCount = columns.count
        outputCount = output.count
        keyCount = key.count
        self.columns = .allocate(capacity: max(columns.count, 1))
        self.columns.initialize(from: columns, count: columns.count)
        self.output = .allocate(capacity: max(output.count, 1))
        self.output.initialize(from: output, count: output.count)
        self.key = .allocate(capacity: max(key.count, 1))
        self.key.initialize(from: key, count: key.count)
    }

    func free() {
        for index in 0..<columnCount {
            columns[index].name.free()
            columns[index].placeholder.free()
            columns[index].quotedName.free()
        }
        for index in 0..<keyCount { key[index].name.free() }
        table.free()
        columns.deallocate()
        output.deallocate()
        key.deallocate()
    }
}
