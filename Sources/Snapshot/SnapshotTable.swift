public import Postgres

/// A table as the snapshot reads it: the same columns and rows that the stream sends of it.
public struct SnapshotTable: Sendable, Equatable {
    /// The table.
    public var table: Table
    /// The columns read, in the table's order.
    public var columns: [String]
    /// The condition that its rows meet; nil for all.
    public var rowFilter: String?

    /// Takes the publication's own column list and row filter where it has any: the stream obeys them. Generated columns are left out unless the
    /// publication's list names them, as the stream leaves them out.
    public init(_ table: Table, in publication: PublicationState?) {
        let member = publication?.allTables == true ? nil : publication?.members.first { $0.oid == table.oid }
        self.table = table
        rowFilter = member?.rowFilter
        if let list = member?.columns {
            columns = table.columns.filter { list.contains($0.name) }.map(\.name)
        } else {
            columns = table.columns.filter { !$0.isGenerated }.map(\.name)
        }
    }

    /// Names columns and rows by hand.
    public init(_ table: Table, columns: [String], rowFilter: String? = nil) {
        self.table = table
        self.columns = columns
        self.rowFilter = rowFilter
    }

    /// The command that sends the rows. A partitioned table's tree is read once, through its root; an inherited table without its heirs, which are
    /// tables of their own.
    var copyCommand: String {
        let list = columns.map { Identifier.quoted($0) }.joined(separator: ", ")
        if !table.isPartitioned && rowFilter == nil && !columns.isEmpty { return "COPY \(table.quotedName) (\(list)) TO STDOUT" }
        let source = table.isPartitioned ? table.quotedName : "ONLY " + table.quotedName
        let condition = rowFilter.map { " WHERE (\($0)\n)" } ?? ""
        return "COPY (SELECT \(list) FROM \(source)\(condition)) TO STDOUT"
    }
}
