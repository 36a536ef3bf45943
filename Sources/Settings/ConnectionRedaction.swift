/// A libpq connection string with `***` in place of what is secret in it. What it does not understand it does not show at all.
public enum ConnectionRedaction {
    private static let secretKeys: Set<String> = ["password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"]

    /// The string as it may be shown.
    public static func redacted(_ connection: String) -> String {
        for scheme in ["postgresql://", "postgres://"] where connection.hasPrefix(scheme) {
            return scheme + uri(connection.dropFirst(scheme.count))
        }
        return keywords(connection) ?? Secret.mask
    }

    private static func uri(_ text: Substring) -> String {
        // Up to the last @: a password that was not percent-encoded may hold any character, and too much hidden does no harm.
        var result = ""
        var rest = text
        if let at = text.lastIndex(of: "@"), let colon = text[..<at].firstIndex(of: ":") {
            result = text[...colon] + Secret.mask
            rest = text[at...]
        }
        guard let question = rest.firstIndex(of: "?") else { return result + rest }
        result += rest[...question]
        let parameters = rest[question...].dropFirst().split(separator: "&", omittingEmptySubsequences: false)
        return result
            + parameters.map { parameter in
                guard let equals = parameter.firstIndex(of: "=") else { return String(parameter) }
                return isSecret(parameter[..<equals]) ? parameter[...equals] + Secret.mask : String(parameter)
            }.joined(separator: "&")
    }

    private static func isSecret(_ key: Substring) -> Bool {
        // An encoded key is still a key.
        key.contains("%") || secretKeys.contains(key.lowercased())
    }

    /// Words of `key=value`, by libpq's rules; nil where they are broken.
    private static func keywords(_ text: String) -> String? {
        var words: [String] = []
        var rest = text[...].drop(while: \.isWhitespace)
        while !rest.isEmpty {
            let key = rest.prefix { $0 != "=" && !$0.isWhitespace }
            rest = rest.dropFirst(key.count).drop(while: \.isWhitespace)
            guard !key.isEmpty, rest.first == "=" else { return nil }
            rest = rest.dropFirst().drop(while: \.isWhitespace)
            let isQuoted = rest.first == "'"
            var value = ""
            if isQuoted { rest = rest.dropFirst() }
            var isEnded = !isQuoted
            while let character = rest.first {
                rest = rest.dropFirst()
                if isQuoted ? character == "'" : character.isWhitespace {
                    isEnded = true
                    break
                }
                value.append(character)
                if character == "\\", let next = rest.first {
                    value.append(next)
                    rest = rest.dropFirst()
                }
            }
            guard isEnded else { return nil }
            let shown = secretKeys.contains(key.lowercased()) ? Secret.mask : isQuoted ? "'\(value)'" : value
            words.append("\(key)=\(shown)")
            rest = rest.drop(while: \.isWhitespace)
        }
        return words.joined(separator: " ")
    }
}
