import LibRDKafka
import PluginABI
import PluginKit

/// Hands the records of a submission to librdkafka: runs of one topic at a time through an array that is kept, single records where they
/// have headers or a time of their own. [poll thread]
final class RecordSender {
    private unowned let producer: Producer
    private let topics: TopicCatalog
    private let messages: UnsafeMutablePointer<rd_kafka_message_t>
    private static let messagesMax = 512

    init(_ producer: Producer, _ topics: TopicCatalog) {
        self.producer = producer
        self.topics = topics
        messages = .allocate(capacity: Self.messagesMax)
        messages.initialize(repeating: rd_kafka_message_t(), count: Self.messagesMax)
    }

    deinit { messages.deallocate() }

    /// Nothing may go any more: it would overtake what has failed.
    var isOver: Bool { producer.isDead }

    /// A record that does not go to librdkafka at all.
    func refuse(_ slot: UInt32, _ record: UInt32, _ error: rd_kafka_resp_err_t) { producer.settle(SubmissionTable.tag(slot, record), error) }

    /// Sends records as long as the flight takes them and none has failed for good; returns the index after the last.
    func send(_ submission: UnsafePointer<cdcp_submission>, _ slot: UInt32, from start: UInt32, _ flight: inout Flight) -> UInt32 {
        let count = submission.pointee.record_count
        guard let records = submission.pointee.records else { return count }
        let stride = Int(submission.pointee.record_stride)
        var index = start
        while index < count, !isOver {
            let end = send(records, stride, count, from: index, slot, &flight)
            if end == index { break }
            index = end
        }
        return index
    }

    /// Sends one run of records of a topic; returns the index after it.
    private func send(
        _ records: UnsafeRawPointer, _ stride: Int, _ count: UInt32, from start: UInt32, _ slot: UInt32, _ flight: inout Flight
    ) -> UInt32 {
        let first = (records + Int(start) &* stride).assumingMemoryBound(to: cdcp_record.self)
        let topic = first.pointee.topic
        let entry = topics[topic]
        guard let handle = entry.handle else {
            refuse(slot, start, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
            return start &+ 1
        }
        let bytesMax = entry.recordBytesMax > 0 ? entry.recordBytesMax : Int.max
        if isSpecial(first, bytesMax) {
            let size = size(first)
            guard size <= bytesMax else {
                refuse(slot, start, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
                return start &+ 1
            }
            guard flight.board(topic: topic, partition: first.pointee.partition, bytes: size) else { return start }
            let error = SingleRecord.produce(first, handle, producer.handle, SubmissionTable.tag(slot, start))
            if error == RD_KAFKA_RESP_ERR_NO_ERROR { producer.sent(1) } else { refuse(slot, start, error) }
            return start &+ 1
        }
        var gathered = 0
        var index = start
        while index < count && gathered < Self.messagesMax {
            let record = (records + Int(index) &* stride).assumingMemoryBound(to: cdcp_record.self)
            if record.pointee.topic != topic || isSpecial(record, bytesMax) { break }
            let message = messages + gathered
            message.pointee.partition = record.pointee.partition
            message.pointee.payload = UnsafeMutableRawPointer(mutating: record.pointee.value)
            message.pointee.len = record.pointee.value == nil ? 0 : Int(record.pointee.value_len)
            message.pointee.key = UnsafeMutableRawPointer(mutating: record.pointee.key)
            message.pointee.key_len = record.pointee.key == nil ? 0 : Int(record.pointee.key_len)
            guard flight.board(topic: topic, partition: record.pointee.partition, bytes: message.pointee.len &+ message.pointee.key_len) else { break }
            message.pointee._private = SubmissionTable.tag(slot, index)
            gathered &+= 1
            index &+= 1
        }
        guard gathered > 0 else { return start }
        let taken = rd_kafka_produce_batch(handle, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_PARTITION, messages, Int32(gathered))
        producer.sent(Int(taken))
        if Int(taken) != gathered {
            for place in 0..<gathered where messages[place].err != RD_KAFKA_RESP_ERR_NO_ERROR {
                refuse(slot, start &+ UInt32(place), messages[place].err)
            }
        }
        return index
    }

    /// Not for the array: headers, a time of its own, or something that is refused. A record without a partition must never meet librdkafka's
    /// own partitioner.
    @inline(__always) private func isSpecial(_ record: UnsafePointer<cdcp_record>, _ bytesMax: Int) -> Bool {
        record.pointee.header_count > 0 || record.pointee.timestamp_us != 0 || record.pointee.partition < 0
            || Int(record.pointee.key_len) &+ Int(record.pointee.value_len) > bytesMax
    }

    private func size(_ record: UnsafePointer<cdcp_record>) -> Int {
        var size = Int(record.pointee.key_len) + Int(record.pointee.value_len)
        guard let headers = record.pointee.headers else { return size }
        for index in 0..<Int(record.pointee.header_count) {
            size += Int(headers[index].key_len) + 10
            if headers[index].value_len != CDCP_HEADER_NULL { size += Int(headers[index].value_len) }
        }
        return size
    }
}
