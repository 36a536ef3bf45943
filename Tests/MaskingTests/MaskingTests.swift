import Glibc
import PluginABI
import StageHarness
import Testing

private let people = RelationSpec(
    "public", "people",
    columns: [
        .key("id", 23), ColumnSpec("email", 1043, typmod: 84, flags: UInt32(CDCP_COL_NOT_NULL)), ColumnSpec("note", 25),
        ColumnSpec("born", 1082, flags: UInt32(CDCP_COL_NOT_NULL)), ColumnSpec("tags", 1009, element: 25),
    ])

private func masking(_ columns: Option, onMissing: Option = "stop") throws -> StageInstance {
    try PluginFile.named("Masking").stage(options: ["columns": columns, "on_missing": onMissing])
}

private func refusal(_ body: () throws -> Void) -> StageRefusal? {
    do {
        try body()
        return nil
    } catch let error as StageRefusal {
        return error
    } catch {
        Issue.record("another error: \(error)")
        return nil
    }
}

@Suite struct MaskingTests {
    private static let masked = UInt16(CDCP_CELLF_REWRITTEN | CDCP_CELLF_MASKED)

    @Test(arguments: [
        ("fixed", ["value": "gone"], "secret@example.org", "gone"),
        ("fixed", ["value": 0], "x", "0"),
        ("fixed", ["value": ""], "x", ""),
        ("keep_first", ["n": 2], "secret", "se****"),
        ("keep_first", ["n": 0], "abc", "***"),
        ("keep_last", ["n": 4], "4111111111111234", "************1234"),
        ("keep_last", ["n": 4, "fill": "#"], "12345", "#2345"),
        ("keep_last", ["n": 4], "123", "123"),
        ("keep_first", ["n": 3], "", ""),
        ("truncate", ["n": 3], "abcdef", "abc"),
        ("truncate", ["n": 0], "abcdef", ""),
        ("truncate", ["n": 10], "abcdefghijklmnop", "abcdefghij"),
        // Characters, not bytes: nothing is cut in the middle.
        ("keep_first", ["n": 2], "Müller😀é", "Mü******"),
        ("keep_last", ["n": 2, "fill": "•"], "Müller😀é", "••••••😀é"),
        ("keep_last", ["n": 9], "abcdefghijklmnöpqrstuvwxyz", "*****************rstuvwxyz"),
        ("truncate", ["n": 4], "日本語テキスト", "日本語テ"),
    ] as [(String, Option, String, String)])
    func replacesNewAndOldAlike(how: String, more: Option, value: String, expected: String) throws {
        var entry: [Option.Entry] = [.init("column", "public.people.email"), .init("how", .string(how))]
        if case .map(let others) = more { entry += others }
        let stage = try masking([.map(entry)])
        let table = stage.host.relation(people)
        let row: [Cell] = ["1", .text(value), "n", "2000-01-01", "{}"]
        let out = try stage.process([
            .insert(table, row), .update(table, old: row, row), .delete(table, ["1", .text(value), .absent, .absent, .absent], isKey: true),
            .read(table, row), .truncate(table),
        ])
        for cells in [out[0].new, out[1].new, out[1].old, out[2].old, out[3].new] {
            #expect(cells?[1] == .text(expected))
            #expect(cells?[0] == "1")
        }
        #expect(out[0].newFlags == [0, Self.masked, 0, 0, 0])
        #expect(out[2].old?[2] == .absent)
        #expect(out[4].new == nil && out[4].old == nil)
        try stage.bindingsComplete()
    }

    @Test func missingValuesStayWhatTheyAre() throws {
        for how: Option in ["fixed", "hash", "null"] {
            var entry: [Option.Entry] = [.init("column", "note"), .init("how", how)]
            if how == "fixed" { entry.append(.init("value", "x")) }
            let stage = try masking([.map(entry)])
            let table = stage.host.relation(people)
            let cells: [Cell] = [.null, .unchanged, .absent]
            let out = try stage.process(cells.map { .update(table, old: ["1", "e", $0, "b", "t"], ["1", "e", $0, "b", "t"]) })
            #expect(out.map { $0.new?[2] } == cells)
            #expect(out.map { $0.old?[2] } == cells)
        }
    }

    @Test func shapeBecomesTextOrNullable() throws {
        let stage = try masking([
            ["column": "public.*.born", "how": "null"], ["column": "tags", "how": "hash", "salt": "s"],
            ["column": "e?ail", "how": "truncate", "n": 1],
        ])
        let out = try stage.bind(stage.host.relation(people)).spec.columns
        #expect(out[0] == people.columns[0] && out[2] == people.columns[2])
        #expect(out[1] == ColumnSpec("email", 25, flags: UInt32(CDCP_COL_NOT_NULL | CDCP_COL_MASKED)))
        #expect(out[3] == ColumnSpec("born", 1082, flags: UInt32(CDCP_COL_NULLABLE | CDCP_COL_MASKED)))
        #expect(out[4] == ColumnSpec("tags", 25, flags: UInt32(CDCP_COL_NULLABLE | CDCP_COL_MASKED)))
        let row = try stage.process([.insert(stage.host.relation(people), ["1", "abc", "n", "2000-01-01", "{a}"])])[0]
        #expect(row.new?[3] == .null && row.new?[1] == "a")
        #expect(row.newFlags[3] == Self.masked)
    }

