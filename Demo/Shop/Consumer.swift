import LibRDKafka

/// A consumer like any other: reads every partition of the shop's topics from the beginning. Main thread only.
final class Consumer {
    private let handle: OpaquePointer
    private(set) var closed = false

    init(bootstrapServers: String, topics: [ShopTopic]) throws(ShopError) {
        handle = try KafkaHandle.make(RD_KAFKA_CONSUMER, [
            "bootstrap.servers": bootstrapServers, "group.id": "cdc-host-demo", "enable.auto.commit": "false", "enable.auto.offset.store": "false",
            "auto.offset.reset": "earliest", "fetch.wait.max.ms": "100", "allow.auto.create.topics": "false",
        ])
        rd_kafka_poll_set_consumer(handle)
        guard let list = rd_kafka_topic_partition_list_new(16) else { throw ShopError("librdkafka gave no list of partitions") }
        defer { rd_kafka_topic_partition_list_destroy(list) }
        for topic in topics {
            for partition in 0..<topic.partitions {
                rd_kafka_topic_partition_list_add(list, topic.name, partition)?.pointee.offset = Int64(RD_KAFKA_OFFSET_BEGINNING)
            }
        }
        let failure = rd_kafka_assign(handle, list)
        guard failure == RD_KAFKA_RESP_ERR_NO_ERROR else { throw ShopError("Kafka: \(KafkaHandle.text(failure))") }
    }

    deinit { close() }

    func close() {
        guard !closed else { return }
        closed = true
        rd_kafka_consumer_close(handle)
        rd_kafka_destroy(handle)
    }

    /// The next record, waiting up to `milliseconds` for it.
    /// - Throws: `ShopError` for a record that makes no sense; what passes by itself (a broker that is away) is left to librdkafka.
    func next(milliseconds: Int32) throws(ShopError) -> ConsumedRecord? {
        guard !closed, let message = rd_kafka_consumer_poll(handle, milliseconds) else { return nil }
        defer { rd_kafka_message_destroy(message) }
        guard message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        let topic = message.pointee.rkt.flatMap { rd_kafka_topic_name($0) }.map { String(cString: $0) } ?? ""
        let record = ConsumedRecord(
            topic: topic, partition: message.pointee.partition, offset: message.pointee.offset,
            key: Self.bytes(message.pointee.key, message.pointee.key_len), value: Self.bytes(message.pointee.payload, message.pointee.len))
        guard let record else {
            throw ShopError("\(topic), partition \(message.pointee.partition), offset \(message.pointee.offset): not a record of JSONCodec's")
        }
        return record
    }

    private static func bytes(_ start: UnsafeMutableRawPointer?, _ count: Int) -> [UInt8]? {
        start.map { [UInt8](UnsafeRawBufferPointer(start: $0, count: count)) }
    }
}

/// What consumer and topic administration share of librdkafka.
enum KafkaHandle {
    static func make(_ type: rd_kafka_type_t, _ properties: [String: String]) throws(ShopError) -> OpaquePointer {
        guard let configuration = rd_kafka_conf_new() else { throw ShopError("librdkafka gave no configuration") }
        var why = [CChar](repeating: 0, count: 512)
        // Its log would write across the screen; what matters comes as an error.
        for (name, value) in properties.merging(["log_level": "2", "client.id": "shop-demo"], uniquingKeysWith: { given, _ in given }) {
            guard rd_kafka_conf_set(configuration, name, value, &why, why.count) == RD_KAFKA_CONF_OK else {
                rd_kafka_conf_destroy(configuration)
                throw ShopError("Kafka: \(text(why))")
            }
        }
        guard let handle = rd_kafka_new(type, configuration, &why, why.count) else {
            rd_kafka_conf_destroy(configuration)
            throw ShopError("Kafka: \(text(why))")
        }
        return handle
    }

    static func text(_ code: rd_kafka_resp_err_t) -> String { rd_kafka_err2str(code).map { String(cString: $0) } ?? "error \(code.rawValue)" }

    static func text(_ buffer: [CChar]) -> String {
        String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
