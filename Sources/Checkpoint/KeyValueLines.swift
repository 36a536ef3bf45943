/// Lines of `key value`, read in a fixed order.
struct Lines {
    private var rest: ArraySlice<Substring>

    init(_ text: String) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        rest = lines[...]
    }

    mutating func next() -> String? { rest.popFirst().map(String.init) }

    mutating func value(_ key: String) throws(CheckpointText.Damage) -> Substring {
        guard let line = rest.popFirst() else { throw .damaged("its line \"\(key)\" is missing") }
        guard line.hasPrefix(key + " ") else { throw .damaged("its line \"\(key)\" is missing or not in its place") }
        return line.dropFirst(key.count + 1)
    }

    mutating func text(_ key: String) throws(CheckpointText.Damage) -> String {
        guard let text = unescape(try value(key)) else { throw .damaged("its line \"\(key)\" has an unknown escape") }
        return text
    }

    mutating func integer<Number: FixedWidthInteger>(_ key: String, as type: Number.Type) throws(CheckpointText.Damage) -> Number {
        let text = try value(key)
        guard let number = Number(text), String(number) == text else { throw .damaged("its line \"\(key)\" is not a number in range") }
        return number
    }

    mutating func boolean(_ key: String) throws(CheckpointText.Damage) -> Bool {
        switch try value(key) {
        case "true": return true
        case "false": return false
        default: throw .damaged("its line \"\(key)\" is neither true nor false")
        }
    }

    mutating func position(_ key: String) throws(CheckpointText.Damage) -> UInt64 {
        guard let position = CheckpointText.lsn(try value(key)) else { throw .damaged("its line \"\(key)\" is not an LSN") }
        return position
    }

    mutating func phase() throws(CheckpointText.Damage) -> CheckpointRecord.Phase {
        let words = try value("phase").split(separator: " ", omittingEmptySubsequences: false)
        switch (words.first, words.count) {
        case ("slot_intended", 1): return .slotIntended
        case ("streaming", 1): return .streaming
        case ("snapshot_done", 1): return .snapshotDone
        case ("snapshotting", 3):
            if let point = CheckpointText.lsn(words[1]), let attempt = Int(words[2]), String(attempt) == words[2] {
                return .snapshotting(consistentPoint: point, attempt: attempt)
            }
            throw .damaged("its line \"phase\" is not whole")
        default: throw .damaged("its line \"phase\" names no phase")
        }
    }
}

/// One line of text: backslash and line ends are written as escapes.
func escape(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\\": out += "\\\\"
        case "\n": out += "\\n"
        case "\r": out += "\\r"
        default: out.unicodeScalars.append(scalar)
        }
    }
    return out
}

/// The reverse of `escape`; nil for an escape that it never writes.
func unescape(_ text: Substring) -> String? {
    var out = String.UnicodeScalarView()
    var scalars = text.unicodeScalars.makeIterator()
    while let scalar = scalars.next() {
        guard scalar == "\\" else {
            out.append(scalar)
            continue
        }
        switch scalars.next() {
        case "\\": out.append("\\")
        case "n": out.append("\n")
        case "r": out.append("\r")
        default: return nil
        }
    }
    return String(out)
}
