public import Postgres

/// Where a snapshot comes from.
public enum SnapshotOrigin: Sendable, Equatable {
    /// The snapshot that the creation of a slot exported; the session that made it must stay idle until `begin` has returned.
    case exported(name: String, consistentPoint: LSN)
    /// A snapshot of now, behind a slot that exists already: the stream repeats what lies between the slot's position and the snapshot.
    case fresh
}

/// What is known once a snapshot stands.
public struct SnapshotStart: Sendable, Equatable {
    /// Rows of the snapshot carry this position. Of a fresh one: every commit whose record lies before it is either in the snapshot or still to
    /// come.
    public var consistentPoint: LSN
    /// The server's clock at the snapshot: microseconds since 1970-01-01 00:00 UTC.
    public var commitTimeMicroseconds: Int64
}

/// How a snapshot ended.
public struct SnapshotTotals: Sendable, Equatable {
    /// Rows handed over.
    public var rows: UInt64
    /// Whether every row of every table was handed over; false after `.stop`.
    public var isComplete: Bool
}

/// Reads tables one after another inside one REPEATABLE READ transaction.
///
/// What rewrites a table (some ALTER TABLE, TRUNCATE) hides all its rows from older snapshots. Tables that are not read yet are not locked, since
/// that would keep the application from such statements for as long as the snapshot takes: a table that was rewritten meanwhile, and those after
/// it, are read in a snapshot of their own time, and the stream repeats what lies between. One whose columns changed ends the reading.
///
/// A row is handed over when the next one, of its table or of a later one, is there: only then is it known whether it was a last one. Tables
/// without rows may lie between. One thread; blocks with the connection's interrupt.
public final class CopyReader {
    private let connection: Connection
    /// The tables, in the order in which they are read.
    public let tables: [SnapshotTable]

    /// Makes a reader over an ordinary session that is used for nothing else.
    public init(connection: Connection, tables: [SnapshotTable]) {
        self.connection = connection
        self.tables = tables
    }

    /// The planner's guess of all rows, for progress.
    public var estimatedRows: Int64 { tables.reduce(0) { $0 &+ $1.table.estimatedRows } }

    /// Opens the transaction and takes the snapshot. An exported snapshot that is gone fails with SQLSTATE 42704.
    public func begin(_ origin: SnapshotOrigin) throws(PostgresError) -> SnapshotStart {
        let what = "take the snapshot"
        var point = LSN.zero
        if case .exported(_, let consistentPoint) = origin {
            point = consistentPoint
        } else {
            // Before the snapshot, not after: a position read later could pass a commit that the snapshot does not hold.
            let row = try connection.query("SELECT pg_current_wal_insert_lsn()", doing: .snapshot, what: what).first
            point = row?[0].flatMap { LSN($0) } ?? .zero
        }
        try connection.execute(Self.beginCommand, doing: .snapshot, what: what)
        if case .exported(let name, _) = origin {
            try connection.execute("SET TRANSACTION SNAPSHOT \(Identifier.literal(name))", doing: .snapshot, what: what)
        }
        // The first query of the transaction takes a fresh snapshot.
        let clock = try connection.query(
            "SELECT (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint AS now", doing: .snapshot, what: what)
        guard let now: Int64 = clock.first?.integer("now") else {
            throw PostgresError(.protocolViolation, doing: .snapshot, what: what, message: "the server gave no time")
        }
        return SnapshotStart(consistentPoint: point, commitTimeMicroseconds: now)
    }

    /// Hands all rows to `sink` and ends the transaction. Ends early, with `isComplete` false and the session unusable, when the sink says `.stop`.
    public func run<S: SnapshotSink>(into sink: S) throws(PostgresError) -> SnapshotTotals {
        var delivery = Delivery()
        for index in tables.indices {
            let item = tables[index]
            if try !hold(item) { sink.renewed(table: index) }
            var copy = try CopyOut(item.copyCommand, on: connection, what: "copy \(item.table.quotedName)")
            var rows: UInt64 = 0
            while let line = try copy.next() {
                rows &+= 1
                guard delivery.push(line, table: index, number: rows, into: sink) else {
                    return SnapshotTotals(rows: delivery.rows, isComplete: false)
                }
            }
            sink.finished(table: index, rows: rows)
        }
        guard delivery.finish(into: sink) else { return SnapshotTotals(rows: delivery.rows, isComplete: false) }
        try connection.execute("COMMIT", doing: .snapshot, what: "end the snapshot")
        return SnapshotTotals(rows: delivery.rows, isComplete: true)
    }

    private static let beginCommand = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"

    /// Takes the lock that COPY would take anyway, and makes sure that the rows can be seen and are as they were announced.
    /// - Returns: false: it took another snapshot for it.
    private func hold(_ item: SnapshotTable) throws(PostgresError) -> Bool {
        let what = "copy \(item.table.quotedName)"
        var isVisible = true
        try lock(item, what)
        while try wasRewritten(item, what) {
            isVisible = false
            try connection.execute("COMMIT; \(Self.beginCommand)", doing: .snapshot, what: what)
            // Before the new snapshot, so that no rewrite lies between them; partitions are locked in it, and looked at again.
            try lock(item, what)
        }
        try checkColumns(item, what)
        return isVisible
    }

    private func lock(_ item: SnapshotTable, _ what: String) throws(PostgresError) {
        try connection.execute("LOCK TABLE ONLY \(item.table.quotedName) IN ACCESS SHARE MODE", doing: .snapshot, what: what)
        // LOCK TABLE asks older servers' users for rights on each partition, a query does not.
        if item.table.isPartitioned { try connection.execute("SELECT FROM \(item.table.quotedName) LIMIT 0", doing: .snapshot, what: what) }
    }

    /// pg_class is read as of the snapshot, the function answers as of now.
    private func wasRewritten(_ item: SnapshotTable, _ what: String) throws(PostgresError) -> Bool {
        let sql = """
            SELECT count(*) FROM pg_class c WHERE c.relkind = 'r' AND c.relfilenode IS DISTINCT FROM pg_relation_filenode(c.oid)
              AND c.oid IN (SELECT $1::oid UNION SELECT relid FROM pg_partition_tree($1::oid::regclass))
            """
        return try connection.query(sql, [String(item.table.oid)], doing: .snapshot, what: what).first?[0] != "0"
    }

    private func checkColumns(_ item: SnapshotTable, _ what: String) throws(PostgresError) {
        guard !item.columns.isEmpty else { return }
        let list = item.columns.map { Identifier.quoted($0) }.joined(separator: ", ")
        let found = try connection.query("SELECT \(list) FROM ONLY \(item.table.quotedName) WHERE false", doing: .snapshot, what: what).types
        let known = item.columns.compactMap { name in item.table.columns.first { $0.name == name } }.map { ResultType(oid: $0.baseTypeOID, typmod: $0.baseTypmod) }
        guard found == known else {
            throw PostgresError(.server, doing: .snapshot, what: what, message: "its columns have changed since the snapshot began")
        }
    }
}