    @Test func untouchedTablesPassAsTheyAre() throws {
        let stage = try masking([["column": "public.people.email", "how": "null"]])
        let other = stage.host.relation(RelationSpec("public", "orders", columns: [.key("id", 23), ColumnSpec("email", 25)], oid: 2))
        #expect(try stage.bind(other) === other)
        let out = try stage.process([.insert(other, ["1", "a@b"]), .message(prefix: "p", [0, 1])])
        #expect(out[0].new == ["1", "a@b"])
        #expect(out[1].new == ["p", .binary([0, 1])])
    }

    @Test func whatCannotBeMaskedFails() throws {
        for entry: Option in [
            ["column": "email", "how": "hash"], ["column": "email", "how": "keep_last", "n": 2], ["column": "email", "how": "truncate", "n": 2],
        ] {
            let stage = try masking([entry])
            let table = stage.host.relation(people)
            let canary = Array("PII-1".utf8)
            // Binary format, a kind that is not known; for the ways that count characters, bytes that are none among those that count.
            var hostile: [Cell] = [.binary(canary), .kind(9)]
            if entry != ["column": "email", "how": "hash"] {
                hostile += [.bytes([0xC3]), .bytes([0xE2, 0x82]), .bytes([0xFF] + canary), .bytes([0xC0, 0x80] + canary)]
            }
            if entry == ["column": "email", "how": "keep_last", "n": 2] {
                hostile += [.bytes(canary + [0x80]), .bytes(canary + canary + [0xF5, 0x80, 0x80, 0x80]), .bytes(canary + canary + [0xF0, 0x9F, 0x98])]
            }
            let rows = hostile.map { RowSpec.insert(table, ["1", $0, "n", "b", "t"]) }
                + hostile.map { RowSpec.delete(table, ["1", $0, "n", "b", "t"]) } + [.insert(table, ["1", "fine", "n", "b", "t"])]
            let out = try stage.process(rows)
            #expect(out.dropLast().allSatisfy { $0.isFailed && $0.failure?.code == CDCP_CODE_VALUE })
            #expect(out.allSatisfy { $0.failure?.text.contains("PII") != true })
            #expect(out.last?.failure == nil)
            #expect(!stage.host.logs.contains { $0.text.contains("PII") })
        }
    }

    @Test func aFixedValueCoversBinaryToo() throws {
        let stage = try masking([["column": "email", "how": "fixed", "value": "x"]])
        let out = try stage.process([.insert(stage.host.relation(people), ["1", .binary([1]), "n", "b", "t"])])
        #expect(out[0].new?[1] == "x")
    }

    @Test(arguments: [
        ([["column": "public.people.mail", "how": "hash"]], "no column that fits 'public.people.mail'"),
        ([["column": "public.people.email", "how": "hash"], ["column": "em*", "how": "null"]], "columns[0].column; leave one"),
        ([["column": "id", "how": "null"]], "public.people.id is part of the key"),
    ] as [(Option, String)])
    func bindRefuses(columns: Option, expected: String) throws {
        let stage = try masking(columns)
        let error = refusal { try stage.bind(stage.host.relation(people)) }
        #expect(error?.status == CDCP_E_CONFIG)
        #expect(error?.message.contains(expected) == true)
        #expect(error?.message.hasPrefix("30-test.yaml:1:1: options.columns[") == true)
    }

    @Test(arguments: [
        ["column": "people.email", "how": "hash"], ["column": "a.b.c.d", "how": "hash"], ["column": "Order Items.x.y", "how": "hash"],
        ["column": "x", "how": "fixed"], ["column": "x", "how": "keep_first"], ["column": "x", "how": "truncate"],
        ["column": "x", "how": "hash", "value": "v"], ["column": "x", "how": "null", "n": 1],
        ["column": "x", "how": "fixed", "value": "v", "fill": "*"],
        ["column": "x", "how": "keep_last", "n": 1, "fill": "ab"], ["column": "x", "how": "keep_last", "n": -1], ["column": "x", "how": "shuffle"],
        ["column": "public..x", "how": "hash"], ["column": "\"x", "how": "hash"],
    ] as [Option])
    func configureRefuses(entry: Option) throws {
        let error = refusal { _ = try masking([entry]) }
        #expect(error?.call == "configure" && error?.status == CDCP_E_CONFIG)
        #expect(error?.message.hasPrefix("30-test.yaml:1:1: options.columns[0].") == true)
    }

