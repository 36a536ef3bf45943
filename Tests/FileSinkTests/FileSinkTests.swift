import Glibc
import PluginABI
import StageHarness
import Testing

@Suite struct FileSinkTests {
    let path = "/tmp/cdc-filesink-\(getpid())-\(UInt64.random(in: 0...UInt64.max)).jsonl"

    func sink(_ options: Option) throws -> StageInstance { try PluginFile.named("FileSink").stage(options: options) }

    @Test("One line a record: JSON stays JSON, text becomes a string, other bytes base64")
    func lines() throws {
        defer { unlink(path) }
        let sink = try sink(["path": .string(path)])
        #expect(try sink.topic(1, "shop.public.orders") == 0)
        let records = [
            RecordSpec(
                key: #"{"id":1}"#, value: #"{"op":"c","note":"a\nb €"}"#, topic: 1, partition: 3,
                headers: [Header("a", "x\"y"), Header("b", nil)]),
            RecordSpec(key: nil, value: nil, topic: 1),
            RecordSpec(key: "plain", value: "{\"two\":\n1}", topic: 1, partition: 0),
            RecordSpec(keyBytes: [], valueBytes: [0xff, 0x00, 0x41, 0x42], topic: 1, partition: 0),
            RecordSpec(key: "01", value: "-1.5e+3", topic: 1, partition: 0),
        ]
        let outcome = try sink.completion(of: try sink.submit(records))
        #expect(outcome.failures.isEmpty)
        #expect(
            try text(path) == #"""
                {"topic":"shop.public.orders","partition":3,"key":{"id":1},"value":{"op":"c","note":"a\nb €"},"headers":{"a":"x\"y","b":null}}
                {"topic":"shop.public.orders","partition":null,"key":null,"value":null,"headers":{}}
                {"topic":"shop.public.orders","partition":0,"key":"plain","value":"{\"two\":\n1}","headers":{}}
                {"topic":"shop.public.orders","partition":0,"key":"","value":{"base64":"/wBBQg=="},"headers":{}}
                {"topic":"shop.public.orders","partition":0,"key":"01","value":-1.5e+3,"headers":{}}

                """#)
        try sink.deactivate()
    }

    @Test(
        "What is not one well-formed JSON value is written as a string",
        arguments: [
            "{", "[1,]", #"{"a" 1}"#, "1 2", #""\x""#, "tru", "1.", "-", #"{"a":1}}"#, String(repeating: "[", count: 100_000), "\"\u{1}\"", #""\u12"#,
            "nan",
        ])
    func notJSON(_ value: String) throws {
        defer { unlink(path) }
        let sink = try sink(["path": .string(path)])
        try sink.topic(1, "t")
        _ = try sink.completion(of: try sink.submit([RecordSpec(key: nil, value: value, topic: 1)]))
        #expect(try text(path).hasPrefix(#"{"topic":"t","partition":null,"key":null,"value":""#))
        #expect(try text(path).utf8.filter { $0 == UInt8(ascii: "\n") }.count == 1)
    }

    @Test(
        "A last line that a crash left unfinished is mended at the next start",
        arguments: [
            ("{\"topic\":\"t\"}\n{\"topic\":\"t\",\"par", "{\"topic\":\"t\"}\n", "cut off"),
            ("{\"to", "", "cut off"),
            ("somebody's notes", "somebody's notes\n", "ended with a newline"),
            ("{\"topic\":\"t\"}\n", "{\"topic\":\"t\"}\n", ""),
        ])
    func tornLine(_ before: String, _ after: String, _ how: String) throws {
        defer { unlink(path) }
        try write(before, path)
        let sink = try sink(["path": .string(path)])
        try sink.topic(1, "t")
        _ = try sink.completion(of: try sink.submit([RecordSpec(key: nil, value: "1", topic: 1)]))
        #expect(try text(path) == after + "{\"topic\":\"t\",\"partition\":null,\"key\":null,\"value\":1,\"headers\":{}}\n")
        #expect(how.isEmpty ? sink.host.logs.isEmpty : sink.host.logs.contains { $0.text.contains(how) })
    }

    @Test("A full disk fails the submission as retryable, and nothing is written after it")
    func fullDisk() throws {
        let sink = try sink(["path": "/dev/full", "fsync": "never"])
        try sink.topic(1, "t")
        for _ in 0..<2 {
            let outcome = try sink.completion(
                of: try sink.submit([RecordSpec(key: nil, value: "1", topic: 1), RecordSpec(key: nil, value: "2", topic: 1)]))
            #expect(outcome.failures.map(\.index) == [0, 1])
            #expect(outcome.failures.allSatisfy { $0.cls == CDCP_FAIL_RETRYABLE && $0.message.contains("No space left") })
        }
        #expect(sink.host.health.last?.well == false)
    }

    @Test("A path that cannot be opened is named")
    func unopenable() throws {
        let refusal = #expect(throws: StageRefusal.self) { try sink(["path": "/nowhere/at/all"]) }
        #expect(refusal?.status == CDCP_E_CONFIG)
        #expect(refusal?.message.contains("/nowhere/at/all") == true)
    }

    private func text(_ path: String) throws -> String {
        let file = open(path, O_RDONLY)
        try #require(file >= 0)
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    }

    private func write(_ text: String, _ path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT, 0o600)
        try #require(file >= 0)
        defer { close(file) }
        _ = Glibc.write(file, text, text.utf8.count)
    }
}
