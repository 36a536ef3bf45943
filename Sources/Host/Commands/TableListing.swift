import Postgres

/// The tables of a server as lines of host.yaml: one pattern a schema, and what was found as comments.
struct TableListing {
    private let tables: [Table]
    private static let listedMax = 60

    init(_ tables: [Table]) { self.tables = tables }

    /// In the place of the line `include`.
    var yaml: String {
        guard !tables.isEmpty else { return "    # The server has no tables yet.\n    include: [\"public.*\"]" }
        var schemas: [String] = []
        for table in tables where !schemas.contains(table.schema) { schemas.append(table.schema) }
        var lines = ["    # Found when this file was written:"]
        for table in tables.prefix(Self.listedMax) {
            let rows = table.estimatedRows > 0 ? ", about \(table.estimatedRows) rows" : ""
            lines.append("    #   \(Self.pattern(table.schema)).\(Self.pattern(table.name))\(rows)")
            guard !table.hasUsableIdentity else { continue }
            lines.append("    #     has no usable replica identity and is left out; one of these cures it:")
            lines += table.identityCures.map { "    #     \(Self.line($0))" }
        }
        if tables.count > Self.listedMax { lines.append("    #   and \(tables.count - Self.listedMax) more") }
        let patterns = schemas.map { "'" + (Self.pattern($0) + ".*").replacing("'", with: "''") + "'" }
        // A literal ${ in a name must not become a reference.
        lines.append("    include: [\(patterns.joined(separator: ", ").replacing("${", with: "$${"))]")
        return lines.joined(separator: "\n")
    }

    /// A name as it is written in a pattern.
    private static func pattern(_ name: String) -> String {
        let isPlain = name.utf8.enumerated().allSatisfy { index, byte in
            (97...122).contains(byte) || byte == 95 || (index > 0 && (48...57).contains(byte))
        }
        return line(isPlain && !name.isEmpty ? name : Identifier.quoted(name))
    }

    /// A name may hold a line break: a comment must not end there.
    private static func line(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map {
                    $0.value < 32 || $0.value == 127 || $0.value == 0x85 || $0.value == 0x2028 || $0.value == 0x2029 ? "?" : $0
                }))
    }
}
