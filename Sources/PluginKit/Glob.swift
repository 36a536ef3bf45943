/// A name with `*` (any run of characters) and `?` (any one) in it, as it stands in one part of a pattern.
///
/// Unquoted text is folded to lower case as PostgreSQL folds it (ASCII letters); what stands in double quotes is taken as it is, `*` too.
public struct NameGlob: Sendable, Hashable {
    enum Piece: Sendable, Hashable {
        case literal(Unicode.Scalar)
        case anyOne
        case anyRun
    }

    var pieces: [Piece] = []

    /// The name, where there is no wildcard.
    public var exactName: String? {
        var name = String.UnicodeScalarView()
        for piece in pieces {
            guard case .literal(let scalar) = piece else { return nil }
            name.append(scalar)
        }
        return String(name)
    }

    /// Whether a name fits, as the catalog holds it. Bind time only: it allocates.
    public func matches(_ name: String) -> Bool {
        let scalars = Array(name.unicodeScalars)
        var piece = 0
        var position = 0
        var run: (piece: Int, position: Int)?
        while position < scalars.count {
            if piece < pieces.count {
                switch pieces[piece] {
                case .anyRun:
                    run = (piece, position)
                    piece += 1
                    continue
                case .anyOne:
                    piece += 1
                    position += 1
                    continue
                case .literal(scalars[position]):
                    piece += 1
                    position += 1
                    continue
                case .literal: break
                }
            }
            // Back to the last `*`, which takes one character more.
            guard let last = run else { return false }
            run = (last.piece, last.position + 1)
            piece = last.piece + 1
            position = last.position + 1
        }
        return pieces[piece...].allSatisfy { $0 == .anyRun }
    }
}

/// Parts with dots between them: `public.*`, `public."Order Items".note`, `email`.
public struct DottedGlob: Sendable, Hashable, CustomStringConvertible {
    /// As it was written.
    public let text: String
    /// Schema, table, and where wanted column.
    public let parts: [NameGlob]

    /// What is wrong with a pattern, and what is allowed.
    public struct Malformed: Error {
        /// What is wrong with the pattern.
        public let message: String
    }

    /// As it was written.
    public var description: String { text }

    /// The patterns of a text; one, or several with commas between them, as one environment variable may hold them.
    public static func list(_ text: String) throws(Malformed) -> [DottedGlob] {
        var reader = GlobReader(text)
        return try reader.read()
    }
}

private struct GlobReader {
    private let scalars: [Unicode.Scalar]
    private var at = 0

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    mutating func read() throws(DottedGlob.Malformed) -> [DottedGlob] {
        var result: [DottedGlob] = []
        repeat {
            skipBlanks()
            let start = at
            var parts = [try part()]
            while take(".") { parts.append(try part()) }
            result.append(DottedGlob(text: text(start..<at), parts: parts))
            skipBlanks()
        } while take(",")
        guard at == scalars.count else { throw unquoted() }
        return result
    }

    private func text(_ range: Range<Int>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[range])
        return String(view)
    }

    private mutating func skipBlanks() {
        while at < scalars.count, scalars[at] == " " { at += 1 }
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard at < scalars.count, scalars[at] == scalar else { return false }
        at += 1
        return true
    }

    private func unquoted() -> DottedGlob.Malformed {
        let what = text(at..<min(at + 1, scalars.count))
        return DottedGlob.Malformed(message: "a name with '\(what)' in it must stand in double quotes, as in SQL: public.\"Order Items\"")
    }

    private mutating func part() throws(DottedGlob.Malformed) -> NameGlob {
        var glob = NameGlob()
        while at < scalars.count {
            let scalar = scalars[at]
            switch scalar {
            case "*":
                if glob.pieces.last != .anyRun { glob.pieces.append(.anyRun) }
            case "?": glob.pieces.append(.anyOne)
            case "\"":
                try quoted(&glob)
                continue
            case "A"..."Z": glob.pieces.append(.literal(Unicode.Scalar(UInt8(truncatingIfNeeded: scalar.value | 0x20))))
            case "_", "$", "a"..."z", "0"..."9": glob.pieces.append(.literal(scalar))
            case _ where scalar.value >= 0x80: glob.pieces.append(.literal(scalar))
            case ".", ",", " ":
                return try whole(glob)
            default: throw unquoted()
            }
            at += 1
        }
        return try whole(glob)
    }

    private func whole(_ glob: NameGlob) throws(DottedGlob.Malformed) -> NameGlob {
        guard !glob.pieces.isEmpty else {
            throw DottedGlob.Malformed(message: "an empty name in a pattern; write schema.table or schema.table.column")
        }
        return glob
    }

    private mutating func quoted(_ glob: inout NameGlob) throws(DottedGlob.Malformed) {
        at += 1
        while at < scalars.count {
            if scalars[at] == "\"" {
                at += 1
                if !take("\"") { return }
                glob.pieces.append(.literal("\""))
                continue
            }
            glob.pieces.append(.literal(scalars[at]))
            at += 1
        }
        throw DottedGlob.Malformed(message: "a double quote without its end")
    }
}
