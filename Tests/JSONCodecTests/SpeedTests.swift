import Glibc
import PluginABI
import StageHarness
import Testing

/// Prints nanoseconds a row; with release builds in $CDC_PLUGIN_DIR and $CDC_MEASURE set.
@Suite(.serialized) struct SpeedTests {
    @Test(.enabled(if: getenv("CDC_MEASURE") != nil), arguments: ["compact", "debezium"])
    func insertsOfSevenColumns(format: String) throws {
        let stage = try PluginFile.named("JSONCodec").stage(options: ["format": .string(format)])
        let orders = stage.host.relation(
            RelationSpec(
                "public", "orders",
                columns: [
                    .key("id", 20), ColumnSpec("customer_id", 23), ColumnSpec("status", 25), ColumnSpec("amount", 1700, typmod: 655_366),
                    ColumnSpec("note", 25), ColumnSpec("created_at", 1184), ColumnSpec("paid", 16),
                ]))
        let rows = (0..<96).map { index in
            RowSpec.insert(
                orders,
                [
                    .text("\(1_000_000 + index)"), .text("\(index * 37 % 5000)"), "delivered", .text("\(index).25"),
                    "a note of some forty characters in all, ok", "2026-01-31 10:00:00.123456+00", "t",
                ])
        }
        print("SPEED \(format) \(try stage.nanosecondsPerRow(rows, rounds: 2000)) ns a row")
    }

    @Test(.enabled(if: getenv("CDC_MEASURE") != nil), arguments: ["compact", "debezium"])
    func updatesAndTexts(format: String) throws {
        let stage = try PluginFile.named("JSONCodec").stage(options: ["format": .string(format)])
        let table = stage.host.relation(
            RelationSpec("public", "t", columns: [.key("id", 23)] + (1...6).map { ColumnSpec("c\($0)", 25) }))
        let rows = (0..<96).map { index in
            RowSpec.update(table, [.text("\(index)")] + (1...6).map { .text("text of column \($0), twenty bytes") })
        }
        print("SPEED texts \(format) \(try stage.nanosecondsPerRow(rows, rounds: 2000)) ns a row")
    }

    /// What a record costs without any column: nearly all of it is the harness's own `record`.
    @Test(.enabled(if: getenv("CDC_MEASURE") != nil), arguments: ["compact", "debezium"])
    func truncates(format: String) throws {
        let stage = try PluginFile.named("JSONCodec").stage(options: ["format": .string(format), "skipped_operations": []])
        let table = stage.host.relation(RelationSpec("public", "t", columns: []))
        let rows = (0..<96).map { _ in RowSpec.truncate(table) }
        print("SPEED floor \(format) \(try stage.nanosecondsPerRow(rows, rounds: 2000)) ns a row")
    }
}
