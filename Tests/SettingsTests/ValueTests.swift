import Testing

@testable import Settings

@Suite struct ValueTests {
    @Test(arguments: [
        (Quantity.duration, "250ms", 250_000_000), (.duration, "10s", 10_000_000_000), (.duration, "5m", 300_000_000_000),
        (.duration, "1.5h", 5_400_000_000_000),
        (.duration, "0s", 0), (.size, "64KiB", 65_536), (.size, "1GB", 1_000_000_000), (.size, "16 MiB", 16_777_216), (.size, "1B", 1),
        (.size, "0.5KiB", 512),
    ])
    func quantities(_ kind: Quantity, _ text: String, _ expected: Int64) throws {
        #expect(try kind.parse(text) == expected)
        #expect(try kind.parse(kind.text(expected)) == expected)
    }

    @Test(arguments: [
        (Quantity.duration, "10", "10s"), (.size, "5", "5MiB"), (.size, "1mb", "1MB"), (.duration, "1 week", "allowed are"),
        (.duration, "-1s", "a duration"),
        (.duration, "", "a duration"), (.duration, "s", "a duration"), (.size, "99999999999GiB", "64-bit"),
        (.size, "999999999999999999999B", "64-bit"),
        (.size, "0.3B", "whole"), (.size, "1.2.3KB", "a size"), (.size, "1.KB", "a size"), (.size, "٣KB", "a size"),
    ])
    func badQuantities(_ kind: Quantity, _ text: String, _ expected: String) {
        let error = #expect(throws: Quantity.Malformed.self) { try kind.parse(text) }
        #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
    }

    @Test(arguments: [
        ("public.*", "public", "orders", true), ("public.*", "audit", "orders", false), ("*.*", "a b", "ü", true),
        ("public.order_?", "public", "order_1", true),
        ("public.order_?", "public", "order_", false), ("Public.Orders", "public", "orders", true), ("public.Orders", "public", "Orders", false),
        ("public.\"Order Items\"", "public", "Order Items", true), ("public.\"a*\"", "public", "ab", false), ("public.\"a*\"", "public", "a*", true),
        ("public.\"a.b\"", "public", "a.b", true), ("public.\"q\"\"q\"", "public", "q\"q", true), ("public.*a*b*", "public", "xxaxxbxx", true),
        ("public.*a*b*", "public", "xxbxxaxx", false), ("public.\"A\"*", "public", "Ab", true), ("public.ü", "public", "ü", true),
        ("public.a$1", "public", "a$1", true),
    ])
    func tablePatterns(_ pattern: String, _ schema: String, _ table: String, _ expected: Bool) throws {
        #expect(try TablePattern(pattern).matches(schema: schema, table: table) == expected)
    }

    @Test(arguments: [
        ("orders", "public.orders"), ("*", "*.*"), ("public.a.b", "public.\"a.b\""), ("", "empty"), ("public.", "empty"), (".a", "empty"),
        ("public.\"x", "without its end"),
        ("public.order-items", "'-'"), ("public.Order Items", "' '"), ("public.\"\"", "empty name"),
    ])
    func badTablePatterns(_ pattern: String, _ expected: String) {
        let error = #expect(throws: TablePattern.Malformed.self) { try TablePattern(pattern) }
        #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
    }

    @Test func selections() throws {
        let tables = TableSelection(include: try TablePattern.list("public.*, shop.\"A, B\" ,x.y"), exclude: try TablePattern.list("public.audit_*"))
        #expect(tables.include.map(\.text) == ["public.*", "shop.\"A, B\"", "x.y"])
        #expect(tables.selects(schema: "public", table: "orders") && !tables.selects(schema: "public", table: "audit_1"))
        #expect(tables.selects(schema: "shop", table: "A, B"))
        #expect(tables.unmatched(by: [("public", "a"), ("shop", "A, B")]).map(\.text) == ["x.y"])
        let columns = ColumnSelection(include: try ColumnPattern.list("public.a.x"), exclude: try ColumnPattern.list("*.*.secret"))
        #expect(columns.selects(schema: "public", table: "a", column: "x") && !columns.selects(schema: "public", table: "a", column: "y"))
        #expect(columns.selects(schema: "public", table: "b", column: "y") && !columns.selects(schema: "public", table: "b", column: "secret"))
    }

    @Test(arguments: [
        ("off", "off"), ("127.0.0.1:0", "127.0.0.1:0"), ("[::1]:9464", "[::1]:9464"), ("unix:/run/x", "unix:/run/x"), ("localhost:1", "localhost:1"),
        ("::1:9464", nil), ("host", nil), ("host:", nil), (":1", nil), ("h:99999", nil), ("h:+1", nil), ("unix:", nil), ("/x:1", nil),
    ])
    func adminAddresses(_ text: String, _ expected: String?) {
        #expect(AdminListen(text)?.description == expected)
    }

