@testable import Chain
import PluginABI
import Testing

/// COPY's text, unescaped in place.
@Suite struct CopyRowsTests {
    /// The fields of a line, or nil: another number than `count`.
    private func split(_ line: String, _ count: Int) -> [String?]? {
        var bytes = Array(line.utf8)
        var cells = [cdcp_cell](repeating: cdcp_cell(), count: count + 1)
        let fits = bytes.withUnsafeMutableBufferPointer { line -> Bool in
            // An empty line may come without memory.
            var nothing: UInt8 = 0
            return withUnsafeMutablePointer(to: &nothing) { CopyRows.split(line.baseAddress ?? $0, line.count, into: &cells, count: count) }
        }
        guard fits else { return nil }
        return bytes.withUnsafeBufferPointer { _ in cells.prefix(count).map { $0.kind == UInt8(CDCP_CELL_NULL) ? nil : shown($0) } }
    }

    /// What COPY writes for a value.
    private func written(_ value: String?) -> String {
        guard let value else { return "\\N" }
        return value.map { character in
            switch character {
            case "\\": "\\\\"
            case "\u{8}": "\\b"
            case "\u{c}": "\\f"
            case "\n": "\\n"
            case "\r": "\\r"
            case "\t": "\\t"
            case "\u{b}": "\\v"
            default: String(character)
            }
        }.joined()
    }

    @Test(arguments: [
        "", "\\N", "\\\\N", "N", "\\", "\\\\", "a\tb", "a\nb", "a\r\nb", "\t", "\u{8}\u{c}\u{b}", "\\n", "\\t", "x\\Ny", "\\N\\N", "end\\", "ä\\ö", "\\.", "NULL",
    ]) func eachValueComesBack(value: String) {
        for line in [[value], [value, value], ["a", value], [value, "b"], [nil, value, nil]] as [[String?]] {
            #expect(split(line.map(written).joined(separator: "\t"), line.count) == line)
        }
    }

    @Test func theTwoCharactersAreNullOnlyAlone() {
        #expect(split("\\N", 1) == [nil])
        #expect(split("\\N\t\\N", 2) == [nil, nil])
        #expect(split("\\\\N\t\\N\t\\\\\\N", 3) == ["\\N", nil, "\\N"])
        #expect(split("\\Nx", 1) == ["Nx"])
        #expect(split("x\\N", 1) == ["xN"])
    }

    @Test func linesOfOtherWidthsAreRefused() {
        #expect(split("a\tb", 1) == nil)
        #expect(split("a", 2) == nil)
        #expect(split("", 1) == [""])
        #expect(split("", 0) == [])
        #expect(split("a", 0) == nil)
        #expect(split("\t\t", 3) == ["", "", ""])
        #expect(split("a\\\tb", 2) == nil)
        // A backslash that ends the line stands for itself.
        #expect(split("a\\", 1) == ["a\\"])
    }

    /// Character by character, as the manual says it.
    private func reference(_ line: String) -> [String?] {
        var fields: [String?] = []
        var raw = ""
        var field = ""
        func finish() {
            fields.append(raw == "\\N" ? nil : field)
            (raw, field) = ("", "")
        }
        var rest = Array(line.unicodeScalars)[...]
        while let scalar = rest.popFirst() {
            if scalar == "\t" {
                finish()
                continue
            }
            raw.unicodeScalars.append(scalar)
            guard scalar == "\\", let next = rest.popFirst() else {
                field.unicodeScalars.append(scalar)
                continue
            }
            raw.unicodeScalars.append(next)
            let escapes: [Unicode.Scalar: Unicode.Scalar] = ["b": "\u{8}", "f": "\u{c}", "n": "\n", "r": "\r", "t": "\t", "v": "\u{b}"]
            field.unicodeScalars.append(escapes[next] ?? next)
        }
        finish()
        return fields
    }

    @Test func randomLinesAsTheSlowReferenceReadsThem() {
        var generator = SystemRandomNumberGenerator()
        let alphabet: [Character] = ["\\", "\\", "N", "\t", "n", "t", "b", "a", "ä", "."]
        for _ in 0..<20_000 {
            let line = String((0..<Int.random(in: 0..<14, using: &generator)).map { _ in alphabet.randomElement(using: &generator) ?? "a" })
            let expected = reference(line)
            #expect(split(line, expected.count) == expected, "\(Array(line.utf8))")
            #expect(split(line, expected.count + 1) == nil, "\(Array(line.utf8))")
        }
    }

    @Test(
        arguments: [
            ("a", ["a"]), ("a\tb", ["a", "b"]), ("1\t\\N\t", ["1", nil, ""]), ("\\t\\n\\r\\v\\b\\f", ["\t\n\r\u{b}\u{8}\u{c}"]), ("\\", ["\\"]),
            ("\\x41\\101\\.\\q", ["AA.q"]), ("\\\\x41\\\\101\\\\.", ["\\x41\\101\\."]), ("\\xZ", ["xZ"]), ("\\x", ["x"]), ("\\x4\t\\7", ["\u{4}", "\u{7}"]),
            ("\\1018\\x414", ["A8A4"]), ("\\\\\\\\", ["\\\\"]), ("ünïcödé\t世界", ["ünïcödé", "世界"]),
            ("longer than eight bytes\twith a \\\\ in the second\t\\N", ["longer than eight bytes", "with a \\ in the second", nil]),
        ] as [(String, [String?])])
    func splitsAndUnescapes(line: String, expected: [String?]) { #expect(split(line, expected.count) == expected) }

    @Test func manyBackslashes() {
        #expect(split(String(repeating: "\\\\", count: 20_000), 1) == [String(repeating: "\\", count: 20_000)])
    }

    @Test func neverTrapsOnRandomBytes() {
        var random = SystemRandomNumberGenerator()
        let alphabet: [UInt8] = [9, 92, 78, 120, 48, 55, 10, 255, 65, 0]
        var cells = [cdcp_cell](repeating: cdcp_cell(), count: 32)
        for _ in 0..<20_000 {
            var line = (0..<Int.random(in: 1...24, using: &random)).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
            // A backslash takes the tab behind it with it.
            let fields = line.filter { $0 == 9 }.count + 1
            let isEscaped = line.contains(92)
            let fits = line.withUnsafeMutableBufferPointer { CopyRows.split($0.baseAddress!, $0.count, into: &cells, count: fields) }
            #expect(fits || isEscaped)
        }
    }
}
