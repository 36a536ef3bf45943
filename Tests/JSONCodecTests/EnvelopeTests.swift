import PluginABI
import StageHarness
import Testing

/// The whole record, byte for byte but for the envelope's own times.
@Suite struct EnvelopeTests {
    private let host = FakeHost(stream: "p", topicPrefix: "p", database: "d", version: "9.8.7")
    private let t = RelationSpec("public", "t", columns: [.key("id", 23), ColumnSpec("amt", 1700, typmod: 327_686), ColumnSpec("note", 25)])

    private func stage(_ options: Option = [:]) throws -> StageInstance { try PluginFile.named("JSONCodec").stage(options: options, host: host) }

    private let commit = TransactionSpec().with { $0.previousEndLSN = 24_023_000 }

    private func source(
        _ snapshot: String = "false", table: String = #""schema":"public","table":"t""#, xid: String = "555", lsn: Int = 24_023_128,
        sequence: String = #""[\"24023000\",\"24023128\"]""#, origin: String = #""origin":null,"origin_lsn":null"#
    ) -> String {
        #""source":{"version":"9.8.7","connector":"postgresql","name":"p","ts_ms":1787392800123,"snapshot":"\#(snapshot)","db":"d","#
            + #""sequence":\#(sequence),"ts_us":1787392800123456,"ts_ns":1787392800123456000,\#(table),"txId":\#(xid),"lsn":\#(lsn),"#
            + #""xmin":null,\#(origin)},"transaction":null"#
    }

