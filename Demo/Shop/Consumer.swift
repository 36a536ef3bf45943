import LibRDKafka

/// Reads every partition of the shop's topics. It belongs to no consumer group, so that nothing of it remains in Kafka.
/// Main thread only.
final class Consumer {
    private let handle: OpaquePointer
    private let queue: OpaquePointer
    /// Each topic with the partitions of it that are read.
    private var readers: [(topic: OpaquePointer, partitions: Range<Int32>)] = []
    private var closed = false

    /// - Parameter fromEnd: begin behind the records that are there now.
    init(bootstrapServers: String, topics: [ShopTopic], fromEnd: Bool) throws(ShopError) {
        handle = try KafkaHandle.make(
            RD_KAFKA_CONSUMER,
            [
                "bootstrap.servers": bootstrapServers, "auto.offset.reset": "earliest", "fetch.wait.max.ms": "100",
                "allow.auto.create.topics": "false",
            ])
        guard let queue = rd_kafka_queue_new(handle) else {
            rd_kafka_destroy(handle)
            throw ShopError("librdkafka gave no queue")
        }
        self.queue = queue
        for name in topics {
            guard let topic = rd_kafka_topic_new(handle, name.name, nil) else { throw ShopError("Kafka, topic \(name.name): \(lastError)") }
            readers.append((topic, 0..<name.partitions))
            for partition in 0..<name.partitions {
                let offset = fromEnd ? try end(of: name.name, partition) : Int64(RD_KAFKA_OFFSET_BEGINNING)
                guard rd_kafka_consume_start_queue(topic, partition, offset, queue) == 0 else {
                    throw ShopError("Kafka, topic \(name.name), partition \(partition): \(lastError)")
                }
            }
        }
    }

    deinit { close() }

    func close() {
        guard !closed else { return }
        closed = true
        for (topic, partitions) in readers {
            for partition in partitions { rd_kafka_consume_stop(topic, partition) }
            rd_kafka_topic_destroy(topic)
        }
        rd_kafka_queue_destroy(queue)
        rd_kafka_destroy(handle)
    }

    /// A number, since "the end" would be looked up later, when the host may have sent already.
    private func end(of topic: String, _ partition: Int32) throws(ShopError) -> Int64 {
        var (low, high): (Int64, Int64) = (0, 0)
        let failure = rd_kafka_query_watermark_offsets(handle, topic, partition, &low, &high, 10_000)
        guard failure == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw ShopError("Kafka, topic \(topic), partition \(partition): \(KafkaHandle.text(failure))")
        }
        return high
    }

    private var lastError: String { KafkaHandle.text(rd_kafka_last_error()) }

    /// The next record, waiting up to `milliseconds` for it.
    /// - Throws: `ShopError` for a record that makes no sense; what passes by itself (a broker that is away) is left to librdkafka.
    func next(milliseconds: Int32) throws(ShopError) -> ConsumedRecord? {
        guard !closed, let message = rd_kafka_consume_queue(queue, milliseconds) else { return nil }
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
