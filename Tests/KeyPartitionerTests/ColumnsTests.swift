import PluginABI
import StageHarness
import Testing

@Suite struct ColumnsTests {
    static let full = RelationSpec(
        "public", "orders",
        columns: [
            .key("id", 20), ColumnSpec("customer_id", 23, flags: UInt32(CDCP_COL_IDENTITY)), ColumnSpec("note", 25, flags: UInt32(CDCP_COL_IDENTITY)),
        ],
        replicaIdentity: UInt8(CDCP_REPLICA_IDENTITY_FULL))
    static let topics = [TopicSpec("shop.public.orders", 1 << 20)]

    private func stage(_ columns: Option = ["public.orders": ["customer_id"]]) throws -> StageInstance {
        try PluginFile.named("KeyPartitioner").stage(options: ["by": "columns", "columns": columns])
    }

    private func refusal(_ options: Option, _ spec: RelationSpec? = nil) throws -> StageRefusal {
        try #require(
            #expect(throws: StageRefusal.self) {
                let stage = try PluginFile.named("KeyPartitioner").stage(options: options)
                if let spec { try stage.bind(stage.host.relation(spec)) }
                try stage.bindingsComplete()
            })
    }

    /// What belongs together by the column meets in one partition, though the keys differ; the ids alone would spread it.
    @Test func oneValueOnePartition() throws {
        let stage = try stage()
        let orders = stage.host.relation(Self.full)
        let rows: [RowSpec] = [
            .insert(orders, ["1", "7", "a"]), .read(orders, ["2", "7", .null]), .update(orders, old: ["1", "7", "a"], ["1", "7", .unchanged]),
            .delete(orders, ["1", "7", "a"]), .insert(orders, ["3", "8", "a"]), .update(orders, old: ["2", "7", "x"], ["2", .unchanged, "y"]),
            .insert(orders, ["4", .null, "a"]), .delete(orders, ["4", .null, "a"]),
        ]
        let records = rows.indices.map { RecordSpec(key: "key \($0)", value: "v", topic: 1, row: UInt32($0)) }
        let partitions = try stage.assign(records, rows: rows, topics: Self.topics)
        #expect(Set([0, 1, 2, 3, 5].map { partitions[$0] }).count == 1 && partitions[4] != partitions[0])
        #expect(partitions[6] == partitions[7] && partitions[6] != partitions[0])
    }

    /// Delete and tombstone of a key change go where the old key's records went, the create where the new one's go.
    @Test func aKeyChangeGoesByBothValues() throws {
        let stage = try stage(["public.orders": ["id"]])
        let orders = stage.host.relation(Self.full)
        let rows: [RowSpec] = [
            .insert(orders, ["1", "7", "a"]), .insert(orders, ["2", "7", "a"]), .update(orders, old: ["1", "7", "a"], ["2", "7", "a"]),
            .update(orders, old: ["1", "7", "a"], ["1", "8", "a"]),
        ]
        let records = [
            RecordSpec(key: "1", value: "c", topic: 1, row: 0), RecordSpec(key: "2", value: "c", topic: 1, row: 1),
            RecordSpec(key: "1", value: "d", topic: 1, row: 2), RecordSpec(key: "1", value: nil, topic: 1, row: 2),
            RecordSpec(key: "2", value: "c", topic: 1, row: 2), RecordSpec(key: "1", value: "u", topic: 1, row: 3),
        ]
        let partitions = try stage.assign(records, rows: rows, topics: Self.topics)
        #expect(partitions[0] != partitions[1])
        #expect(Array(partitions[2...]) == [partitions[0], partitions[0], partitions[1], partitions[0]])
    }

    /// Several columns in the options' order; tables that are not named, and rows without values, by the rules of keys.
    @Test func theRestGoesByKey() throws {
        let stage = try stage(["public.orders": ["id", "customer_id"]])
        let orders = stage.host.relation(Self.full)
        let others = stage.host.relation(RelationSpec("public", "others", columns: [.key("id", 20)], oid: 2))
        let rows: [RowSpec] = [
            .insert(orders, ["1", "2", "a"]), .insert(orders, ["2", "1", "a"]), .insert(others, ["1"]), .truncate(orders), .truncate(orders),
        ]
        let records = rows.indices.map { RecordSpec(key: $0 < 3 ? "abc" : nil, value: "v", topic: 1, row: UInt32($0)) }
        let partitions = try stage.assign(records, rows: rows, topics: Self.topics)
        #expect(partitions[0] != partitions[1] && partitions[2] == 479_470_107 % (1 << 20) && partitions[3] == partitions[4])
    }

    @Test func quotedNames() throws {
        let stage = try stage([#""Sch""ema"."Order.Items""#: ["Id"]])
        let items = stage.host.relation(RelationSpec("Sch\"ema", "Order.Items", columns: [.key("Id", 20)]))
        try stage.bind(items)
        try stage.bindingsComplete()
    }

    /// The row cannot be placed: nothing is guessed.
    @Test func aValueThatIsNowhereStops() throws {
        let stage = try stage()
        let orders = stage.host.relation(Self.full)
        for row in [RowSpec.insert(orders, ["1", .unchanged, "a"]), .delete(orders, ["1", .absent, .absent], isKey: true)] {
            let refusal = #expect(throws: StageRefusal.self) {
                try stage.assign([RecordSpec(key: "1", value: "v", topic: 1)], rows: [row], topics: Self.topics)
            }
            #expect(refusal?.status == CDCP_E_FATAL && refusal?.message.contains("public.orders") == true)
        }
    }

    @Test func whatCannotWorkIsRefused() throws {
        let columns: Option = ["public.orders": ["customer_id"]]
        let identity = try refusal(["by": "columns", "columns": columns], KeyTests.orders)
        #expect(identity.call == "bind_relation" && identity.status == CDCP_E_CONFIG)
        #expect(
            identity.message.contains("customer_id") && identity.message.contains("REPLICA IDENTITY FULL") && identity.message.contains("columns"))
        #expect(try refusal(["by": "columns", "columns": ["public.orders": ["custmer_id"]]], Self.full).message.contains("no column custmer_id"))
        let table = try refusal(["by": "columns", "columns": ["public.ordres": ["id"]]], Self.full)
        #expect(table.call == "bindings_complete" && table.message.contains("no table"))
        #expect(try refusal(["by": "columns"]).message.contains("options.columns"))
        #expect(try refusal(["columns": columns]).message.contains("by: columns"))
        #expect(try refusal(["by": "columns", "columns": ["orders": ["id"]]]).message.contains("schema.table"))
        #expect(try refusal(["by": "columns", "columns": ["public.orders": ["id", "id"]]]).message.contains("twice"))
        #expect(try refusal(["by": "columns", "columns": ["public.orders": ["id"], #""public"."orders""#: ["id"]]]).message.contains("twice"))
    }
}