    @Test func schemaFillsDefaultsAndFindsEverything() throws {
        let schema = try OptionSchema(
            json: .object([
                .init("type", .string("object")), .init("required", .array([.string("columns")])),
                .init(
                    "properties",
                    .object([
                        .init(
                            "columns",
                            .object([
                                .init("type", .string("array")), .init("minItems", .integer(1)),
                                .init(
                                    "items",
                                    .object([
                                        .init("type", .string("object")),
                                        .init(
                                            "properties",
                                            .object([
                                                .init(
                                                    "how",
                                                    .object([
                                                        .init("type", .string("string")),
                                                        .init("enum", .array([.string("hash"), .string("fixed"), .string("null")])),
                                                    ])),
                                                .init(
                                                    "n",
                                                    .object([
                                                        .init("type", .string("integer")), .init("default", .integer(2)),
                                                        .init("minimum", .integer(1)),
                                                    ])),
                                                .init("salt", .object([.init("type", .string("string")), .init("x-secret", .bool(true))])),
                                            ])),
                                    ])),
                            ])),
                        .init("every", .object([.init("x-unit", .string("duration")), .init("default", .string("5s"))])),
                        .init("ratio", .object([.init("type", .string("number"))])),
                        .init("servers", .object([.init("type", .array([.string("string"), .string("array")]))])),
                    ])),
            ]))
        let good = schema.validate(tree("columns: [{how: hash, salt: tiefgeheim}]\nratio: 1.0\nservers: [a, b]\n"))
        #expect(good.problems.isEmpty)
        let column = try #require(good.tree["columns"]?.elements.first)
        #expect(column["n"]?.integer == 2 && column["n"]?.isDefault == true)
        #expect(column["salt"]?.isSecret == true && column["salt"]?.text == "tiefgeheim")
        #expect(good.tree["every"]?.integer == 5_000_000_000 && good.tree["every"]?.text == "5s")
        #expect(good.tree["ratio"]?.text == "1.0" && good.tree["ratio"]?.double == 1)
        #expect(good.tree.keys == ["columns", "ratio", "servers", "every"])
        #expect(!good.tree.description.contains("tiefgeheim"))

        let word = schema.validate(tree("columns: [{how: null}]"))
        #expect(word.problems.isEmpty && word.tree["columns"]?.elements.first?["how"]?.kind == .string)

        let bad = schema.validate(tree("masking:\n  columns: [1]\nevery: 5\nratio: x\ncolums:\n- {how: hsh, n: 0, salt: 12345678}\n"))
        #expect(
            bad.problems.map(\.description) == [
                "t.yaml:1:1: masking: is not known; columns under it belongs one level up",
                "t.yaml:3:8: every: \"5\": a number without a unit; write 5ms, 5s or 5m",
                "t.yaml:4:8: ratio: is text; allowed is a number",
                "t.yaml:5:1: colums: is not known; did you mean columns?",
                "t.yaml:1:1: columns: is missing and must be there",
            ])
        let deep = schema.validate(tree("columns:\n- {how: hsh, n: 0, salt: 12345678}\n- x\n"))
        #expect(
            deep.problems.map(\.description) == [
                "t.yaml:2:9: columns[0].how: \"hsh\" is not known; allowed are hash, fixed, null; did you mean hash?",
                "t.yaml:2:17: columns[0].n: 0 is out of range; allowed is at least 1",
                "t.yaml:2:26: columns[0].salt: is a whole number where text is due; write it in quotes: \"…\"",
                "t.yaml:3:3: columns[1]: is text; allowed is a map of keys",
            ])
    }

    /// Maps that take any name still know the ones that they spell out.
    @Test func slipsInAMapOfAnyNames() {
        var schema = OptionSchema.map([("bootstrap.servers", .text("brokers")), ("client.id", .text("name"))], required: ["bootstrap.servers"])
        schema.additional = .each(OptionSchema(types: [.string, .integer]))
        func problems(_ text: String) -> [String] { schema.validate(tree(text)).problems.map { "\($0.place.column) \($0.keyPath): \($0.message)" } }
        #expect(problems("bootstrap.servers: a\nlinger.ms: 5\nbootstrap.server: b\n") == [])
        #expect(
            problems("{linger.ms: 5, bootstrap.server: a}")
                == ["16 \"bootstrap.server\": is not known; did you mean bootstrap.servers? It is missing and must be there"])
        let dotted = problems("bootstrap: {servers: a}\nclient: {id: b}\nlinger: {ms: 5}\n")
        #expect(dotted.count == 3 && dotted[0].contains("in quotes: \"bootstrap.servers\"") && dotted[1].contains("\"client.id\""))
        #expect(problems("linger.ms: 5").first?.contains("is missing and must be there: brokers") == true)
    }

    @Test func aDescriptionOfSeveralLinesIsOneLine() throws {
        let schema = try OptionSchema(json: .object([.init("description", .string("one\n    two;   three "))]))
        #expect(schema.summary == "one two; three")
    }

    @Test func malformedSchemasAreNamed() {
        let error = #expect(throws: OptionSchema.Malformed.self) {
            try OptionSchema(json: .object([.init("properties", .object([.init("a", .object([.init("pattern", .string("x"))]))]))]))
        }
        #expect(error?.description == "properties.a.pattern: is not a keyword of the supported subset")
        #expect(throws: OptionSchema.Malformed.self) { try OptionSchema(json: .array([])) }
        #expect(throws: OptionSchema.Malformed.self) {
            try OptionSchema(json: .object([.init("required", .array([.string("x")])), .init("properties", .object([]))]))
        }
    }

    @Test(arguments: [
        ("on_eror", "on_error"), ("onError", "on_error"), ("PLUGIN", "plugin"), ("on-error", "on_error"), ("xyz", nil), ("optoins", "options"),
    ])
    func nearestNames(_ written: String, _ expected: String?) {
        #expect(NearestName.of(written, among: ["plugin", "stage", "on_error", "options", "match"]) == expected)
    }
}
