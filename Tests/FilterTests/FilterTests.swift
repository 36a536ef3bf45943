import Glibc
import PluginABI
import StageHarness
import Testing

private let orders = RelationSpec(
    "public", "orders",
    columns: [ColumnSpec("internal", 25), .key("id", 23, 2), ColumnSpec("note", 25), .key("region", 25, 1), ColumnSpec("total", 1700)])
private let audit = RelationSpec("public", "audit_log", columns: [ColumnSpec("line", 25)], oid: 2)

private func filter(_ options: Option) throws -> StageInstance { try PluginFile.named("Filter").stage(options: options) }

private func refusal(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch let error as StageRefusal {
        return error.status == CDCP_E_CONFIG ? error.message : "status \(error.status)"
    } catch {
        Issue.record("another error: \(error)")
        return nil
    }
}

@Suite struct FilterTests {
    private func everything(_ host: FakeHost) -> [RowSpec] {
        let table = host.relation(orders)
        let row: [Cell] = ["i", "1", "n", "EU", "9.50"]
        return [
            .insert(table, row), .update(table, old: row, row), .delete(table, [.absent, "1", .absent, "EU", .absent], isKey: true), .truncate(table),
            .message(prefix: "p", [1]), .read(table, row), .insert(host.relation(audit), ["x"]),
        ]
    }

    @Test func withoutOptionsEverythingPasses() throws {
        let stage = try filter([:])
        let rows = everything(stage.host)
        let out = try stage.process(rows)
        #expect(out.allSatisfy { $0.disposition == UInt8(CDCP_ROW_KEEP) })
        #expect(out.map(\.new) == rows.map(\.new) && out.map(\.old) == rows.map(\.old))
        #expect(zip(out, rows).allSatisfy { $0.relation === $1.relation })
        #expect(stage.host.logs.isEmpty)
    }

    @Test func operationsThatAreNotListedAreDropped() throws {
        let names = ["insert", "update", "delete", "truncate", "message", "read"]
        for (index, name) in names.enumerated() {
            let stage = try filter(["ops": [.string(name)]])
            let out = try stage.process(everything(stage.host))
            #expect(out.prefix(6).enumerated().allSatisfy { $0.element.isDropped == ($0.offset != index) })
            #expect(stage.host.logs.contains { $0.level == CDCP_LOG_WARNING && $0.text.contains("deletes") } == (name != "delete"))
        }
        #expect(refusal { _ = try filter(["ops": ["upsert"]]) }?.contains("'upsert'") == true)
    }

    @Test func tables() throws {
        let excluded = try filter(["tables": ["exclude": ["public.audit_*"]]])
        let out = try excluded.process(everything(excluded.host))
        #expect(out.map(\.isDropped) == [false, false, false, false, false, false, true])

        // Messages belong to no table: `ops` is what filters them.
        let included = try filter(["tables": ["include": ["public.audit_log", "shop.nowhere"]]])
        #expect(try included.process(everything(included.host)).map(\.isDropped) == [true, true, true, true, false, true, false])
        try included.bindingsComplete()
        #expect(included.host.logs.contains { $0.level == CDCP_LOG_WARNING && $0.text.contains("'shop.nowhere' fits nothing") })
        #expect(refusal { _ = try filter(["tables": ["include": ["public.a.b"]]]) }?.contains("double quotes") == true)
        #expect(refusal { _ = try filter(["tables": ["include": ["orders"]]]) }?.hasPrefix("30-test.yaml:1:1: options.tables.include") == true)
    }

    @Test func columnsAreCutOutOfShapeAndRows() throws {
        for options: Option in [
            ["columns": ["exclude": ["*.*.internal", "public.orders.note"]]],
            ["columns": ["include": ["public.orders.id", "public.orders.region", "public.orders.t*"]]],
        ] {
            let stage = try filter(options)
            let table = stage.host.relation(orders)
            #expect(try stage.bind(table).spec.columns == [orders.columns[1], orders.columns[3], orders.columns[4]])
            let out = try stage.process(everything(stage.host))
            #expect(out[0].new == ["1", "EU", "9.50"])
            #expect(out[1].new == ["1", "EU", "9.50"] && out[1].old == ["1", "EU", "9.50"])
            #expect(out[2].old == ["1", "EU", .absent])
            #expect(out[3].new == nil && out[3].old == nil)
            #expect(out[6].new == ["x"])
        }
    }

    @Test func neededColumnsCannotBeCut() throws {
        func bind(_ columns: Option, _ change: (inout RelationSpec) -> Void = { _ in }) throws -> String? {
            let stage = try filter(["columns": columns])
            var spec = orders
            change(&spec)
            return refusal { try stage.bind(stage.host.relation(spec)) }
        }
        #expect(try bind(["exclude": ["public.orders.region"]])?.contains("public.orders.region is part of the key") == true)
        #expect(try bind(["include": ["public.orders.total"]])?.hasPrefix("30-test.yaml:1:1: options.columns.include: ") == true)
        // Another index is the replica identity.
        let identity: (inout RelationSpec) -> Void = { $0.columns[4].flags |= UInt32(CDCP_COL_IDENTITY) }
        #expect(try bind(["exclude": ["*.*.total"]], identity)?.contains("replica identity") == true)
        // Under FULL every column is part of it; only the key is needed.
        let full: (inout RelationSpec) -> Void = { spec in
            spec.replicaIdentity = UInt8(CDCP_REPLICA_IDENTITY_FULL)
            for index in spec.columns.indices { spec.columns[index].flags |= UInt32(CDCP_COL_IDENTITY) }
        }
        #expect(try bind(["exclude": ["*.*.total"]], full) == nil)
        #expect(try bind(["exclude": ["*.*.id"]], full)?.contains("key") == true)
        let stage = try filter(["columns": ["exclude": ["*.audit_log.*"]]])
        #expect(refusal { try stage.bind(stage.host.relation(audit)) }?.contains("no column of public.audit_log is left") == true)
        // A table that is not let through needs none.
        let without = try filter(["tables": ["exclude": ["public.audit_log"]], "columns": ["exclude": ["*.audit_log.*"]]])
        try without.bind(without.host.relation(audit))
    }

    // Debug builds measure nothing: point $CDC_PLUGIN_DIR at release builds.
    @Test(.enabled(if: getenv("CDC_PLUGIN_DIR") != nil)) func speed() throws {
        let stage = try filter(["columns": ["exclude": ["*.*.note"]]])
        let table = stage.host.relation(orders)
        print("filter, one column cut: \(try stage.nanosecondsPerRow((0..<512).map { _ in .insert(table, ["i", "1", "n", "EU", "9.50"]) })) ns a row")
    }
}
