import PluginABI
import StageHarness
import Testing

/// Values that no golden holds: very large, very small, not sent.
@Suite struct ValueTests {
    private func after(_ options: Option, _ columns: [ColumnSpec], _ cells: [Cell]) throws -> String {
        let stage = try PluginFile.named("JSONCodec").stage(options: options)
        let table = stage.host.relation(RelationSpec("public", "t", columns: columns))
        let records = try stage.encode([.insert(table, cells)])
        return fields(records[0].valueText ?? "").first { $0.name == "after" }?.value ?? ""
    }

    /// The digits of a number from its big-endian two's complement, the slow way.
    private func decimal(_ bytes: [UInt8]) -> String {
        let negative = (bytes.first ?? 0) >= 0x80
        var magnitude = bytes.map { negative ? ~$0 : $0 }
        if negative {
            for index in magnitude.indices.reversed() {
                magnitude[index] = magnitude[index] &+ 1
                if magnitude[index] != 0 { break }
            }
        }
        var digits: [UInt8] = [0]
        for byte in magnitude {
            var carry = Int(byte)
            for index in digits.indices {
                let value = Int(digits[index]) * 256 + carry
                digits[index] = UInt8(value % 10)
                carry = value / 10
            }
            while carry > 0 {
                digits.append(UInt8(carry % 10))
                carry /= 10
            }
        }
        return (negative ? "-" : "") + String(decoding: digits.reversed().map { $0 + 0x30 }, as: UTF8.self)
    }

    private func base64(_ text: Substring) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var bytes: [UInt8] = []
        var bits = 0
        var value: UInt32 = 0
        for character in text.utf8 {
            guard let digit = alphabet.firstIndex(of: character) else { break }
            value = value << 6 | UInt32(digit)
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(bits)))
            }
        }
        return bytes
    }

    @Test(arguments: [18, 19, 20, 37, 38, 39, 76, 77, 300, 2000], ["", "-"])
    func largeDecimals(digits: Int, sign: String) throws {
        for pattern in ["9", "1", "10000000000", "18446744073709551616", "9223372036854775808"] {
            let number = String(String(repeating: pattern, count: digits / pattern.count + 1).prefix(digits))
            let value = try after([:], [ColumnSpec("n", 1700)], [.text(sign + number)])
            let parts = fields(fields(value)[0].value)
            #expect(parts[0].value == "0")
            #expect(decimal(base64(parts[1].value.dropFirst())) == sign + number)
        }
    }

    /// 131072 digits before the point and 16383 behind it: as much as a numeric can have.
    @Test func largestNumeric() throws {
        let text = String(repeating: "9", count: 131_072) + "." + String(repeating: "9", count: 16_383)
        let value = try after([:], [ColumnSpec("n", 1700)], [.text(text)])
        let parts = fields(fields(value)[0].value)
        #expect(parts[0].value == "16383")
        // log2(10^147455) = 489834.9…: that many bits, the sign included, in whole bytes.
        #expect(base64(parts[1].value.dropFirst()).count == 61_230)
    }

    @Test(
        arguments: [
            (701, "5e-324", "4.9E-324"), (701, "1e-323", "9.9E-324"), (701, "2e-323", "2.0E-323"), (701, "1e-307", "1.0E-307"),
            (700, "1e-45", "1.4E-45"),
            (700, "3e-45", "2.8E-45"), (701, "123456789", "1.23456789E8"), (701, "1234567.8", "1234567.8"), (701, "0.001", "0.001"),
            (701, "0.0001", "1.0E-4"),
            (701, "1e+07", "1.0E7"), (701, "-1.5e-10", "-1.5E-10"),
        ] as [(UInt32, String, String)])
    func floatsAsJavaPrintsThem(type: UInt32, text: String, expected: String) throws {
        #expect(try after([:], [ColumnSpec("f", type)], [.text(text)]) == #"{"f":\#(expected)}"#)
    }

    @Test func valuesThatWereNotSent() throws {
        let columns = [
            ColumnSpec("t", 25), ColumnSpec("j", 3802), ColumnSpec("b", 17), ColumnSpec("n", 1700), ColumnSpec("n2", 1700, typmod: 655_366),
            ColumnSpec("v", 1562),
            ColumnSpec("ta", 1009, element: 25), ColumnSpec("ia", 1007, element: 23), ColumnSpec("ua", 2951, element: 2950),
            ColumnSpec("fa", 1022, element: 701),
            ColumnSpec("h", 20001, typeName: "hstore"),
        ]
        let cells = [Cell](repeating: .unchanged, count: columns.count)
        let bytes = "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="
        let numbers = "[95,95,100,101,98,101,122,105,117,109,95,117,110,97,118,97,105,108,97,98,108,101,95,118,97,108,117,101]"
        let text = "__debezium_unavailable_value"
        #expect(
            try after([:], columns, cells)
                == #"{"t":"\#(text)","j":"\#(text)","b":"\#(bytes)","n":{"scale":0,"value":"\#(bytes)"},"n2":"\#(bytes)","v":"\#(bytes)","#
                + #""ta":["\#(text)"],"ia":\#(numbers),"ua":["b68a35a7-17ad-35b3-af2a-ae46edb4545a"],"fa":\#(numbers),"#
                + #""h":"{\"\#(text)\":\"\#(text)\"}"}"#
        )
        #expect(try after(["binary_handling_mode": "base64"], [columns[2]], [.unchanged]) == #"{"b":"\#(text)"}"#)
        #expect(
            try after(["unavailable_value_placeholder": "hex:fffe"], [columns[0], columns[2], columns[7]], [.unchanged, .unchanged, .unchanged])
                == #"{"t":"\#u{FFFD}\#u{FFFD}","b":"//4=","ia":[-1,-2]}"#)
    }

    @Test func longTextsAreEscapedThroughout() throws {
        for length in [7, 8, 9, 2047, 2048, 2049, 5000] {
            for place in [0, 1, length / 2, length - 1] {
                var bytes = [UInt8](repeating: UInt8(ascii: "x"), count: length)
                bytes[place] = 0x0a
                let expected = String(repeating: "x", count: place) + "\\n" + String(repeating: "x", count: length - place - 1)
                #expect(try after([:], [ColumnSpec("t", 25)], [.bytes(bytes)]) == #"{"t":"\#(expected)"}"#)
            }
        }
    }

    @Test(
        arguments: [
            ("format", "flat"), ("format", "cloudevents"), ("schemas_enable", true), ("provide_transaction_metadata", true),
            ("time_precision_mode", "structured"),
            ("hstore_handling_mode", "map"), ("unavailable_value_placeholder", "hex:xy"),
        ] as [(String, Option)])
    func whatComesLaterIsRefused(key: String, value: Option) throws {
        let error = #expect(throws: StageRefusal.self) { _ = try PluginFile.named("JSONCodec").stage(options: .map([.init(key, value)])) }
        #expect(error?.status == CDCP_E_CONFIG)
        #expect(error?.message.contains("options.\(key)") == true)
    }

    @Test func unknownTypesAreNamedOnce() throws {
        let stage = try PluginFile.named("JSONCodec").stage()
        let table = RelationSpec(
            "public", "g", columns: [.key("id", 23), ColumnSpec("b", 603, typeName: "box"), ColumnSpec("l", 3220, typeName: "pg_lsn")])
        try stage.bind(stage.host.relation(table))
        var other = table
        other.columns.append(ColumnSpec("x", 25))
        try stage.bind(stage.host.relation(other))
        #expect(stage.host.logs.map(\.text).filter { $0.contains("public.g.b has type box") }.count == 1)
        #expect(stage.host.logs.count == 2)
    }
}
