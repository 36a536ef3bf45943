/// One part of a pattern: a name with `*` (any run of characters) and `?` (any one) in it, compared with a name as PostgreSQL stores it.
///
/// Unquoted text is folded to lower case as SQL folds it; what stands in double quotes is taken literally, `*` included.
struct NamePattern: Sendable, Hashable {
    enum Piece: Sendable, Hashable {
        case literal(Unicode.Scalar)
        case anyOne
        case anyRun
    }

    var pieces: [Piece] = []

    /// The name, where there is no wildcard.
    var exactName: String? {
        var name = String.UnicodeScalarView()
        for piece in pieces {
            guard case .literal(let scalar) = piece else { return nil }
            name.append(scalar)
        }
        return String(name)
    }

    /// Whether a stored name fits. Linear in practice; at most pieces times characters.
    func matches(_ name: String) -> Bool {
        let scalars = Array(name.unicodeScalars)
        var piece = 0
        var position = 0
        var lastRun: (piece: Int, position: Int)?
        while position < scalars.count {
            if piece < pieces.count {
                switch pieces[piece] {
                case .anyRun:
                    lastRun = (piece, position)
                    piece += 1
                    continue
                case .anyOne:
                    piece += 1
                    position += 1
                    continue
                case .literal(let scalar) where scalar == scalars[position]:
                    piece += 1
                    position += 1
                    continue
                case .literal: break
                }
            }
            guard let run = lastRun else { return false }
            piece = run.piece + 1
            position = run.position + 1
            lastRun = (run.piece, position)
        }
        return pieces[piece...].allSatisfy { $0 == .anyRun }
    }
}

/// Text such as `public."Order Items", audit.*` cut into patterns of dotted parts.
enum PatternText {
    /// What is wrong with a pattern; what is allowed.
    struct Malformed: Error { var message: String }

    /// Every pattern of the text with its parts; a comma outside quotes begins the next one.
    static func parse(_ text: String) throws(Malformed) -> [(text: String, parts: [NamePattern])] {
        var result: [(text: String, parts: [NamePattern])] = []
        var parts: [NamePattern] = []
        var part = NamePattern()
        var written = String.UnicodeScalarView()
        var partIsQuoted = false
        func endPart() throws(Malformed) {
            guard !part.pieces.isEmpty else {
                throw Malformed(message: partIsQuoted ? "an empty name in quotes" : "an empty pattern or an empty part between dots")
            }
            parts.append(part)
            part = NamePattern()
            partIsQuoted = false
        }
        func endPattern() throws(Malformed) {
            try endPart()
            let trimmed = written.drop { $0 == " " }
            result.append((String(Substring(trimmed)).trimmingBlanks(), parts))
            parts = []
            written = String.UnicodeScalarView()
        }
        var scalars = text.unicodeScalars[...]
        while let scalar = scalars.popFirst() {
            if scalar != "," { written.append(scalar) }
            switch scalar {
            case ".": try endPart()
            case ",": try endPattern()
            case "*": if part.pieces.last != .anyRun { part.pieces.append(.anyRun) }
            case "?": part.pieces.append(.anyOne)
            case "\"":
                partIsQuoted = true
                var isClosed = false
                while let inner = scalars.popFirst() {
                    written.append(inner)
                    if inner == "\"" {
                        guard scalars.first == "\"" else {
                            isClosed = true
                            break
                        }
                        scalars = scalars.dropFirst()
                        written.append("\"")
                    }
                    part.pieces.append(.literal(inner))
                }
                guard isClosed else { throw Malformed(message: "a double quote without its end") }
            case " " where part.pieces.isEmpty && parts.isEmpty: break
            case " " where scalars.first(where: { $0 != " " }).map { $0 == "," } ?? true: break
            default:
                guard scalar == "_" || scalar == "$" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil else {
                    throw Malformed(message: "a name with '\(scalar)' in it must stand in double quotes, as in SQL: public.\"Order Items\"")
                }
                part.pieces += String(scalar).lowercased().unicodeScalars.map(NamePattern.Piece.literal)
            }
        }
        try endPattern()
        return result
    }
}

extension String {
    /// Without blanks at both ends.
    func trimmingBlanks() -> String {
        String(reversed().drop { $0 == " " }.reversed().drop { $0 == " " })
    }
}