    @Test func namesAreWrittenAsInSQL() throws {
        let stage = try masking([
            ["column": "public.\"Order Items\".\"E-Mail\"", "how": "fixed", "value": "x"],
            ["column": "PUBLIC.People.EMAIL, note", "how": "fixed", "value": "y"],
        ])
        let items = stage.host.relation(RelationSpec("public", "Order Items", columns: [ColumnSpec("E-Mail", 25)], oid: 3))
        let out = try stage.process([.insert(items, ["a"]), .insert(stage.host.relation(people), ["1", "e", "n", "b", "t"])])
        #expect(out[0].new == ["x"])
        #expect(out[1].new == ["1", "y", "y", "b", "t"])
        try stage.bindingsComplete()

        let folded = try masking([["column": "public.people.Email", "how": "hash"]])
        let capital = folded.host.relation(RelationSpec("public", "people", columns: [ColumnSpec("Email", 25)]))
        #expect(refusal { try folded.bind(capital) }?.message.contains("double quotes: \"Email\"") == true)
    }
}

@Suite struct MissingColumnTests {
    private func shape(_ table: String = "people", _ columns: String..., oid: UInt32 = 16384) -> RelationSpec {
        RelationSpec("public", table, columns: [.key("id", 23)] + columns.map { ColumnSpec($0, 25) }, oid: oid)
    }

    @Test func aPatternThatFitsNothingIsRefusedAtStart() throws {
        for column: Option in ["nowhere", "public.nowhere.email", "*.people.mail?", "email, nowhere"] {
            let stage = try masking([["column": column, "how": "hash", "salt": "s"]])
            try stage.bind(stage.host.relation(shape("people", "email")))
            let error = refusal { try stage.bindingsComplete() }
            #expect(error?.status == CDCP_E_CONFIG)
            #expect(error?.message.hasPrefix("30-test.yaml:1:1: options.columns[0].column: ") == true)
        }
        let stage = try masking([["column": "nowhere", "how": "hash", "salt": "s"]], onMissing: "ignore")
        try stage.bindingsComplete()
        #expect(stage.host.logs.contains { $0.level == CDCP_LOG_WARNING && $0.text.contains("'nowhere'") })
    }

    @Test func aRenamedOrDroppedColumnStops() throws {
        for column: Option in ["email", "public.people.email", "public.p*.e*"] {
            let stage = try masking([["column": column, "how": "hash"]])
            try stage.bind(stage.host.relation(shape("people", "email")))
            try stage.bind(stage.host.relation(shape("orders", "email", oid: 7)))
            try? stage.bindingsComplete()
            // One column more is fine, and so is the old shape again.
            try stage.bind(stage.host.relation(shape("people", "email", "phone")))
            let error = refusal { try stage.bind(stage.host.relation(shape("people", "mail", "phone"))) }
            #expect(error?.status == CDCP_E_CONFIG)
            #expect(error?.message.contains("public.people") == true && error?.message.contains("email") == true)
            // Asked again, it refuses again.
            #expect(refusal { try stage.bind(stage.host.relation(shape("people", "mail", "phone"))) } != nil)
            // A table made anew under the same name is the same table for its readers; a renamed one keeps its oid.
            #expect(refusal { try stage.bind(stage.host.relation(shape("people", "mail", oid: 99))) } != nil)
        }
        let stage = try masking([["column": "public.people.email", "how": "hash"]])
        try stage.bind(stage.host.relation(shape("people", "email")))
        #expect(refusal { try stage.bind(stage.host.relation(shape("persons", "email"))) } != nil)
    }

    @Test func ignoreGoesOn() throws {
        let stage = try masking([["column": "public.people.email", "how": "hash"]], onMissing: "ignore")
        try stage.bind(stage.host.relation(shape("people", "email")))
        let later = stage.host.relation(shape("people", "mail"))
        let out = try stage.process([.insert(later, ["1", "x"])])
        #expect(out[0].new == ["1", "x"])
        #expect(stage.host.logs.contains { $0.level == CDCP_LOG_WARNING && $0.text.contains("on_missing is ignore") })
    }
}

@Suite struct MaskingSpeedTests {
    // Debug builds measure nothing: point $CDC_PLUGIN_DIR at release builds.
    @Test(.enabled(if: getenv("CDC_PLUGIN_DIR") != nil)) func oneColumnARow() throws {
        for (how, entry): (String, Option) in [
            ("fixed", ["column": "email", "how": "fixed", "value": "x"]), ("keep_last", ["column": "email", "how": "keep_last", "n": 4]),
            ("truncate", ["column": "email", "how": "truncate", "n": 4]), ("hash", ["column": "email", "how": "hash", "salt": "pepper"]),
        ] {
            let stage = try masking([entry])
            let table = stage.host.relation(people)
            let rows = (0..<512).map { RowSpec.insert(table, [.text("\($0)"), "person@example.org", "note", "2000-01-01", "{}"]) }
            print("masking, \(how): \(try stage.nanosecondsPerRow(rows)) ns a row")
        }
    }
}
