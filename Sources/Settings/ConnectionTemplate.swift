/// Puts substituted values into a connection string so that none becomes structure: a password with `@`, a blank or a quote stays a password.
///
/// Values are taken as they are (not percent-encoded, not quoted). Used as they stand are only a connection string that is one reference and nothing
/// else, and the host part of a URI, where `HOST:PORT` and lists are usual.
enum ConnectionTemplate {
    static func text(_ parts: [Substitution.Part]) -> String {
        guard parts.count > 1, let first = parts.first else { return parts.first?.text ?? "" }
        let isURI = !first.isSubstituted && (first.text.hasPrefix("postgresql://") || first.text.hasPrefix("postgres://"))
        return isURI ? uri(parts) : keywords(parts)
    }

    // MARK: URI

    private static func uri(_ parts: [Substitution.Part]) -> String {
        // The literal text decides: user information ends at its last @ before the / or ? that ends the host.
        var hostStart = -1
        var hostEnd = parts.count
        for (index, part) in parts.enumerated() where !part.isSubstituted {
            let literal = index == 0 ? part.text.drop { $0 != "/" }.dropFirst(2) : part.text[...]
            let authority = literal.prefix { $0 != "/" && $0 != "?" }
            if authority.contains("@") { hostStart = index }
            if authority.endIndex < literal.endIndex {
                hostEnd = index
                break
            }
        }
        return parts.enumerated().map { index, part in
            part.isSubstituted && (index < hostStart || index > hostEnd) ? percentEncoded(part.text) : part.text
        }.joined()
    }

    private static func percentEncoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            let isPlain =
                byte < 0x80 && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil || "-._~".unicodeScalars.contains(scalar))
            if isPlain {
                result.unicodeScalars.append(scalar)
            } else {
                let hex = String(byte, radix: 16, uppercase: true)
                result += hex.utf8.count == 1 ? "%0\(hex)" : "%\(hex)"
            }
        }
        return result
    }

    // MARK: key=value words

    private static func keywords(_ parts: [Substitution.Part]) -> String {
        var result = ""
        var place = Place.betweenWords
        for part in parts {
            guard part.isSubstituted else {
                result += part.text
                for character in part.text { place.advance(character) }
                continue
            }
            switch place {
            case .betweenWords, .key: result += part.text
            case .quotedValue, .quotedEscape: result += escaped(part.text, blanksToo: false)
            case .valueStart:
                // An empty value would let libpq take the next word for it.
                result += part.text.isEmpty ? "''" : escaped(part.text, blanksToo: true)
                place = .value
            case .value, .escape: result += escaped(part.text, blanksToo: true)
            }
        }
        return result
    }

    private static func escaped(_ text: String, blanksToo: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar == "\\" || scalar == "'" || (blanksToo && scalar.properties.isWhitespace) { result += "\\" }
            result.unicodeScalars.append(scalar)
        }
        return result
    }

    /// Where in `key=value key='value'` a character stands, by libpq's rules.
    private enum Place {
        case betweenWords, key, valueStart, value, escape, quotedValue, quotedEscape

        mutating func advance(_ character: Character) {
            switch self {
            case .betweenWords: self = character.isWhitespace ? .betweenWords : .key
            case .key: self = character == "=" ? .valueStart : .key
            case .valueStart:
                if character.isWhitespace { return }
                self = character == "'" ? .quotedValue : character == "\\" ? .escape : .value
            case .value: self = character.isWhitespace ? .betweenWords : character == "\\" ? .escape : .value
            case .escape: self = .value
            case .quotedValue: self = character == "'" ? .betweenWords : character == "\\" ? .quotedEscape : .quotedValue
            case .quotedEscape: self = .quotedValue
            }
        }
    }
}
