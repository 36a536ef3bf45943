public import Postgres

/// Where a row stands in the snapshot. A first row may be a last one too; tables without rows have neither.
public struct RowPlace: Sendable, Equatable {
    /// The first row of all.
    public var isFirst: Bool
    /// The last row of all.
    public var isLast: Bool
    /// The first row of its table.
    public var isFirstOfTable: Bool
    /// The last row of its table.
    public var isLastOfTable: Bool
    /// The row's number within its table, from 1.
    public var number: UInt64
}

/// The receiving side of a snapshot. Every call comes on the thread that runs the reader.
public protocol SnapshotSink: AnyObject {
    /// One row of the table at `index` of the reader's tables, as a line of COPY's text format.
    ///
    /// `.pause` makes the reader call `waitUntilWritable` before the next row, `.stop` ends the snapshot.
    func row(_ line: borrowing CopyLine, table index: Int, at place: RowPlace) -> Flow
    /// Blocks until there is room again; `.stop` ends the snapshot. The reader leaves its socket alone meanwhile.
    func waitUntilWritable() -> Flow
    /// The table was rewritten since the snapshot was taken: it, and those after it, are read as they are now. Comes before its first row.
    func renewed(table index: Int)
    /// The table's rows have all been handed over, but for the last one, which comes right before the next table's first or at the end.
    func finished(table index: Int, rows: UInt64)
}
