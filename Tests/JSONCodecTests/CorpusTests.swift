import StageHarness
import Testing

/// What Debezium 3.6.3 sent for the same rows, in every mode that is there.
@Suite struct CorpusTests {
    private static let modes: [String: Option] = [
        "default": [:], "decimal-string": ["decimal_handling_mode": "string"], "decimal-double": ["decimal_handling_mode": "double"],
        "binary-base64": ["binary_handling_mode": "base64"], "binary-base64-url-safe": ["binary_handling_mode": "base64-url-safe"],
        "binary-hex": ["binary_handling_mode": "hex"], "interval-string": ["interval_handling_mode": "string"],
        "time-adaptive-us": ["time_precision_mode": "adaptive_time_microseconds"], "time-connect": ["time_precision_mode": "connect"],
        "time-isostring": ["time_precision_mode": "isostring"], "time-microseconds": ["time_precision_mode": "microseconds"],
        "time-nanoseconds": ["time_precision_mode": "nanoseconds"], "unknown": ["include_unknown_datatypes": true],
        "unknown-hex": ["include_unknown_datatypes": true, "binary_handling_mode": "hex"],
    ]

    /// Where our value is another on purpose: each is what the row holds, and Debezium's is not.
    private static let departures: [String: [String]] = [
        // Arrays of arrays, nulls in enum arrays, bits in arrays: Debezium sends null or the address of an object.
        "grids_deep.i": ["[[1,2],[3,4]]", "[[[1],[2]],[[3],[4]]]"],
        "grids_deep.t": [#"[["a","b"],["c",null]]"#, #"[["{x}"],["\"y\""]]"#],
        "lists.e": [#"[null,"medium"]"#],
        "moods.ms": [#"["it's \"fine\"","happy 😀","",null]"#],
        "moods.os": ["[null]"],
        "lists_other.bi": [#"["BQ=="]"#],
        // Arrays of domains are those of the base type.
        "lists_other.sc": ["[1,100]"],
        // Moments in arrays: Debezium cuts microseconds, takes 24:00 for 00:00 and loses years before 1 AD.
        "lists_time.d": ["[null,-735160]", #"[null,"-0043-03-15Z"]"#],
        "lists_time.ti": [
            "[45296123456,86400000000]", "[45296123,86400000]", "[45296123456000,86400000000000]", #"["12:34:56.123456Z","00:00:00Z"]"#,
        ],
        "lists_time.ts": ["[null,-63517784400000000]", "[null,-63517784400000]", #"[null,"-0043-03-15T11:00:00Z"]"#],
        "lists_time.tsz": [#"[null,"-0043-03-15T11:00:00.000000Z"]"#],
        // Infinity by its name where the type is a string.
        "forever.d": [#""infinity""#, #""-infinity""#],
        "forever.ts": [#""infinity""#, #""-infinity""#],
        "forever.ts3": [#""infinity""#, #""-infinity""#],
        // Beyond the last microsecond that 64 bits count.
        "ends.ts": ["9223372036854775807"],
        // The shortest digits that read back, where Java 17 prints more of them.
        "reals.f20": ["1.0E16"], "reals.f4": ["1.1754944E-38"], "reals.f8": ["2.0E23"],
        // Vectors.
        "inside.iv": ["[1,2,3]", "[]"], "inside.ov": ["[11,12]", "[]"],
        // The server's order of keys.
        "maps.h": [#""{\"a\":\"x\",\"b\":\"z\",\"aa\":\"y\"}""#],
        // Columns of type name are null or empty in Debezium's stream.
        "required.na": [#""n""#],
        "words.n": [
            #""plain""#, #""""#, #"" sp ace ""#, #""a\"b""#, #""\\""#, #""a\tb""#, #""😀""#, "\"\u{301}\"", #""👨""#, #""NULL""#, #""null""#,
            "\"" + String(repeating: "n", count: 63) + "\"", #""<n>""#, #""-- x""#,
        ],
    ]

    /// Columns that Debezium leaves out without a word and that are there in our records: arrays of domains, and, with
    /// include_unknown_datatypes, arrays of what it knows.
    private static let added: Set<String> = [
        "lists_other.m", "lists_other.na", "lists_other.vb", "lists_other.x", "lists_other.p", "lists_other.cu", "lists_other.sc", "lists_time.iv",
    ]

    /// Rows that fail on purpose, by mode and table: numbers that are none, moments beyond 64 bits of nanoseconds (Debezium sends null).
    private static let failing: Set<String> = [
        "default odd", "time-nanoseconds ends", "time-nanoseconds moment", "time-nanoseconds lists_time",
    ]

    @Test(arguments: ["scalars", "numeric", "numeric-special", "temporal", "documents", "arrays", "network", "custom"])
    func rowsAreDebeziums(topic: String) throws {
        let golden = try Golden(topic)
        let plugin = try PluginFile.named("JSONCodec")
        for (mode, options) in Self.modes.sorted(by: { $0.key < $1.key }) {
            guard mode == "default" || golden.rows.contains(where: { $0.wanted[mode] != nil }) else { continue }
            let stage = try plugin.stage(options: options)
            let (records, results) = try stage.encodeWithFailures(golden.rows.map { .insert(stage.host.relation($0.table), $0.cells) })
            for (index, result) in results.enumerated() where result.isFailed {
                #expect(Self.failing.contains("\(mode) \(golden.rows[index].table.table)"), "\(mode): \(result.failure?.text ?? "")")
            }
            #expect(records.count == results.count { !$0.isFailed })
            for record in records {
                let row = golden.rows[Int(record.row)]
                compare(record, row.wanted[mode] ?? row.wanted["default"] ?? "", "\(mode) \(row.table.table)", row.table.table)
            }
        }
    }

    private func compare(_ record: EncodedRecord, _ wanted: String, _ context: String, _ table: String) {
        let after = fields(record.valueText ?? "").first { $0.name == "after" }?.value ?? ""
        let theirs = fields(wanted)
        let ours = fields(after).filter { field in
            !Self.added.contains("\(table).\(field.name)") || theirs.contains { $0.name == field.name }
        }
        #expect(ours.map(\.name) == theirs.map(\.name), "\(context)")
        for (our, their) in zip(ours, theirs) where our.value != their.value {
            let known = Self.departures["\(table).\(our.name)"]?.contains(our.value) == true
            #expect(known, "\(context).\(our.name): ours \(our.value), theirs \(their.value)")
        }
    }
}
