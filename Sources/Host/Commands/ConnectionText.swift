import Settings

/// A connection string as a file may hold it: every secret in it is a reference to the environment.
struct ConnectionText {
    /// Between double quotes.
    let yaml: String
    /// Environment variables that hold the secrets now.
    let variables: [String]

    init(_ given: String) throws(HostExit) {
        guard !given.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 }) else {
            throw HostExit(.usage, "--postgres holds a control character")
        }
        let redacted = ConnectionRedaction.redacted(given)
        guard redacted != Secret.mask, !redacted.isEmpty else {
            throw HostExit(.usage, "--postgres takes a URI or a libpq connection string", cure: "for example postgresql://cdc@db.example/shop")
        }
        var text = ""
        var variables: [String] = []
        var rest = redacted.replacing("${", with: "$${").replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")[...]
        while let mask = rest.firstRange(of: Secret.mask) {
            text += rest[..<mask.lowerBound]
            let key = Self.key(before: text)
            let variable = "CDC_PG_" + key
            text += "${env:\(variable):-}"
            if !variables.contains(variable) { variables.append(variable) }
            rest = rest[mask.upperBound...]
        }
        yaml = text + rest
        self.variables = variables
    }

    /// `password=` in front of a mask names it; in a URI's user part nothing does.
    private static func key(before text: String) -> String {
        guard text.hasSuffix("=") || text.hasSuffix("='") else { return "PASSWORD" }
        let word = text.utf8.reversed().drop { $0 == 61 || $0 == 39 }.prefix { (97...122).contains($0) || (65...90).contains($0) || $0 == 95 }
        let name = String(decoding: word.reversed(), as: UTF8.self).uppercased()
        return name.isEmpty ? "PASSWORD" : name
    }
}
