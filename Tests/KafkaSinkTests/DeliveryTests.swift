import Glibc
import PluginABI
import StageHarness
import Testing

@Suite(.serialized, .timeLimit(.minutes(3))) struct DeliveryTests {
    private func sink(_ kafka: EmbeddedKafka, topics: Option = [:]) throws -> StageInstance {
        try PluginFile.named("KafkaSink").stage(options: ["kafka": ["bootstrap.servers": .string(kafka.bootstrapServers)], "topics": topics])
    }

    private func records(_ range: Range<Int>, partitions: Int = 3) -> [RecordSpec] {
        range.map { RecordSpec(key: "k\($0 % 7)", value: "v\($0)", topic: 1, partition: Int32($0 % 7 % partitions)) }
    }

        @Test("Keys, values, tombstones, headers and partitions arrive as they were given, each partition in order")
        func contents() throws {
            let kafka = try EmbeddedKafka(topics: ["orders:3"])
            let sink = try sink(kafka)
            #expect(try sink.topic(1, "orders") == 3)
            var list = records(0..<600)
            let headers = [Header("op", "d"), Header("none", nil), Header("e", "")]
            list.insert(RecordSpec(key: "k1", value: nil, topic: 1, partition: 1, headers: headers), at: 8)
            list.insert(RecordSpec(key: nil, value: "", topic: 1, partition: 2, timestamp: 1_700_000_000_000_000), at: 9)
            var ids: [UInt64] = []
            for start in stride(from: 0, to: list.count, by: 100) { ids.append(try sink.submit(Array(list[start..<min(start + 100, list.count)]))) }
            for id in ids { #expect(try sink.completion(of: id).failures.isEmpty) }
            let read = TopicReader.read(kafka.bootstrapServers, "orders", partitions: 3, count: list.count)
            for partition in Int32(0)..<3 {
                let sent = list.filter { $0.partition == partition }.map { record in
                    ConsumedRecord(
                        partition: partition, key: record.key.map { String(decoding: $0, as: UTF8.self) },
                        value: record.value.map { String(decoding: $0, as: UTF8.self) },
                        headers: record.headers.map { "\($0.key)=\($0.text ?? "null")" })
                }
                #expect(read.filter { $0.partition == partition } == sent)
            }
            try sink.deactivate()
        }

        @Test("Brokers away: nothing is lost or reordered, and the host hears of both changes")
        func away() throws {
            let kafka = try EmbeddedKafka(topics: ["orders:3"])
            let sink = try sink(kafka)
            try sink.topic(1, "orders")
            _ = try sink.completion(of: try sink.submit(records(0..<100)))
            try kafka.tell("down -1")
            let ids = try (1..<5).map { try sink.submit(records($0 * 100..<($0 + 1) * 100)) }
            let end = ContinuousClock.now + .seconds(30)
            // An answer that was under way when the brokers went may come after the word of their going: what counts is where it ends.
            while sink.host.health.last?.well != false && ContinuousClock.now < end { usleep(50_000) }
            usleep(500_000)
            while sink.host.health.last?.well != false && ContinuousClock.now < end { usleep(50_000) }
            #expect(sink.host.health.last?.well == false)
            #expect(sink.outcome(of: ids[0]) == nil)
            #expect(try sink.flush(timeoutNanoseconds: 100_000_000) == CDCP_E_RETRY)
            try kafka.tell("up -1")
            for id in ids { #expect(try sink.completion(of: id, within: .seconds(30)).failures.isEmpty) }
            while sink.host.health.last?.well != true && ContinuousClock.now < end + .seconds(30) { usleep(50_000) }
            #expect(sink.host.health.last?.well == true)
            #expect(zip(sink.host.health, sink.host.health.dropFirst()).allSatisfy { $0.well != $1.well }, "only changes are told")
            let read = TopicReader.read(kafka.bootstrapServers, "orders", partitions: 3, count: 500)
            for key in 0..<7 {
                #expect(read.filter { $0.key == "k\(key)" }.compactMap(\.value) == (0..<500).filter { $0 % 7 == key }.map { "v\($0)" })
            }
        }

    @Test(
        "An error burst that Kafka calls retriable is invisible",
        arguments: ["NOT_LEADER_FOR_PARTITION", "REQUEST_TIMED_OUT", "_TRANSPORT", "NOT_ENOUGH_REPLICAS"])
    func retriable(_ code: String) throws {
        let kafka = try EmbeddedKafka(topics: ["orders:3"])
        let sink = try sink(kafka)
        try sink.topic(1, "orders")
        try kafka.tell("errors PRODUCE \(code) 3")
        #expect(try sink.completion(of: try sink.submit(records(0..<50)), within: .seconds(30)).failures.isEmpty)
    }

    @Test(
        "What the broker refuses for good is classed",
        arguments: [
            ("MSG_SIZE_TOO_LARGE", CDCP_FAIL_RECORD, CDCP_CODE_TOO_LARGE),
            ("TOPIC_AUTHORIZATION_FAILED", CDCP_FAIL_FATAL, CDCP_CODE_PERMISSION),
            ("OUT_OF_ORDER_SEQUENCE_NUMBER", CDCP_FAIL_RETRYABLE, CDCP_CODE_OTHER),
        ])
    func classes(_ code: String, _ cls: Int32, _ reason: Int32) throws {
        let kafka = try EmbeddedKafka(topics: ["orders:1"])
        let sink = try sink(kafka)
        try sink.topic(1, "orders")
        _ = try sink.completion(of: try sink.submit(records(0..<1, partitions: 1)))
        try kafka.tell("errors PRODUCE \(code) 1")
        let failures = try sink.completion(of: try sink.submit(records(1..<4, partitions: 1)), within: .seconds(20)).failures
        #expect(failures.map(\.index) == [0, 1, 2])
        #expect(failures.allSatisfy { $0.cls == cls && $0.code == reason && !$0.message.isEmpty })
        let after = try sink.completion(of: try sink.submit(records(4..<6, partitions: 1)), within: .seconds(20)).failures
        // A record's own fault stops nobody; after any other the producer is done with.
        #expect(after.map(\.cls) == (cls == CDCP_FAIL_RECORD ? [] : [UInt16(CDCP_FAIL_RETRYABLE), UInt16(CDCP_FAIL_RETRYABLE)]))
        try sink.deactivate(timeoutNanoseconds: 1_000_000_000)
    }

    @Test("A record that librdkafka does not take is named; nothing is sent after it")
    func refusedAtOnce() throws {
        let kafka = try EmbeddedKafka(topics: ["orders:1"])
        let sink = try sink(kafka)
        try sink.topic(1, "orders")
        let list = [RecordSpec(key: "a", value: "1", topic: 1, partition: 0), RecordSpec(key: "a", value: "2", topic: 1, partition: 9)]
        let failures = try sink.completion(of: try sink.submit(list), within: .seconds(20)).failures
        #expect(failures.first { $0.index == 1 }?.code == CDCP_CODE_CONFIG)
        #expect(try sink.completion(of: try sink.submit([list[0]])).failures.map(\.cls) == [UInt16(CDCP_FAIL_RETRYABLE)])
    }

    @Test("A stop while brokers are away completes everything as retryable, in time")
    func stopWhileAway() throws {
        let kafka = try EmbeddedKafka(topics: ["orders:3"])
        let sink = try sink(kafka)
        try sink.topic(1, "orders")
        try kafka.tell("down -1")
        let ids = try (0..<3).map { try sink.submit(records($0 * 100..<($0 + 1) * 100)) }
        let start = ContinuousClock.now
        try sink.deactivate(timeoutNanoseconds: 500_000_000)
        #expect(ContinuousClock.now - start < .seconds(12))
        for id in ids {
            let failures = try #require(sink.outcome(of: id)).failures
            #expect(failures.count == 100 && failures.allSatisfy { $0.cls == CDCP_FAIL_RETRYABLE })
        }
    }

    @Test("No broker at all: a topic asks to be tried again, within its time")
    func nobody() throws {
        let stage = try PluginFile.named("KafkaSink").stage(options: ["kafka": ["bootstrap.servers": "127.0.0.1:1"]])
        let start = ContinuousClock.now
        let refusal = #expect(throws: StageRefusal.self) { try stage.topic(1, "orders") }
        #expect(refusal?.status == CDCP_E_RETRY)
        #expect(ContinuousClock.now - start < .seconds(8))
    }

    @Test("An idle stream notices frozen brokers within 30 s", .timeLimit(.minutes(2)))
    func frozen() throws {
        let kafka = try EmbeddedKafka(topics: ["orders:3"])
        let sink = try sink(kafka)
        try sink.topic(1, "orders")
        kafka.freeze()
        let end = ContinuousClock.now + .seconds(30)
        while sink.host.health.last?.well != false && ContinuousClock.now < end { usleep(100_000) }
        #expect(sink.host.health.last?.well == false)
        kafka.thaw()
        let back = ContinuousClock.now + .seconds(30)
        while sink.host.health.last?.well != true && ContinuousClock.now < back { usleep(100_000) }
        #expect(sink.host.health.last?.well == true)
    }

    @Test("A look at topics makes none, and refuses as an announcement would")
    func look() throws {
        let kafka = try EmbeddedKafka(topics: ["orders:3"])
        for _ in 0..<2 {
            let sink = try sink(kafka, topics: ["partitions": 2])
            #expect(try sink.look("orders") == 3)
            #expect(try sink.look("new") == nil)
            #expect(sink.host.logs.contains { $0.text.contains("orders exists with 3 partitions") })
        }
        let strict = try sink(kafka, topics: ["create": false])
        #expect(try strict.look("orders") == 3)
        #expect(#expect(throws: StageRefusal.self) { try strict.look("new") }?.status == CDCP_E_CONFIG)
        let away = try PluginFile.named("KafkaSink").stage(options: ["kafka": ["bootstrap.servers": "127.0.0.1:1"]])
        #expect(#expect(throws: StageRefusal.self) { try away.look("orders") }?.status == CDCP_E_RETRY)
    }

    @Test("A topic that exists keeps its partitions, with a warning that names both numbers")
    func mismatch() throws {
        let kafka = try EmbeddedKafka(topics: ["orders:1"])
        let sink = try sink(kafka, topics: ["partitions": 6])
        #expect(try sink.topic(1, "orders") == 1)
        #expect(sink.host.logs.contains { $0.text.contains("orders") && $0.text.contains("1 partitions") && $0.text.contains("6") })
    }
}