    /// Cuts the envelope's times off, after looking at them.
    private func body(_ record: EncodedRecord) -> String {
        let text = record.valueText ?? ""
        guard let end = text.range(of: #","ts_ms":"#, last: true) else { return text }
        let times = fields("{" + text[end...].dropFirst())
        #expect(times.map(\.name) == ["ts_ms", "ts_us", "ts_ns"])
        #expect(times[1].value.hasPrefix(times[0].value) && times[2].value == times[1].value + "000")
        return String(text[..<end]) + "}"
    }

    private func at(_ lsn: UInt64) -> (inout RowSpec) -> Void { { $0.lsn = lsn } }

    @Test func insertUpdateDelete() throws {
        let stage = try stage()
        let table = stage.host.relation(t)
        let records = try stage.encode(
            [
                RowSpec.insert(table, ["1", "3.30", .null]).with(at(24_023_128)), RowSpec.update(table, ["1", "3.31", "x"]).with(at(24_023_128)),
                RowSpec.delete(table, ["1", .absent, .absent], isKey: true).with(at(24_023_128)), RowSpec.truncate(table).with(at(24_023_128)),
            ], transactions: [commit])
        #expect(records.map(\.keyText) == [#"{"id":1}"#, #"{"id":1}"#, #"{"id":1}"#, #"{"id":1}"#])
        #expect(body(records[0]) == #"{"before":null,"after":{"id":1,"amt":"AUo=","note":null},\#(source()),"op":"c"}"#)
        #expect(body(records[1]) == #"{"before":null,"after":{"id":1,"amt":"AUs=","note":"x"},\#(source()),"op":"u"}"#)
        #expect(body(records[2]) == #"{"before":{"id":1,"amt":null,"note":null},"after":null,\#(source()),"op":"d"}"#)
        #expect(records[3].value == nil, "the tombstone; the truncate is skipped by default")
        #expect(records.allSatisfy { $0.headers.isEmpty })
    }

    @Test func truncateTakesNoKey() throws {
        let stage = try stage(["skipped_operations": ["update"]])
        let table = stage.host.relation(t)
        let records = try stage.encode([RowSpec.truncate(table).with(at(24_023_128)), .update(table, ["1", "1.00", "x"])], transactions: [commit])
        #expect(records.count == 1)
        #expect(records[0].key == nil)
        #expect(body(records[0]) == #"{"before":null,"after":null,\#(source()),"op":"t"}"#)
    }

    /// `skipped_operations` speaks of records: a change of key is a delete and a create.
    @Test(arguments: [("update", "dtc"), ("delete", "c"), ("create", "dt")])
    func eitherHalfOfAKeyChangeMayBeSkipped(word: String, left: String) throws {
        let stage = try stage(["skipped_operations": [.string(word)]])
        let table = stage.host.relation(t)
        let rows: [RowSpec] = [.update(table, old: ["1", .absent, .absent], ["2", "3.30", "x"], isKey: true)]
        let ops = try stage.encode(rows.map { $0.with(at(24_023_128)) }, transactions: [commit]).map { record in
            record.valueText.map { $0.contains(#""op":"d""#) ? "d" : "c" } ?? "t"
        }
        #expect(ops.joined() == left)
    }

    @Test func snapshotRowsSayWhereTheyStand() throws {
        let stage = try stage()
        let table = stage.host.relation(t)
        let snapshot = TransactionSpec().with {
            $0.xid = 0
            $0.flags = UInt32(CDCP_TXNF_SNAPSHOT)
        }
        let flags: [(Int32, String)] = [
            (CDCP_ROWF_SNAPSHOT_FIRST | CDCP_ROWF_SNAPSHOT_FIRST_IN_TABLE, "first"), (0, "true"),
            (CDCP_ROWF_SNAPSHOT_LAST_IN_TABLE, "last_in_data_collection"), (CDCP_ROWF_SNAPSHOT_FIRST_IN_TABLE, "first_in_data_collection"),
            (CDCP_ROWF_SNAPSHOT_FIRST_IN_TABLE | CDCP_ROWF_SNAPSHOT_LAST_IN_TABLE, "last_in_data_collection"),
            (CDCP_ROWF_SNAPSHOT_FIRST | CDCP_ROWF_SNAPSHOT_LAST | CDCP_ROWF_SNAPSHOT_LAST_IN_TABLE, "last"),
        ]
        let rows = flags.map { flag, _ in
            RowSpec.read(table, ["1", "3.30", .null]).with {
                $0.flags = UInt16(flag)
                $0.lsn = 0
            }
        }
        let records = try stage.encode(rows, transactions: [snapshot])
        for (record, (_, word)) in zip(records, flags) {
            let source = source(word, xid: "0", lsn: 24_023_200, sequence: #""[null,\"24023200\"]""#)
            #expect(body(record) == #"{"before":null,"after":{"id":1,"amt":"AUo=","note":null},\#(source),"op":"r"}"#)
        }
    }

    @Test func originAndOddNames() throws {
        let stage = try stage()
        let odd = stage.host.relation(
            RelationSpec("we\"ird", "tab\\le\u{1}", columns: [.key("i\"d", 23), ColumnSpec("a rather long column name beyond a word", 16)]))
        let records = try stage.encode(
            [RowSpec.insert(odd, ["1", "f"]).with(at(24_023_128))],
            transactions: [
                commit.with {
                    $0.origin = "up\"1"
                    $0.originLSN = 77
                }
            ])
        let source = source(
            table: #""schema":"we\"ird","table":"tab\\le\u0001""#, origin: #""origin":"up\"1","origin_lsn":77"#)
        #expect(records[0].keyText == #"{"i\"d":1}"#)
        #expect(body(records[0]) == #"{"before":null,"after":{"i\"d":1,"a rather long column name beyond a word":false},\#(source),"op":"c"}"#)
    }

    @Test func logicalMessages() throws {
        let stage = try stage()
        let transactions = [
            commit,
            commit.with {
                $0.xid = 0
                $0.flags = UInt32(CDCP_TXNF_MESSAGE)
            },
        ]
        let rows = [
            RowSpec.message(prefix: "note", Array("inside".utf8)).with(at(24_023_128)),
            RowSpec.message(prefix: "no\"te", [0xff], transactional: false).with {
                $0.lsn = 24_023_128
                $0.transaction = 1
            },
        ]
        let records = try stage.encode(rows, transactions: transactions)
        #expect(records.map(\.topicName) == ["p.message", "p.message"])
        #expect(records.map(\.keyText) == [#"{"prefix":"note"}"#, #"{"prefix":"no\"te"}"#])
        let parts = records.map { fields($0.valueText ?? "") }
        #expect(parts[0].map(\.name) == ["op", "ts_ms", "source", "transaction", "message"])
        #expect(parts[0][2].value == String(source(table: #""schema":"","table":"""#).dropFirst(9).dropLast(19)))
        #expect(parts[0][4].value == #"{"prefix":"note","content":"aW5zaWRl"}"#)
        #expect(parts[1][2].value.contains(#""txId":null"#))
        #expect(parts[1][4].value == #"{"prefix":"no\"te","content":"/w=="}"#)
    }

    @Test func contextHeadersWhenAskedFor() throws {
        let stage = try stage(["extended_headers_enabled": true])
        let table = stage.host.relation(t)
        let records = try stage.encode([.delete(table, ["1", .absent, .absent], isKey: true)])
        for record in records {
            #expect(
                record.headers.map(\.key) == [
                    "__debezium.context.connectorLogicalName", "__debezium.context.taskId", "__debezium.context.connectorName",
                    "__debezium.context.runId",
                ])
            #expect(record.headers.prefix(3).map(\.text) == ["p", "0", "postgresql"])
            #expect(record.headers[3].text?.count == 36)
        }
    }
}

extension String {
    /// Where `text` begins.
    func range(of text: String, last: Bool) -> String.Index? {
        let bytes = Array(utf8)
        let wanted = Array(text.utf8)
        guard bytes.count >= wanted.count else { return nil }
        let found = (0...(bytes.count - wanted.count)).last { Array(bytes[$0..<($0 + wanted.count)]) == wanted }
        return found.map { utf8.index(utf8.startIndex, offsetBy: $0) }
    }
}
