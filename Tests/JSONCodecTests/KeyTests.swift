import PluginABI
import StageHarness
import Testing

@Suite struct KeyTests {
    private let k = RelationSpec("public", "k", columns: [.key("id", 25), ColumnSpec("v", 23), ColumnSpec("note", 25)])
    private let full = RelationSpec(
        "public", "f",
        columns: [
            ColumnSpec("v", 25, flags: UInt32(CDCP_COL_IDENTITY)), ColumnSpec("b", 23, flags: UInt32(CDCP_COL_IDENTITY), keyOrdinal: 2),
            ColumnSpec("a", 1700, flags: UInt32(CDCP_COL_IDENTITY), keyOrdinal: 1),
        ], replicaIdentity: UInt8(CDCP_REPLICA_IDENTITY_FULL))

    private func stage(_ options: Option = [:]) throws -> StageInstance { try PluginFile.named("JSONCodec").stage(options: options) }
    private func ops(_ records: [EncodedRecord]) -> [String] {
        records.map { record in record.valueText.flatMap { fields($0).first { $0.name == "op" }?.value } ?? "tombstone" }
    }
    private func part(_ name: String, _ record: EncodedRecord) -> String? { fields(record.valueText ?? "").first { $0.name == name }?.value }

    @Test(arguments: ["debezium", "compact"])
    func changeOfKeyIsDeleteTombstoneCreate(format: String) throws {
        let stage = try stage(["format": .string(format)])
        let table = stage.host.relation(k)
        let records = try stage.encode([.update(table, old: ["o\"ld", .absent, .absent], ["new", "2", .unchanged], isKey: true)])
        #expect(ops(records) == [#""d""#, "tombstone", #""c""#])
        #expect(records.map(\.keyText) == [#"{"id":"o\"ld"}"#, #"{"id":"o\"ld"}"#, #"{"id":"new"}"#])
        #expect(
            records.map(\.headers) == [
                [Header("__debezium.newkey", #"{"id":"new"}"#)], [Header("__debezium.newkey", #"{"id":"new"}"#)],
                [Header("__debezium.oldkey", #"{"id":"o\"ld"}"#)],
            ])
        #expect(records.map(\.row) == [0, 0, 0])
        if format == "compact" {
            #expect(part("ordinal", records[0]) == "1" && part("ordinal", records[2]) == "2")
            #expect(part("before", records[0]) == #"{"id":"o\"ld"}"#)
            #expect(part("unchanged", records[2]) == #"["note"]"#)
        } else {
            #expect(part("after", records[2]) == #"{"id":"new","v":2,"note":"__debezium_unavailable_value"}"#)
        }
    }

    /// A key stored out of line: old key whole, new one "unchanged".
    @Test func unchangedKeyIsTheOldOne() throws {
        let stage = try stage()
        let table = stage.host.relation(k)
        let id = String(repeating: "0123456789abcdef", count: 120)
        let records = try stage.encode([.update(table, old: [.text(id), .absent, .absent], [.unchanged, "2", "p"], isKey: true)])
        #expect(ops(records) == [#""u""#])
        #expect(records[0].keyText == #"{"id":"\#(id)"}"#)
        #expect(part("after", records[0]) == #"{"id":"\#(id)","v":2,"note":"p"}"#)
    }

    @Test(arguments: [("id", Cell.unchanged), ("id", Cell.absent)])
    func noKeyIsMadeUp(column: String, cell: Cell) throws {
        let stage = try stage()
        let table = stage.host.relation(k)
        let (records, rows) = try stage.encodeWithFailures([
            .insert(table, ["before", "1", "n"]), .update(table, [cell, "2", "PII-1"]), .delete(table, [.absent, "1", "PII-1"]),
            .insert(table, ["after", "1", "n"]),
        ])
        #expect(records.map(\.keyText) == [#"{"id":"before"}"#, #"{"id":"after"}"#])
        #expect(rows.map { $0.failure?.code } == [nil, CDCP_CODE_SHAPE, CDCP_CODE_SHAPE, nil])
        #expect(rows[1].failure?.text.hasPrefix("column public.k.id: ") == true)
        #expect(rows.allSatisfy { $0.failure?.text.contains("PII") != true })
    }

    @Test func fullIdentityComparesAndFills() throws {
        let stage = try stage()
        let table = stage.host.relation(full)
        let records = try stage.encode([
            // 1.5 and 1.50 are one key when zeros are stripped.
            .update(table, old: ["long", "1", "1.5"], [.unchanged, "1", "1.50"]), .update(table, old: ["x", "1", "1.5"], ["y", "2", "1.5"]),
            .delete(table, ["x", .null, "2"]),
        ])
        #expect(ops(records) == [#""u""#, #""d""#, "tombstone", #""c""#, #""d""#, "tombstone"])
        #expect(records[0].keyText == #"{"a":{"scale":1,"value":"Dw=="},"b":1}"#)
        #expect(part("before", records[0]) == #"{"v":"long","b":1,"a":{"scale":1,"value":"Dw=="}}"#)
        #expect(part("after", records[0]) == #"{"v":"long","b":1,"a":{"scale":1,"value":"Dw=="}}"#)
        #expect(records[3].keyText == #"{"a":{"scale":1,"value":"Dw=="},"b":2}"#)
        #expect(records[4].keyText == #"{"a":{"scale":0,"value":"Ag=="},"b":null}"#)
    }

    @Test func headersShowDecimalsAsNumbers() throws {
        let stage = try stage()
        let table = stage.host.relation(
            RelationSpec(
                "public", "d",
                columns: [
                    ColumnSpec("k", 1700, typmod: 786_440, flags: UInt32(CDCP_COL_IDENTITY), keyOrdinal: 1)
                ]))
        let records = try stage.encode([.update(table, old: ["1.5000"], ["1.5001"], isKey: true)])
        #expect(records[0].keyText == #"{"k":"Opg="}"#)
        #expect(records[0].headers == [Header("__debezium.newkey", #"{"k":1.5001}"#)])
        #expect(records[2].headers == [Header("__debezium.oldkey", #"{"k":1.5000}"#)])
    }

    @Test func tableWithoutKey() throws {
        let stage = try stage()
        let table = stage.host.relation(
            RelationSpec("public", "n", columns: [ColumnSpec("a", 23)], replicaIdentity: UInt8(CDCP_REPLICA_IDENTITY_FULL)))
        let records = try stage.encode([.insert(table, ["1"]), .update(table, old: ["1"], ["2"]), .delete(table, ["2"])])
        #expect(records.map(\.key) == [nil, nil, nil, nil])
        #expect(ops(records) == [#""c""#, #""u""#, #""d""#, "tombstone"])
    }

    @Test func ownKeyColumns() throws {
        let stage = try stage(["message_key_columns": ["pub*.f": ["v", "b"]], "tombstones_on_delete": false])
        let table = stage.host.relation(full)
        try stage.bind(table)
        try stage.bindingsComplete()
        let records = try stage.encode([.insert(table, ["x", "1", "2"]), .delete(table, ["x", "1", "2"])])
        #expect(records.map(\.keyText) == [#"{"v":"x","b":1}"#, #"{"v":"x","b":1}"#])
    }

    @Test(
        arguments: [
            (["public.k": ["note"]], "replica identity"), (["public.k": ["nope"]], "has no column"),
            (["public.other": ["id"]], "no table public.other"),
            (["orders": ["id"]], "schema.table"), (["public.Order Items": ["id"]], "double quotes"),
        ] as [(Option, String)])
    func ownKeyColumnsThatCannotWork(columns: Option, sentence: String) throws {
        let error = #expect(throws: StageRefusal.self) {
            let stage = try stage(["message_key_columns": columns])
            try stage.bind(stage.host.relation(k))
            try stage.bindingsComplete()
        }
        #expect(error?.status == CDCP_E_CONFIG)
        #expect(error?.message.contains(sentence) == true)
        #expect(error?.message.contains("message_key_columns") == true)
    }
}
