/// Fills the defaults of a stage's schema into its options, as the host does before `configure`. Nothing is validated here.
enum SchemaDefaults {
    static func fill(_ options: Option, schema: String) throws(HarnessError) -> Option {
        var reader = JSONReader(schema)
        return fill(options, try reader.read())
    }

    private static func fill(_ value: Option, _ schema: Option) -> Option {
        switch value {
        case .map(var entries):
            if case .map(let properties)? = schema["properties"] {
                for property in properties {
                    if let index = entries.firstIndex(where: { $0.key == property.key }) {
                        entries[index].value = fill(entries[index].value, property.value)
                    } else if let preset = property.value["default"] {
                        entries.append(Option.Entry(property.key, fill(preset, property.value)))
                    }
                }
            }
            return .map(entries)
        case .list(let elements):
            guard let items = schema["items"] else { return value }
            return .list(elements.map { fill($0, items) })
        case .string(let text):
            guard let unit = schema["x-unit"]?.text, let number = quantity(text, unit) else { return value }
            return .integer(number)
        default:
            return value
        }
    }

    /// "250ms" in nanoseconds, "16MiB" in bytes.
    private static func quantity(_ text: String, _ unit: String) -> Int64? {
        let digits = text.prefix { $0.isNumber }
        guard let number = Int64(digits) else { return nil }
        let factors: [String: Int64] =
            unit == "duration"
            ? ["ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000]
            : ["B": 1, "KB": 1000, "kB": 1000, "MB": 1_000_000, "GB": 1_000_000_000, "KiB": 1024, "MiB": 1_048_576, "GiB": 1_073_741_824]
        return factors[String(text.dropFirst(digits.count))].map { number &* $0 }
    }
}

/// Just enough JSON for a schema; null reads as the text "null".
struct JSONReader {
    private let bytes: [UInt8]
    private var at = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    mutating func read() throws(HarnessError) -> Option {
        let value = try element()
        space()
        guard at == bytes.count else { throw wrong("text after the end") }
        return value
    }

    private func wrong(_ what: String) -> HarnessError { HarnessError("config_schema_json, byte \(at): \(what)") }

    private mutating func space() {
        while at < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[at]) { at += 1 }
    }

    private mutating func take(_ character: Character) -> Bool {
        space()
        guard at < bytes.count, bytes[at] == character.asciiValue else { return false }
        at += 1
        return true
    }

    private mutating func element() throws(HarnessError) -> Option {
        space()
        guard at < bytes.count else { throw wrong("ends too early") }
        if take("{") {
            var entries: [Option.Entry] = []
            if take("}") { return .map([]) }
            repeat {
                space()
                let key = try string()
                guard take(":") else { throw wrong("expected ':'") }
                entries.append(Option.Entry(key, try element()))
            } while take(",")
            guard take("}") else { throw wrong("expected '}'") }
            return .map(entries)
        }
        if take("[") {
            var elements: [Option] = []
            if take("]") { return .list([]) }
            repeat { elements.append(try element()) } while take(",")
            guard take("]") else { throw wrong("expected ']'") }
            return .list(elements)
        }
        if bytes[at] == 0x22 { return .string(try string()) }
        let start = at
        while at < bytes.count, ![0x2C, 0x7D, 0x5D, 0x20, 0x0A, 0x0D, 0x09].contains(bytes[at]) { at += 1 }
        let word = String(decoding: bytes[start..<at], as: UTF8.self)
        switch word {
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        case "null": return .string("null")
        default:
            if let number = Int64(word) { return .integer(number) }
            if let number = Double(word) { return .double(number) }
            throw wrong("unknown word '\(word)'")
        }
    }

    private mutating func string() throws(HarnessError) -> String {
        guard at < bytes.count, bytes[at] == 0x22 else { throw wrong("expected '\"'") }
        at += 1
        var out: [UInt8] = []
        while at < bytes.count, bytes[at] != 0x22 {
            if bytes[at] == 0x5C {
                at += 1
                guard at < bytes.count else { break }
                switch bytes[at] {
                case 0x6E: out.append(0x0A)
                case 0x74: out.append(0x09)
                case 0x22, 0x5C, 0x2F: out.append(bytes[at])
                default: throw wrong("escape that this reader does not know")
                }
            } else {
                out.append(bytes[at])
            }
            at += 1
        }
        guard at < bytes.count else { throw wrong("string without end") }
        at += 1
        return String(decoding: out, as: UTF8.self)
    }
}
