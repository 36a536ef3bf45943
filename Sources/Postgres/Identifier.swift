/// Quoting for SQL and for replication commands, by doubling alone: libpq's own literal quoting may answer `E'…'`, which the walsender's grammar
/// refuses. Sound because every session runs with `standard_conforming_strings` on.
public enum Identifier {
    /// `name` as a quoted identifier: `we"ird` becomes `"we""ird"`.
    public static func quoted(_ name: String) -> String { wrap(name, in: "\"") }

    /// `schema.table`, each part quoted.
    public static func qualified(_ schema: String, _ name: String) -> String { quoted(schema) + "." + quoted(name) }

    /// `schema.table` for people: quoted only where SQL needs it.
    public static func shown(_ schema: String, _ name: String) -> String { shown(schema) + "." + shown(name) }

    private static func shown(_ name: String) -> String {
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        let isPlain = name.utf8.allSatisfy { letters.contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "_") }
        guard isPlain, let first = name.utf8.first, letters.contains(first) || first == UInt8(ascii: "_") else { return quoted(name) }
        return name
    }

    /// `text` as a string literal.
    public static func literal(_ text: String) -> String { wrap(text, in: "'") }

    /// The value of the option `publication_names`: a literal that holds a list of quoted identifiers.
    public static func publicationNames(_ names: [String]) -> String { literal(names.map(quoted).joined(separator: ",")) }

    /// The parenthesised list of columns, or nothing for nil.
    static func columnList(_ columns: [String]?) -> String {
        guard let columns else { return "" }
        return " (" + columns.map(quoted).joined(separator: ", ") + ")"
    }

    private static func wrap(_ text: String, in quote: Unicode.Scalar) -> String {
        var result = String.UnicodeScalarView()
        result.append(quote)
        // A NUL would end the command early inside libpq; no name of a server holds one, so dropping it can only make a name unknown.
        for scalar in text.unicodeScalars where scalar.value != 0 {
            result.append(scalar)
            if scalar == quote { result.append(quote) }
        }
        result.append(quote)
        return String(result)
    }
}
