import Testing

@testable import Documents

/// A tree in one line, with marks: what both languages must agree on.
private func show(_ node: Node?) -> String {
    guard let node else { return "nothing" }
    switch node.value {
    case .null: return "null"
    case .bool(let truth): return "bool(\(truth))"
    case .integer(let number): return "int(\(number))"
    case .float: return "float(\(node.text))"
    case .string(let text): return "'\(text)'"
    case .list(let elements): return "[" + elements.map(show).joined(separator: " ") + "]"
    case .map(let entries):
        return "{" + entries.map { "\($0.key)@\($0.keyMark.line):\($0.keyMark.column)=" + show($0.node) }.joined(separator: " ") + "}"
    }
}

private func yaml(_ text: String) -> Document { Document(Array(text.utf8), language: .yaml) }
private func toml(_ text: String) -> Document { Document(Array(text.utf8), language: .toml) }

@Suite struct DocumentTests {
    @Test(arguments: [
        ("a: 1\nb: [x, 2.50, true, no, ~]\n", "{a@1:1=int(1) b@2:1=['x' float(2.50) bool(true) 'no' null]}"),
        ("a:\n  - 'on'\n  - \"1\"\n  - 0x1F\n  - 1_000\n", "{a@1:1=['on' '1' int(31) '1_000']}"),
        ("99999999999999999999: 99999999999999999999", "{99999999999999999999@1:1=float(99999999999999999999)}"),
        ("a: &x {k: v}\nb: *x\n", "{a@1:1={k@1:8='v'} b@2:1={k@1:8='v'}}"),
        ("a: !!str 5\nb: |\n  text\n", "{a@1:1='5' b@2:1='text\n'}"),
        ("%YAML 1.2\n---\na: 'ü: #'\n", "{a@3:1='ü: #'}"),
        ("", "nothing"), ("# only a comment\n", "nothing"), ("\u{FEFF}a: 1", "{a@1:1=int(1)}"), ("a:\r\n  b: 1\r\n", "{a@1:1={b@2:3=int(1)}}"),
    ])
    func readsYAML(_ text: String, _ expected: String) {
        let document = yaml(text)
        #expect(document.problems.isEmpty)
        #expect(document.isWhole)
        #expect(show(document.root) == expected)
    }

    @Test(arguments: [
        ("a = 1\nb = [\"x\", 2.50, true]\n", "{a@1:1=int(1) b@2:1=['x' float(2.50) bool(true)]}"),
        ("z = 1\na = 2", "{z@1:1=int(1) a@2:1=int(2)}"),
        ("[options.kafka]\n\"bootstrap.servers\" = \"h:1\"\n", "{options@1:2={kafka@1:10={bootstrap.servers@2:1='h:1'}}}"),
        ("a.b = 1e3\nd = 2024-02-01", "{a@1:1={b@1:3=float(1e3)} d@2:1='2024-02-01'}"),
        ("x = [{k = 1}, {k = 2}]", "{x@1:1=[{k@1:7=int(1)} {k@1:16=int(2)}]}"),
        ("[[c]]\nk = 1\n[[c]]\nk = 2", "{c@1:3=[{k@2:1=int(1)} {k@4:1=int(2)}]}"),
        ("", "{}"),
    ])
    func readsTOML(_ text: String, _ expected: String) {
        let document = toml(text)
        #expect(document.problems.isEmpty)
        #expect(show(document.root) == expected)
    }

    @Test(arguments: [
        ("a: 1\nb: 2\na: 3\nb: 4\n", ["3:1 a second time", "4:1 b second time"]),
        ("m:\n  k: 1\n  k: 2\n", ["3:3 m.k second time"]),
        ("a: [1, 2\nb: 3\n", ["not YAML"]),
        ("a: *nobody\n", ["1:5 without an anchor"]),
        ("a: &a [*a]\n", ["without an anchor"]),
        ("a: 1\n---\nb: 2\n", ["2:1 second document"]),
        ("{a: 1}: 2\n", ["1:1 a key must be plain text"]),
        ("a: !secret x\n", ["a tag"]),
        ("a: \"x\n", ["not YAML"]),
        ("o:\n\tk: 1\n\tl: 2\nq: 1\nq: 2\n", ["2:1 a tab", "3:1 a tab", "5:1 q second time"]),
        (String(repeating: "[", count: 100), ["nested deeper"]),
    ])
    func namesWhatIsNotYAML(_ text: String, _ expected: [String]) {
        check(yaml(text), expected)
    }

    @Test(arguments: [
        ("a = 1\na = 2\n", ["2:1 a second time"]), ("a = no\n", ["1: not TOML"]), ("[t]\nx = 1\n[t]\n", ["3: not TOML"]),
        ("q = 1\n[t.u]\nx = 1\n  x = 2\n", ["4:3 t.u.x second time"]),
        ("é = 1\n", ["not TOML"]), ("a = 1 あ\n", ["not TOML"]), ("[,", ["not TOML"]),
        ("[", ["not TOML"]), ("a = [\n", ["not TOML"]),
        (String(repeating: "a.", count: 300_000) + "a = 1", ["1:1 more than 64 parts"]),
        ("a = " + String(repeating: "[", count: 100) + String(repeating: "]", count: 100), ["nested deeper"]),
    ])
    func namesWhatIsNotTOML(_ text: String, _ expected: [String]) {
        check(toml(text), expected)
    }

    private func check(_ document: Document, _ expected: [String]) {
        let shown = document.problems.map { "\($0.mark.line):\($0.mark.column) \($0.keyPath.joined(separator: ".")) \($0.message)" }
        #expect(shown.count == expected.count, "\(shown)")
        for (text, parts) in zip(shown, expected) {
            for part in parts.split(separator: " ") { #expect(text.contains(part), "\(text) lacks \(part)") }
        }
    }

    @Test func refusesBytesThatAreNoText() {
        for language in [DocumentLanguage.yaml, .toml] {
            let bad = Document(Array("a: ü\nb: ".utf8) + [0xC3], language: language)
            #expect(bad.problems.first?.mark == Mark(line: 2, column: 4))
            #expect(Document([0xFF, 0xFE, 0x61, 0], language: language).problems.count == 1)
            #expect(Document([0x61, 0], language: language).problems.count == 1)
            #expect(Document([UInt8](repeating: 0x20, count: Document.bytesMax + 1), language: language).problems.count == 1)
        }
    }

    @Test func aliasesCannotMultiplyWithoutBound() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 { text += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", "))]\n" }
        #expect(yaml(text).problems.first?.message.contains("more than") == true)
    }

    /// Every cut and every changed byte of a good file gives a tree or problems, never a trap.
    @Test func surviveDamage() {
        let good = Array("name: \"a\"\nsource: {t: [1, 'b', *c], d: &x !!str z}\nk: |\n  l\n? q\n: - 1\n  - 2\n".utf8)
        let goodTOML = Array("name = \"a\"\n[s.t]\nx = [1, 'b', 2.5, {k = true}]\nd = 2024-02-01T10:00:00Z\n[[c]]\ny = '''q'''\n".utf8)
        for (bytes, language) in [(good, DocumentLanguage.yaml), (goodTOML, .toml)] {
            for length in 0..<bytes.count { _ = Document(Array(bytes[..<length]), language: language) }
            for index in bytes.indices {
                for replacement in [0, 9, 10, 0x20, 0x22, 0x27, 0x2D, 0x3A, 0x5B, 0x7B, 0x7D, 0x80, 0xC3, 0xFF] as [UInt8] {
                    var damaged = bytes
                    damaged[index] = replacement
                    _ = Document(damaged, language: language)
                }
            }
        }
    }
}
