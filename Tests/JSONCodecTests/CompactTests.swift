import PluginABI
import StageHarness
import Testing

@Suite struct CompactTests {
    private func stage(_ options: [Option.Entry] = []) throws -> StageInstance {
        try PluginFile.named("JSONCodec").stage(options: .map([.init("format", "compact")] + options))
    }

    @Test func wholeLines() throws {
        let stage = try stage()
        let table = stage.host.relation(RelationSpec("public", "orders", columns: [.key("id", 23), ColumnSpec("note", 25), ColumnSpec("n", 1700)]))
        let rows = [
            RowSpec.insert(table, ["1", "a\"b", "1.50"]), .update(table, ["1", .unchanged, "2"]),
            .delete(table, ["1", .absent, .absent], isKey: true),
            .read(table, ["1", .null, "NaN"]), .message(prefix: "note", [0, 1, 2]),
        ]
        let lines = try stage.encode(rows).map { $0.valueText ?? "tombstone" }
        let end = { (ordinal: Int) in #","commit_lsn":24023200,"ordinal":\#(ordinal),"xid":555,"ts_us":1787392800123456}"# }
        let table1 = #""schema":"public","table":"orders""#
        #expect(
            lines == [
                #"{"op":"c",\#(table1),"after":{"id":1,"note":"a\"b","n":"1.50"}\#(end(1))"#,
                #"{"op":"u",\#(table1),"after":{"id":1,"n":"2"},"unchanged":["note"]\#(end(3))"#,
                #"{"op":"d",\#(table1),"before":{"id":1}\#(end(5))"#, "tombstone",
                #"{"op":"r",\#(table1),"after":{"id":1,"note":null,"n":"NaN"}\#(end(7))"#,
                #"{"op":"m","prefix":"note","content":"AAEC"\#(end(9))"#,
            ])
    }

    @Test(
        arguments: [
            (16, 0, "t", "true"), (21, 0, "-32768", "-32768"), (20, 0, "9007199254740993", "9007199254740993"), (26, 0, "4294967295", "4294967295"),
            (701, 0, "1e+20", "1e+20"), (701, 0, "-0", "-0"), (700, 0, "NaN", #""NaN""#), (701, 0, "-Infinity", #""-Infinity""#),
            (1700, 0, "-0.00", #""-0.00""#), (790, 0, "$1,234.50", #""$1,234.50""#), (17, 0, #"\x00ff10"#, #""AP8Q""#), (17, 0, #"\x"#, #""""#),
            (114, 0, "{\n\t\"a\" : [1.10,\r\n null]}", "{  \"a\" : [1.10,   null]}"),
            (3802, 0, #"{"n": 12345678901234567890}"#, #"{"n": 12345678901234567890}"#),
            (1082, 0, "2026-01-31", #""2026-01-31""#), (1082, 0, "infinity", #""infinity""#),
            (1114, 0, "2026-01-31 10:00:00.123456", #""2026-01-31T10:00:00.123456""#),
            (1114, 0, "0044-03-15 11:00:00 BC", #""0044-03-15T11:00:00 BC""#), (1114, 0, "-infinity", #""-infinity""#),
            (1184, 0, "2026-01-31 10:00:00.5+00", #""2026-01-31T10:00:00.5Z""#), (1184, 0, "2026-01-31 10:00:00+02", #""2026-01-31T08:00:00Z""#),
            (1114, 0, "294276-12-31 23:59:59.999999", #""294276-12-31T23:59:59.999999""#),
            (1184, 0, "0044-03-15 11:00:00+00 BC", #""0044-03-15T11:00:00Z BC""#),
            (1184, 0, "294276-12-31 23:59:59.999999+00", #""294276-12-31T23:59:59.999999Z""#),
            (1184, 0, "infinity", #""infinity""#), (1186, 0, "1 day 02:00:00", #""1 day 02:00:00""#), (1007, 23, "{1,NULL,3}", "[1,null,3]"),
            (1007, 23, "{}", "[]"), (1007, 23, "[0:1]={1,2}", "[1,2]"), (1007, 23, "{{1,2},{3,4}}", "[[1,2],[3,4]]"),
            (1009, 25, #"{"a,b","NULL",NULL,"q\"\\",plain}"#, #"["a,b","NULL",null,"q\"\\","plain"]"#), (1231, 1700, "{1.50}", #"["1.50"]"#),
            (1020, 603, "{(1,1),(0,0);(2,2),(1,1)}", #"["(1,1),(0,0)","(2,2),(1,1)"]"#), (3807, 3802, #"{"{\"a\": 1}"}"#, #"[{"a": 1}]"#),
            (22, 0, "1 2 3", "[1,2,3]"), (25, 0, "\u{1}\u{1f}\u{7f}é😀\\", #""\u0001\u001F"# + "\u{7f}" + #"é😀\\""#),
        ] as [(UInt32, UInt32, String, String)])
    func naturalValues(type: UInt32, element: UInt32, text: String, expected: String) throws {
        let stage = try stage()
        let table = stage.host.relation(RelationSpec("public", "t", columns: [ColumnSpec("c", type, element: element)]))
        let records = try stage.encode([.insert(table, [.text(text)])])
        let after = fields(records[0].valueText ?? "").first { $0.name == "after" }?.value
        #expect(after == #"{"c":\#(expected)}"#)
        #expect(records[0].valueText?.contains("\n") == false)
    }

    /// Rubbish in any type fails its row and no other, and never shows in the text.
    @Test(arguments: ["debezium", "compact"])
    func rubbishFailsTheRow(format: String) throws {
        let types: [(UInt32, UInt32)] = [
            (16, 0), (23, 0), (701, 0), (1700, 0), (17, 0), (1114, 0), (1184, 0), (1082, 0), (1083, 0), (1266, 0), (1186, 0), (1560, 0), (600, 0),
            (790, 0),
            (1007, 23), (1115, 1114), (1231, 1700), (22, 0),
        ]
        let rubbish = [
            "", "PII-1", "-", "\\x", "\\xPI", "{", "}", "{1", "{1,}", "{1,,2}", "{}{}", "{\"", "{\"\\", "1 ", "[1:2]", "[1:2]=",
            "99999999999999999999999", "1e", "1e99999",
            "2026-13-01", "2026-01-01 ", "2026-01-01 10", "2026-01-01 10:00:00.", "2026-01-01 10:00:00+", "12345678-01-01", "1 year 2", "(1,", "0,0",
            "--1", "NaNN",
            "9223372036854775808 days", "99999999999999999:00:00", "{{{{{{{{1}}}}}}}}", "\u{0}", "$", "٣",
        ]
        let stage = try PluginFile.named("JSONCodec").stage(options: ["format": .string(format)])
        for (type, element) in types {
            let table = stage.host.relation(RelationSpec("public", "t\(type)", columns: [ColumnSpec("c", type, element: element)]))
            let (records, rows) = try stage.encodeWithFailures(
                rubbish.map { .insert(table, [.text($0)]) } + [.insert(table, [.binary([0, 0, 0, 1])])])
            for row in rows where row.isFailed {
                #expect(row.failure?.code == CDCP_CODE_VALUE)
                #expect(row.failure?.text.hasPrefix("column public.t\(type).c: ") == true && row.failure?.text.contains("PII") == false)
            }
            #expect(rows.last?.isFailed == true, "binary")
            // Money may have any letters around its digits: the currency.
            if format == "debezium", type != 790 { #expect(rows[1].isFailed, "\(type)") }
            for record in records { #expect(record.valueText?.hasSuffix("}") == true) }
        }
    }
}
