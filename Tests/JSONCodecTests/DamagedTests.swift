import PluginABI
import PluginKit
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

    /// Every value of the corpus, cut, with a byte changed, doubled or put in: its row fails, or what is written is one JSON value.
    @Test(arguments: ["scalars", "numeric", "temporal", "documents", "arrays", "network", "custom"])
    func aMangledValueNeverBreaksTheRecord(topic: String) throws {
        let golden = try Golden(topic)
        let plugin = try PluginFile.named("JSONCodec")
        let modes: [Option] = [
            ["format": "compact"], ["format": "debezium", "include_unknown_datatypes": true],
            ["format": "debezium", "decimal_handling_mode": "string", "time_precision_mode": "isostring", "interval_handling_mode": "string"],
            ["format": "debezium", "decimal_handling_mode": "double", "time_precision_mode": "nanoseconds", "binary_handling_mode": "hex"],
        ]
        var random = Mangling(state: 0x9e37_79b9_7f4a_7c15)
        for mode in modes {
            let stage = try plugin.stage(options: mode)
            for row in golden.rows {
                let table = stage.host.relation(row.table)
                var rows: [RowSpec] = []
                for (place, cell) in row.cells.enumerated() {
                    guard case .bytes(let bytes) = cell, bytes.count < 4000 else { continue }
                    for _ in 0..<4 {
                        var cells = row.cells
                        cells[place] = .rewritten(random.mangled(bytes))
                        rows.append(.insert(table, cells))
                    }
                }
                for record in try stage.encodeWithFailures(rows).records {
                    for part in [record.key, record.value] {
                        guard let part else { continue }
                        #expect(part.withUnsafeBytes { JSONText.isOneLineValue($0) }, "\(row.table.table): \(String(decoding: part, as: UTF8.self))")
                    }
                }
            }
        }
    }
}

/// A generator that gives the same sequence in every run.
private struct Mangling {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % max(bound, 1)
    }

    mutating func mangled(_ bytes: [UInt8]) -> [UInt8] {
        let bad: [UInt8] = [0, 0x22, 0x5c, 0x2c, 0x7b, 0x7d, 0x5b, 0x3a, 0x20, 0x2d, 0x2e, 0x30, 0x39, 0x65, 0x4e, 0x79, 0x0a, 0xff, 0xc3, 0xe2]
        var result = bytes
        switch below(4) {
        case 0: result.removeLast(result.isEmpty ? 0 : below(result.count) + 1)
        case 1: if !result.isEmpty { result[below(result.count)] = bad[below(bad.count)] }
        case 2: result.insert(bad[below(bad.count)], at: below(result.count + 1))
        default: result += result
        }
        return result
    }
}
