/// YAML 1.2's core schema: what a plain scalar means. `yes`, `no`, `on` and `off` are strings.
enum CoreSchema {
    static func value(ofPlain text: String) -> Value {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        case ".nan", ".NaN", ".NAN": return .float(.nan)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .float(.infinity)
        case "-.inf", "-.Inf", "-.INF": return .float(-.infinity)
        default: break
        }
        let bytes = Array(text.utf8)
        guard let first = bytes.first, isDigit(first) || first == UInt8(ascii: "-") || first == UInt8(ascii: "+") || first == UInt8(ascii: ".") else {
            return .string(text)
        }
        if text.hasPrefix("0x"), let number = UInt64(text.dropFirst(2), radix: 16), !text.hasPrefix("0x+"), !text.hasPrefix("0x-") {
            return Int64(exactly: number).map(Value.integer) ?? .float(Double(number))
        }
        if text.hasPrefix("0o"), let number = UInt64(text.dropFirst(2), radix: 8), !text.hasPrefix("0o+"), !text.hasPrefix("0o-") {
            return Int64(exactly: number).map(Value.integer) ?? .float(Double(number))
        }
        guard isDecimalNumber(bytes) else { return .string(text) }
        if let number = Int64(text) { return .integer(number) }
        return Double(text).map(Value.float) ?? .string(text)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    /// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
    private static func isDecimalNumber(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        func isSign(_ byte: UInt8?) -> Bool { byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") }
        func digits() -> Int {
            let count = rest.prefix(while: isDigit).count
            rest = rest.dropFirst(count)
            return count
        }
        if isSign(rest.first) { rest = rest.dropFirst() }
        var count = digits()
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            count += digits()
        }
        guard count > 0 else { return false }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if isSign(rest.first) { rest = rest.dropFirst() }
            guard digits() > 0 else { return false }
        }
        return rest.isEmpty
    }
}
