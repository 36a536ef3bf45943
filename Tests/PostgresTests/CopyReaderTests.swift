import PluginABI
import Testing

@testable import Chain
@testable import Postgres
@testable import Snapshot

private final class Collector: SnapshotSink {
    var rows: [(table: Int, fields: [String?], place: RowPlace)] = []
    var finished: [UInt64] = []
    var renewals: [Int] = []
    var beforeFirstRow: (() throws -> Void)?
    var answer = Flow.proceed
    var waits = 0
    var stopAfter = Int.max

    func row(_ line: borrowing CopyLine, table index: Int, at place: RowPlace) -> Flow {
        var fields: [String?] = []
        if rows.isEmpty { #expect(throws: Never.self) { try beforeFirstRow?() } }
        line.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            // A tab inside a value is written as an escape.
            let count = bytes.count { $0 == 9 } + 1
            withUnsafeTemporaryAllocation(of: cdcp_cell.self, capacity: count) { cells in
                guard let first = cells.baseAddress else { return }
                #expect(CopyRows.split(base, bytes.count, into: first, count: count))
                fields = cells.map {
                    $0.kind == UInt8(CDCP_CELL_NULL) ? nil : String(decoding: UnsafeBufferPointer(start: $0.ptr, count: Int($0.len)), as: UTF8.self)
                }
            }
        }
        rows.append((index, fields, place))
        return rows.count >= stopAfter ? .stop : answer
    }

    func waitUntilWritable() -> Flow {
        waits += 1
        return .proceed
    }

    func renewed(table index: Int) { renewals.append(index) }

    func finished(table index: Int, rows: UInt64) { finished.append(rows) }
}

