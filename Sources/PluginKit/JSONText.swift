/// Judges bytes that somebody else made: whether they are UTF-8, whether they are JSON.
public struct JSONText {
    private let bytes: UnsafeRawBufferPointer
    private var at = 0
    private static let depthMax = 512

    /// Whether they may stand in a line as they are: exactly one JSON value (RFC 8259), valid UTF-8, no line break.
    public static func isOneLineValue(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var text = JSONText(bytes: bytes)
        text.space()
        guard text.value(depth: 0) else { return false }
        text.space()
        return text.at == bytes.count && isUTF8(bytes)
    }

    /// Whether they are well-formed as the Unicode standard says, surrogates and overlong forms excluded.
    public static func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var at = 0
        while at < bytes.count {
            let left = bytes.count &- at
            // Eight ASCII characters at once.
            if left >= 8, bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self) & 0x8080_8080_8080_8080 == 0 {
                at &+= 8
                continue
            }
            let lead = bytes[at]
            if lead < 0x80 {
                at &+= 1
                continue
            }
            let length: Int
            var low: UInt8 = 0x80
            var high: UInt8 = 0xBF
            switch lead {
            case 0xC2...0xDF: length = 2
            case 0xE0: (length, low) = (3, 0xA0)
            case 0xED: (length, high) = (3, 0x9F)
            case 0xE1...0xEF: length = 3
            case 0xF0: (length, low) = (4, 0x90)
            case 0xF1...0xF3: length = 4
            case 0xF4: (length, high) = (4, 0x8F)
            default: return false
            }
            guard left >= length, bytes[at &+ 1] >= low, bytes[at &+ 1] <= high else { return false }
            if length > 2, bytes[at &+ 2] & 0xC0 != 0x80 { return false }
            if length > 3, bytes[at &+ 3] & 0xC0 != 0x80 { return false }
            at &+= length
        }
        return true
    }

    private init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private func peek() -> UInt8 { at < bytes.count ? bytes[at] : 0 }

    private mutating func space() { while peek() == 0x20 || peek() == 0x09 { at += 1 } }

    private mutating func take(_ byte: Character) -> Bool {
        guard at < bytes.count, bytes[at] == byte.asciiValue else { return false }
        at += 1
        return true
    }

    private mutating func take(_ word: StaticString) -> Bool {
        guard bytes.count - at >= word.utf8CodeUnitCount else { return false }
        for index in 0..<word.utf8CodeUnitCount where bytes[at + index] != word.utf8Start[index] { return false }
        at += word.utf8CodeUnitCount
        return true
    }

    private mutating func value(depth: Int) -> Bool {
        guard depth < Self.depthMax else { return false }
        switch peek() {
        case UInt8(ascii: "{"): return list(close: "}", depth: depth, named: true)
        case UInt8(ascii: "["): return list(close: "]", depth: depth, named: false)
        case UInt8(ascii: "\""): return string()
        case UInt8(ascii: "t"): return take("true" as StaticString)
        case UInt8(ascii: "f"): return take("false" as StaticString)
        case UInt8(ascii: "n"): return take("null" as StaticString)
        default: return number()
        }
    }

    private mutating func list(close: Character, depth: Int, named: Bool) -> Bool {
        at += 1
        space()
        if take(close) { return true }
        while true {
            space()
            if named {
                guard string() else { return false }
                space()
                guard take(":" as Character) else { return false }
                space()
            }
            guard value(depth: depth + 1) else { return false }
            space()
            if take(close) { return true }
            guard take("," as Character) else { return false }
        }
    }

    private mutating func string() -> Bool {
        guard take("\"" as Character) else { return false }
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if byte == UInt8(ascii: "\"") { return true }
            if byte < 0x20 { return false }
            guard byte == UInt8(ascii: "\\") else { continue }
            let escape = peek()
            at += 1
            switch escape {
            case UInt8(ascii: "u"):
                for _ in 0..<4 {
                    switch peek() {
                    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): at += 1
                    default: return false
                    }
                }
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
                UInt8(ascii: "r"), UInt8(ascii: "t"):
                break
            default: return false
            }
        }
        return false
    }

    private mutating func number() -> Bool {
        _ = take("-" as Character)
        if !take("0" as Character) { guard digits() else { return false } }
        if take("." as Character) { guard digits() else { return false } }
        if take("e" as Character) || take("E" as Character) {
            if !take("+" as Character) { _ = take("-" as Character) }
            guard digits() else { return false }
        }
        return true
    }

    private mutating func digits() -> Bool {
        let start = at
        while (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(peek()) { at += 1 }
        return at > start
    }
}
