import Testing

@testable import Postgres

@Suite struct CopyTextTests {
    static func fields(_ line: String) -> [String?] { fields(Array(line.utf8)) }

    static func fields(_ line: [UInt8]) -> [String?] {
        var bytes = line
        var result: [String?] = []
        let count = bytes.withUnsafeMutableBufferPointer { buffer in
            // The address of an empty array may be nil.
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: buffer.count + 1) { copy in
                for (index, byte) in buffer.enumerated() { copy[index] = byte }
                guard let base = copy.baseAddress else { return 0 }
                return CopyText.split(base, buffer.count) { index, start, length, isNull in
                    #expect(index == result.count)
                    result.append(isNull ? nil : String(decoding: UnsafeBufferPointer(start: start, count: length), as: UTF8.self))
                }
            }
        }
        #expect(count == result.count)
        return result
    }

    @Test(
        arguments: [
            ("", [""]), ("a", ["a"]), ("a\tb", ["a", "b"]), ("\t", ["", ""]), ("\\N", [nil]), ("1\t\\N\t", ["1", nil, ""]),
            ("\\\\N", ["\\N"]), ("x\\N", ["xN"]), ("\\Nx", ["Nx"]), ("\\t\\n\\r\\v\\b\\f", ["\t\n\r\u{b}\u{8}\u{c}"]), ("a\\", ["a\\"]),
            ("\\", ["\\"]),
            ("\\x41\\101\\.\\q", ["AA.q"]), ("\\\\x41\\\\101\\\\.", ["\\x41\\101\\."]), ("\\xZ", ["xZ"]), ("\\\\\\\\", ["\\\\"]),
            ("longer than eight bytes\twith a \\\\ in the second\t\\N", ["longer than eight bytes", "with a \\ in the second", nil]),
            ("ünïcödé\t世界", ["ünïcödé", "世界"]), ("\\N\t\\N", [nil, nil]),
        ] as [(String, [String?])])
    func splitsAndUnescapes(line: String, expected: [String?]) { #expect(CopyTextTests.fields(line) == expected) }

    @Test func manyBackslashes() {
        #expect(CopyTextTests.fields(String(repeating: "\\\\", count: 20_000)) == [String(repeating: "\\", count: 20_000)])
    }

    @Test func neverTrapsOnRandomBytes() {
        var random = SystemRandomNumberGenerator()
        let alphabet: [UInt8] = [9, 92, 78, 120, 48, 55, 10, 255, 65, 0]
        for _ in 0..<20_000 {
            let line = (0..<Int.random(in: 0...24, using: &random)).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
            #expect(CopyTextTests.fields(line).count == line.filter { $0 == 9 }.count + 1 || line.contains(92))
        }
    }
}