@Suite(.enabled(if: TestServer.isAvailable), .serialized, .timeLimit(.minutes(2))) struct CopyReaderTests {
    private func database(_ name: String, _ sql: String) throws -> Connection {
        let server = try #require(TestServer.shared)
        try server.makeDatabase(name)
        let connection = try server.connect(database: name)
        try connection.execute("SET search_path TO public; \(sql); SET search_path TO ''")
        return connection
    }

    @Test func copiedTextEqualsSelect() throws {
        let connection = try database(
            "copied",
            #"""
            CREATE TABLE c(id int primary key, a text, b text, j json, y bytea, g int GENERATED ALWAYS AS (id + 1) STORED);
            INSERT INTO c(id, a, b, j, y) VALUES
            (1, '\N', NULL, '["+1\n2","\\N"]', '\x5c4e0a09'), (2, '', '', NULL, ''), (3, E'tab\tnl\ncr\rvt\x0bbs\bff\f', E'\\', NULL, NULL),
            (4, '\x41', '\101', NULL, NULL), (5, '\.', repeat('\', 20000), NULL, NULL),
            (6, 'ünï', E'\u4e16', NULL, NULL), (7, NULL, '\N', NULL, NULL)
            """#)
        let table = try #require(try Catalog.tables(on: connection) { _, _ in true }.first)
        let sink = Collector()
        let reader = CopyReader(connection: connection, tables: [SnapshotTable(table, in: nil)])
        _ = try reader.begin(.fresh)
        #expect(try reader.run(into: sink) == SnapshotTotals(rows: 7, isComplete: true))
        let selected = try connection.query("SELECT id::text, a, b, j::text, y::text FROM public.c ORDER BY id").map(\.values)
        #expect(sink.rows.map(\.fields) == selected)
    }

    @Test func placesAreRightWithEmptyTablesBetween() throws {
        let connection = try database(
            "places",
            """
            CREATE TABLE a(id int PRIMARY KEY); CREATE TABLE b(id int PRIMARY KEY); CREATE TABLE c(id int PRIMARY KEY);
            CREATE TABLE d(id int PRIMARY KEY);
            CREATE TABLE e(); INSERT INTO b VALUES (1), (2); INSERT INTO d VALUES (3); INSERT INTO e DEFAULT VALUES; CREATE TABLE f(id int)
            """)
        let tables = try Catalog.tables(on: connection) { _, _ in true }.map { SnapshotTable($0, in: nil) }
        let sink = Collector()
        sink.answer = .pause
        let reader = CopyReader(connection: connection, tables: tables)
        _ = try reader.begin(.fresh)
        #expect(try reader.run(into: sink) == SnapshotTotals(rows: 4, isComplete: true))
        #expect(sink.rows.map(\.table) == [1, 1, 3, 4])
        #expect(sink.rows.map(\.place.isFirst) == [true, false, false, false])
        #expect(sink.rows.map(\.place.isLast) == [false, false, false, true])
        #expect(sink.rows.map(\.place.isFirstOfTable) == [true, false, true, true])
        #expect(sink.rows.map(\.place.isLastOfTable) == [false, true, true, true])
        #expect(sink.finished == [0, 2, 0, 1, 1, 0])
        #expect(sink.waits == 3)
    }

    @Test func exportedSnapshotSeesNothingLaterAndTheStopIsHeeded() throws {
        let server = try #require(TestServer.shared)
        let connection = try database("exported", "CREATE TABLE t(id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000)")
        let replication = try server.connect(database: "exported", replication: true)
        let slot = try Slot.create("s_exported", on: replication, exportingSnapshot: true, observer: nil)
        try connection.execute("INSERT INTO public.t VALUES (2000); DELETE FROM public.t WHERE id = 1")
        let tables = try Catalog.tables(on: connection) { _, _ in true }.map { SnapshotTable($0, in: nil) }
        let reader = CopyReader(connection: connection, tables: tables)
        let start = try reader.begin(.exported(name: try #require(slot.snapshot), consistentPoint: slot.consistentPoint))
        #expect(start.consistentPoint == slot.consistentPoint)
        #expect(start.commitTimeMicroseconds > 1_700_000_000_000_000)
        let sink = Collector()
        #expect(try reader.run(into: sink) == SnapshotTotals(rows: 1000, isComplete: true))
        #expect(sink.rows.first?.fields == ["1"])
        _ = try reader.begin(.fresh)
        let stopping = Collector()
        stopping.stopAfter = 10
        #expect(try reader.run(into: stopping) == SnapshotTotals(rows: 10, isComplete: false))
        let gone = try server.connect(database: "exported")
        let error = #expect(throws: PostgresError.self) {
            try CopyReader(connection: gone, tables: tables).begin(.exported(name: "00000003-0000001B-9", consistentPoint: .zero))
        }
        #expect(error?.kind == .server)
        try Slot.drop("s_exported", on: try server.connect())
    }

    /// What the application does between two tables.
    @Test(arguments: [
        ("ALTER TABLE public.b ALTER n TYPE bigint", nil), ("ALTER TABLE public.b ALTER v TYPE numeric(9,3)", nil), ("ALTER TABLE public.b DROP n", nil),
        ("ALTER TABLE public.b RENAME n TO m", nil), ("DROP TABLE public.b", nil), ("ALTER TABLE public.b SET UNLOGGED", [3, 3]), ("TRUNCATE public.b", [0, 3]),
        ("ALTER TABLE public.b ADD x int DEFAULT 7", [3, 3]), ("INSERT INTO public.b VALUES (9, 9, 9)", [3, 3]), ("TRUNCATE public.p1", [3, 2]),
        ("DELETE FROM public.b; ALTER TABLE public.b SET UNLOGGED", [0, 3]),
    ] as [(String, [Int]?)])
    func aTableThatChangesBeforeItsTurnIsNeverReadAsEmpty(statement: String, expected: [Int]?) throws {
        let server = try #require(TestServer.shared)
        let name = "turn_\(UInt32(truncatingIfNeeded: statement.hashValue))"
        let connection = try database(
            name,
            """
            CREATE TABLE a(id int PRIMARY KEY); INSERT INTO a VALUES (1), (2); CREATE TABLE b(id int PRIMARY KEY, n int, v numeric(9,2));
            INSERT INTO b SELECT g, g, g FROM generate_series(1, 3) g; CREATE TABLE p(id int PRIMARY KEY) PARTITION BY LIST (id);
            CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2, 3); INSERT INTO p VALUES (1), (2), (3)
            """)
        let other = try server.connect(database: name)
        let tables = try Catalog.tables(on: connection) { _, name in ["a", "b", "p"].contains(name) }.map { SnapshotTable($0, in: nil) }
        let sink = Collector()
        sink.beforeFirstRow = { try other.execute(statement) }
        let reader = CopyReader(connection: connection, tables: tables)
        _ = try reader.begin(.fresh)
        guard let expected else {
            let error = #expect(throws: PostgresError.self) { try reader.run(into: sink) }
            #expect(error?.failure == .retryable, "\(String(describing: error))")
            return
        }
        _ = try reader.run(into: sink)
        #expect([1, 2].map { table in sink.rows.count { $0.table == table } } == expected)
        #expect(sink.renewals == (statement.hasPrefix("TRUNCATE public.p1") ? [2] : statement.contains("UNLOGGED") || statement.hasPrefix("TRUNCATE") ? [1] : []))
    }

    @Test func publicationsListFilterAndPartitionRootAreObeyed() throws {
        let connection = try database(
            "obeyed",
            """
            CREATE TABLE f(id int, region text, v int, w int, PRIMARY KEY (id, region)); INSERT INTO f VALUES (1, 'EU', 1, 9), (2, 'US', 2, 9);
            CREATE TABLE p(id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
            CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);
            INSERT INTO p VALUES (1), (2); CREATE TABLE parent(id int PRIMARY KEY); CREATE TABLE child() INHERITS (parent);
            INSERT INTO parent VALUES (1);
            INSERT INTO child VALUES (2);
            CREATE PUBLICATION pub FOR TABLE f (id, region, v) WHERE (region = 'EU'), p, parent WITH (publish_via_partition_root)
            """)
        let state = try Publication.state(of: "pub", on: connection)
        let tables = try Catalog.tables(on: connection) { _, name in ["f", "p", "parent"].contains(name) }.map { SnapshotTable($0, in: state) }
        let sink = Collector()
        let reader = CopyReader(connection: connection, tables: tables)
        _ = try reader.begin(.fresh)
        _ = try reader.run(into: sink)
        #expect(sink.rows.map { [String($0.table)] + $0.fields.map { $0 ?? "" } } == [["0", "1", "EU", "1"], ["1", "1"], ["1", "2"], ["2", "1"]])
    }

    @Test func rowSecurityFailsInsteadOfHidingRows() throws {
        let server = try #require(TestServer.shared)
        let admin = try database(
            "hidden",
            """
            CREATE ROLE reader LOGIN; CREATE TABLE t(id int PRIMARY KEY); INSERT INTO t VALUES (1); GRANT SELECT ON t TO reader;
            GRANT USAGE ON SCHEMA public TO reader;
            ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY none ON t USING (false); CREATE TABLE u(id int PRIMARY KEY)
            """)
        _ = admin
        let connection = try server.connect(database: "hidden", user: "reader")
        let tables = try Catalog.tables(on: connection) { _, _ in true }
        #expect(tables.map(\.hidesRows) == [true, false])
        #expect(tables.map(\.isReadable) == [true, false])
        let reader = CopyReader(connection: connection, tables: tables.map { SnapshotTable($0, in: nil) })
        _ = try reader.begin(.fresh)
        let error = #expect(throws: PostgresError.self) { try reader.run(into: Collector()) }
        #expect(error?.failure == .authentication)
    }
}
