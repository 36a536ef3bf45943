import PluginABI
import StageHarness
import Testing

@Suite struct KeyTests {
    static let orders = RelationSpec("public", "orders", columns: [.key("id", 20), .init("customer_id", 23)])
    static let topics = [TopicSpec("shop.public.orders", 1 << 30), TopicSpec("shop.public.log", 7), TopicSpec("shop.message", 5)]

    private func stage(_ options: Option = [:]) throws -> StageInstance { try PluginFile.named("KeyPartitioner").stage(options: options) }

    /// The hashes that Kafka's own UtilsTest expects of the Java client, cut to a partition as its toPositive and modulo do.
    @Test(arguments: [
        ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536), ("a-little-bit-longer-string", -1_486_304_829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971), ("abc", 479_470_107),
    ])
    func asTheJavaClient(key: String, hash: Int) throws {
        let stage = try stage()
        let orders = stage.host.relation(Self.orders)
        let positive = Int32(truncatingIfNeeded: hash) & 0x7FFF_FFFF
        for count: Int32 in [2, 3, 12, 100, 1 << 30, Int32.max] {
            let partitions = try stage.assign(
                [RecordSpec(key: key, value: "{}", topic: 1)], rows: [.insert(orders, ["1", "2"])], topics: [TopicSpec("shop.public.orders", count)])
            #expect(partitions == [positive % count])
        }
    }

    @Test func oneKeyOnePartitionWhateverTheOp() throws {
        let stage = try stage()
        let orders = stage.host.relation(Self.orders)
        let rows: [RowSpec] = [.insert(orders, ["1", "2"]), .update(orders, ["1", "3"]), .delete(orders, ["1", .absent], isKey: true)]
        let key = #"{"id":1}"#
        let records = [
            RecordSpec(key: key, value: "c", topic: 2, row: 0), RecordSpec(key: key, value: "u", topic: 2, row: 1),
            RecordSpec(key: key, value: "d", topic: 2, row: 2), RecordSpec(key: key, value: nil, topic: 2, row: 2),
        ]
        let partitions = try stage.assign(records, rows: rows, topics: Self.topics)
        #expect(Set(partitions).count == 1 && (0..<7).contains(partitions[0]))
    }

    /// A sink without partitions, and a topic with one.
    @Test func withoutPartitionsAllIsZero() throws {
        for options: Option in [[:], ["by": "table"], ["without_key": "round_robin"]] {
            let stage = try stage(options)
            let orders = stage.host.relation(Self.orders)
            let records = [
                RecordSpec(key: "a", value: "1", topic: 1), RecordSpec(key: nil, value: "2", topic: 2), RecordSpec(key: "b", value: "3", topic: 3),
            ]
            let topics = [TopicSpec("a", 0), TopicSpec("b", 1), TopicSpec("c", -1)]
            #expect(try stage.assign(records, rows: [.insert(orders, ["1", "2"])], topics: topics) == [0, 0, 0])
        }
    }

    /// Keyless rows and truncates of a table stay together; a message, which has no table, goes by its key or its topic.
    @Test func withoutKeyByTable() throws {
        let stage = try stage()
        let log = stage.host.relation(RelationSpec("public", "log", columns: [.init("line", 25)], oid: 2))
        let other = stage.host.relation(RelationSpec("public", "other", columns: [.init("line", 25)], oid: 3))
        let rows: [RowSpec] = [.insert(log, ["a"]), .truncate(log), .insert(other, ["a"]), .message(prefix: "p", [1]), .insert(log, ["b"])]
        let records = rows.indices.map { RecordSpec(key: nil, value: "v", topic: $0 == 3 ? 3 : 1, row: UInt32($0)) }
        let partitions = try stage.assign(records, rows: rows, topics: Self.topics)
        #expect(partitions[0] == partitions[1] && partitions[1] == partitions[4] && partitions[2] != partitions[0])
        #expect((0..<5).contains(partitions[3]))
        // In another batch, in another order, without the table's first run: the same.
        #expect(try stage.assign([records[4], records[0]], rows: rows, topics: Self.topics) == [partitions[4], partitions[0]])
    }

    @Test func withoutKeyInTurn() throws {
        let stage = try stage(["without_key": "round_robin"])
        let log = stage.host.relation(RelationSpec("public", "log", columns: [.init("line", 25)]))
        let rows = (0..<14).map { _ in RowSpec.insert(log, ["a"]) }
        let records = rows.indices.map { RecordSpec(key: nil, value: "v", topic: $0 % 2 == 0 ? 2 : 3, row: UInt32($0)) }
        let first = try stage.assign(records, rows: rows, topics: Self.topics)
        #expect(
            stride(from: 0, to: 14, by: 2).map { first[$0] } == [0, 1, 2, 3, 4, 5, 6]
                && stride(from: 1, to: 14, by: 2).map { first[$0] } == [0, 1, 2, 3, 4, 0, 1])
        let keyed = [RecordSpec(key: "abc", value: "v", topic: 2), RecordSpec(key: nil, value: "v", topic: 2)]
        #expect(try stage.assign(keyed, rows: rows, topics: Self.topics) == [479_470_107 % 7, 0])
    }

    @Test func manyTopics() throws {
        let stage = try stage(["without_key": "round_robin"])
        let log = stage.host.relation(RelationSpec("public", "log", columns: [.init("line", 25)]))
        let topics = (0..<300).map { TopicSpec("t\($0)", 3) }
        let records = (1...300).flatMap { topic in (0..<2).map { _ in RecordSpec(key: nil, value: "v", topic: UInt32(topic)) } }
        #expect(try stage.assign(records, rows: [.insert(log, ["a"])], topics: topics) == (0..<300).flatMap { _ in [0, 1] as [Int32] })
    }

    @Test func byTable() throws {
        let stage = try stage(["by": "table"])
        let orders = stage.host.relation(Self.orders)
        let people = stage.host.relation(RelationSpec("public", "people", columns: [.key("id", 20)], oid: 2))
        let rows: [RowSpec] = [.insert(orders, ["1", "2"]), .insert(people, ["1"]), .insert(orders, ["2", "2"])]
        let records = rows.indices.map { RecordSpec(key: "\($0)", value: "v", topic: 1, row: UInt32($0)) }
        let partitions = try stage.assign(records, rows: rows, topics: Self.topics)
        #expect(partitions[0] == partitions[2] && partitions[0] != partitions[1])
    }

    @Test func aRecordOfAnUnknownTopicIsRefused() throws {
        let stage = try stage()
        let orders = stage.host.relation(Self.orders)
        for topic: UInt32 in [0, 9, .max] {
            let refusal = #expect(throws: StageRefusal.self) {
                try stage.assign([RecordSpec(key: "a", value: "v", topic: topic)], rows: [.insert(orders, ["1", "2"])], topics: Self.topics)
            }
            #expect(refusal?.status == CDCP_E_FATAL)
        }
    }
}
