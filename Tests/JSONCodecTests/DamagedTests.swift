import PluginABI
import StageHarness
import Testing

/// Cells that a stage before the codec has damaged: the row fails, and no record holds anything of it.
@Suite struct DamagedTests {
    private static let notUTF8: [[UInt8]] = [
        [0xff], [0x80], [0xc3], [0xc0, 0xaf], [0xc3, 0x28], [0xe0, 0x80, 0x80], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf0, 0x80, 0x80, 0x80], [0xf0, 0x9f, 0x98],
        [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80],
    ]

    private func refuses(_ column: ColumnSpec, _ cell: Cell, _ format: String) throws -> RowResult.Failure? {
        let stage = try PluginFile.named("JSONCodec").stage(options: ["format": .string(format)])
        let table = stage.host.relation(RelationSpec("public", "t", columns: [.key("id", 23), column]))
        let (records, rows) = try stage.encodeWithFailures([
            .insert(table, ["1", .null]), .insert(table, ["2", cell]), .insert(table, ["3", .null]),
        ])
        #expect(records.map(\.keyText) == [#"{"id":1}"#, #"{"id":3}"#], "\(cell)")
        return rows[1].failure
    }

    /// At every place that the eight-byte steps make different.
    @Test(arguments: ["compact", "debezium"])
    func textThatIsNotUTF8(format: String) throws {
        for bytes in Self.notUTF8 {
            for before in [0, 1, 7, 8, 2047, 2048] {
                for after in [0, 9] {
                    let text = [UInt8](repeating: 0x78, count: before) + bytes + [UInt8](repeating: 0x22, count: after)
                    let failure = try refuses(ColumnSpec("x", 25), .bytes(text), format)
                    #expect(failure?.code == CDCP_CODE_VALUE && failure?.text.hasPrefix("column public.t.x: the text is not UTF-8") == true)
                }
            }
            let element = Array("{".utf8) + bytes + Array("}".utf8)
            #expect(try refuses(ColumnSpec("x", 1009, element: 25), .bytes(element), format) != nil)
            #expect(try refuses(ColumnSpec("x", 3802), .bytes([0x22] + bytes + [0x22]), format) != nil)
        }
    }

    @Test func everyCharacterPasses() throws {
        let stage = try PluginFile.named("JSONCodec").stage(options: ["format": "compact"])
        let table = stage.host.relation(RelationSpec("public", "t", columns: [ColumnSpec("t", 25)]))
        let text = "\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}"
        for before in 0...8 {
            let whole = String(repeating: "x", count: before) + text
            #expect(try stage.encode([.insert(table, [.text(whole)])])[0].valueText?.contains(#""t":"\#(whole)"}"#) == true)
        }
    }

    @Test(
        arguments: [
            (23, "007"), (20, "-01"), (701, "01.5"), (701, "1."), (701, ".5"), (701, "+1"), (701, "1-2"), (701, "1e"), (701, "--1"), (701, ""), (3802, ""),
            (3802, "{\"a\":"), (3802, "1,\"injected\":2"), (3802, "nul"), (114, "{}{}"), (114, "'x'"),
        ] as [(UInt32, String)])
    func whatWouldBreakTheRecord(type: UInt32, text: String) throws {
        #expect(try refuses(ColumnSpec("x", type), .rewritten(Array(text.utf8)), "compact")?.code == CDCP_CODE_VALUE)
    }

    @Test(
        arguments: [
            (23, "-7"), (23, "0"), (701, "1e+22"), (701, "-0"), (701, "5e-324"), (701, "0.1"), (3802, #"{"a": [1, "ü", null]}"#), (114, "[\n1 ]"),
        ] as [(UInt32, String)])
    func whatAStageMayPutThere(type: UInt32, text: String) throws {
        let stage = try PluginFile.named("JSONCodec").stage(options: ["format": "compact"])
        let table = stage.host.relation(RelationSpec("public", "t", columns: [ColumnSpec("x", type)]))
        let record = try stage.encode([.insert(table, [.rewritten(Array(text.utf8))])])[0]
        #expect(record.valueText?.contains(#""after":{"x":\#(text.replacing("\n", with: " "))}"#) == true)
    }
}
