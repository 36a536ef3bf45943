    import LibRDKafka

    /// A record as a consumer sees it.
    struct ConsumedRecord: Equatable {
        var partition: Int32
        var key: String?
        var value: String?
        var headers: [String] = []
    }

    /// Reads a topic from its beginning.
    enum TopicReader {
        /// - Returns: the records of all partitions, each partition in its order, as soon as `count` are there; fewer when the time is over.
        static func read(
            _ servers: String, _ topic: String, partitions: Int32, count: Int, within timeout: Duration = .seconds(10)
        ) -> [ConsumedRecord] {
            let configuration = rd_kafka_conf_new()
            rd_kafka_conf_set(configuration, "bootstrap.servers", servers, nil, 0)
            rd_kafka_conf_set(configuration, "group.id", "reader", nil, 0)
            rd_kafka_conf_set(configuration, "auto.offset.reset", "earliest", nil, 0)
            guard let client = rd_kafka_new(RD_KAFKA_CONSUMER, configuration, nil, 0) else { return [] }
            defer { rd_kafka_destroy(client) }
            let list = rd_kafka_topic_partition_list_new(partitions)
            for partition in 0..<partitions {
                rd_kafka_topic_partition_list_add(list, topic, partition)?.pointee.offset = Int64(RD_KAFKA_OFFSET_BEGINNING)
            }
            rd_kafka_assign(client, list)
            rd_kafka_topic_partition_list_destroy(list)
            var records: [ConsumedRecord] = []
            let end = ContinuousClock.now + timeout
            while records.count < count && ContinuousClock.now < end {
                guard let message = rd_kafka_consumer_poll(client, 100) else { continue }
                defer { rd_kafka_message_destroy(message) }
                guard message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
                records.append(
                    ConsumedRecord(
                        partition: message.pointee.partition, key: text(message.pointee.key, message.pointee.key_len),
                        value: text(message.pointee.payload, message.pointee.len), headers: headers(message)))
            }
            return records
        }

        private static func text(_ start: UnsafeRawPointer?, _ length: Int) -> String? {
            start.map { String(decoding: UnsafeRawBufferPointer(start: $0, count: length), as: UTF8.self) }
        }

        private static func headers(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> [String] {
            var list: OpaquePointer?
            guard rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR else { return [] }
            var result: [String] = []
            var name: UnsafePointer<CChar>?
            var value: UnsafeRawPointer?
            var size = 0
            while rd_kafka_header_get_all(list, result.count, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR {
                result.append("\(name.map { String(cString: $0) } ?? "")=\(text(value, size) ?? "null")")
            }
            return result
        }
    }
